// A clock that goes faster than the world's: seconds of an agent pass in tenths of them.

import { type Clock, realClock } from "../../src/agent/clock.ts";

/** `factor` seconds for each real one. */
export function fastClock(factor: number): Clock {
  return {
    now: () => realClock.now() * factor,
    wallTime: () => realClock.wallTime(),
    sleep: (ms, signal) => realClock.sleep(ms / factor, signal),
  };
}
