import { describe, expect, it } from "vitest";
import { Backoff, DEFAULT_BACKOFF } from "./backoff.ts";

function backoffAt(random: number) {
  let nowMs = 1_000_000;
  const backoff = new Backoff(
    DEFAULT_BACKOFF,
    () => nowMs,
    () => random,
  );
  const delays = (count: number, attempt: () => void) =>
    Array.from({ length: count }, () => {
      attempt();
      const { remainingMs } = backoff;
      nowMs += remainingMs;
      expect(backoff.remainingMs).toBe(0);
      return Math.round(remainingMs);
    });
  return { backoff, delays };
}

describe("after failures", () => {
  it("a pause can end early, and the next one is as long as it would have been", () => {
    const { backoff, delays } = backoffAt(0);
    backoff.failed(0, undefined);
    expect(backoff.remainingMs).toBe(800);
    backoff.endPause();
    expect(backoff.remainingMs).toBe(0);
    expect(delays(1, () => backoff.failed(0, undefined))).toEqual([1600]);
  });

  it("delays grow from 0.8 to 15 s without jitter", () => {
    const { backoff, delays } = backoffAt(0);
    const expected = [800, 1600, 3200, 6400, 12_800, 15_000, 15_000];
    expect(delays(7, () => backoff.failed(0, undefined))).toEqual(expected);
  });

  it("and to twice that, at most 30 s, with the most jitter", () => {
    const { backoff, delays } = backoffAt(0.999999);
    const expected = [1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000];
    expect(delays(7, () => backoff.failed(0, undefined))).toEqual(expected);
  });

  it("for ever: no delay is longer or infinite", () => {
    const { backoff, delays } = backoffAt(0.5);
    expect(Math.max(...delays(2_000, () => backoff.failed(0, undefined)))).toBeLessThanOrEqual(30_000);
  });

  it("that come at once (410 on every watch), there are at most 5 attempts in 10 s", () => {
    const { backoff, delays } = backoffAt(0);
    const sum = delays(4, () => backoff.failed(0, undefined)).reduce((total, delay) => total + delay, 0);
    expect(sum).toBeGreaterThan(10_000);
  });

  it("the first delay follows again after 10 s of health, not after less", () => {
    const { backoff, delays } = backoffAt(0);
    delays(4, () => backoff.failed(0, undefined));
    expect(delays(1, () => backoff.failed(9_999, undefined))).toEqual([12_800]);
    expect(delays(2, () => backoff.failed(10_000, undefined))).toEqual([800, 800]);
  });

  it.each([
    ["a longer wish is kept", 7_000, 7_000],
    ["a shorter wish changes nothing", 100, 800],
    ["a wish of a day is cut to a minute", 86_400_000, 60_000],
  ])("%s (Retry-After)", (_what, wishMs, expected) => {
    const { backoff, delays } = backoffAt(0);
    expect(delays(1, () => backoff.failed(0, wishMs))).toEqual([expected]);
  });
});

describe("after closes in peace", () => {
  it("of watches that had lived there is no delay", () => {
    const { backoff, delays } = backoffAt(0);
    expect(delays(3, () => backoff.closed(300_000))).toEqual([0, 0, 0]);
  });

  it("of short ones delays grow to 5 s only: going stale is worse than a request", () => {
    const { backoff, delays } = backoffAt(0.5);
    expect(delays(6, () => backoff.closed(50))).toEqual([1200, 2400, 3750, 3750, 3750, 3750]);
  });
});
