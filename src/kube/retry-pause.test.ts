import { describe, expect, it } from "vitest";
import { ApiError, type ApiErrorDetails } from "./api-error.ts";
import { Backoff, DEFAULT_BACKOFF } from "./backoff.ts";
import { RetryPause } from "./retry-pause.ts";

const failure = (details: Partial<ApiErrorDetails>) => new ApiError({ kind: "unreachable", message: "no", ...details });
const OUTAGE = failure({ reason: "ECONNREFUSED" });

/** Without jitter, at a clock that stands still: the first pause is 800 ms. */
function start() {
  const pause = new RetryPause(
    new Backoff(
      DEFAULT_BACKOFF,
      () => 0,
      () => 0,
    ),
  );
  const never = new AbortController().signal;
  /** A wait that goes on until it is over or is ended. */
  const begin = async () => {
    const ended = new AbortController();
    let isOver = false;
    const over = pause.wait(ended.signal).then(() => {
      isOver = true;
    });
    await new Promise(setImmediate);
    const end = async () => {
      ended.abort();
      await over;
    };
    return { isOver: () => isOver, over, end };
  };
  return { pause, begin, never };
}

describe("a pause because the server was away", () => {
  it.each([
    ["no connection", OUTAGE],
    ["a time-out", failure({ kind: "timeout" })],
    ["503", failure({ kind: "protocol", status: 503 })],
  ])("(%s) ends when another resource has it again", async (_, error) => {
    const { pause, begin } = start();
    pause.failed(error, 0);
    const waiting = await begin();
    expect(waiting.isOver()).toBe(false);
    pause.serverIsBack();
    await waiting.over;
    expect(pause.remainingMs).toBe(0);
  });

  it.each([
    ["forbidden", failure({ kind: "protocol", status: 403 })],
    ["told when to come back", failure({ kind: "protocol", status: 503, retryAfterMs: 5_000 })],
  ])("(%s) is another matter: it lasts", async (_, error) => {
    const { pause, begin } = start();
    pause.failed(error, 0);
    const waiting = await begin();
    pause.serverIsBack();
    await new Promise(setImmediate);
    expect(waiting.isOver()).toBe(false);
    await waiting.end();
  });

  it("is left out after a request that was sent into the outage", async () => {
    const { pause, never } = start();
    await pause.wait(never);
    pause.serverIsBack();
    pause.failed(OUTAGE, 0);
    expect(pause.remainingMs).toBe(0);
    await pause.wait(never);
    pause.failed(OUTAGE, 0);
    expect(pause.remainingMs).toBeGreaterThan(0);
  });

  it("is not left out in the next outage: whoever watches has nothing to do with it", async () => {
    const { pause, never } = start();
    await pause.wait(never);
    pause.answered();
    pause.serverIsBack();
    pause.failed(OUTAGE, 60_000);
    expect(pause.remainingMs).toBe(800);
  });
});
