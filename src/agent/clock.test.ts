import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { realClock } from "./clock.ts";

const LONG_MS = 3_600_000;

describe("a sleep", () => {
  it("ends when its time is over", async () => {
    const begin = realClock.now();
    await realClock.sleep(20);
    expect(realClock.now() - begin).toBeGreaterThanOrEqual(18);
  });

  it("ends at the abort, whatever its reason", async () => {
    for (const reason of [undefined, "woken", new Error("enough")]) {
      const controller = new AbortController();
      const sleep = realClock.sleep(LONG_MS, controller.signal);
      controller.abort(reason);
      await sleep;
    }
  });

  it("does not begin after the abort", () => realClock.sleep(LONG_MS, AbortSignal.abort()));

  it("leaves nothing at a signal that lives on", async () => {
    const { signal } = new AbortController();
    await realClock.sleep(1, signal);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
