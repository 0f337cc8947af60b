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

  it("is over at once when its time has passed, without a warning", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    await realClock.sleep(-0.5);
    await new Promise(setImmediate);
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  it("leaves nothing at a signal that lives on", async () => {
    const { signal } = new AbortController();
    await realClock.sleep(1, signal);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
