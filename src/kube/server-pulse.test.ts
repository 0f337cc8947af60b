import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "./api-error.ts";
import { DEFAULT_PULSE, ServerPulse } from "./server-pulse.ts";

type Behaviour = "answers" | "silent" | "refused" | "no credentials";

function pulseOf(first: Behaviour) {
  const state = { behaviour: first, asked: 0 };
  const probe = (signal: AbortSignal): Promise<void> => {
    state.asked++;
    if (state.behaviour === "answers") return Promise.resolve();
    if (state.behaviour === "refused") {
      return Promise.reject(new ApiError({ kind: "unreachable", message: "refused", reason: "ECONNREFUSED" }));
    }
    if (state.behaviour === "no credentials") {
      return Promise.reject(new ApiError({ kind: "credentials", message: "the plugin failed" }));
    }
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  };
  return { state, pulse: new ServerPulse(probe, DEFAULT_PULSE, () => performance.now()) };
}

const SECOND_MS = 1_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

describe("a server that is dead", () => {
  it("is noticed within 20 s by the real times, and told once", async () => {
    const { pulse } = pulseOf("silent");
    const deaths: string[] = [];
    pulse.guard((failure) => deaths.push(failure.message));
    await vi.advanceTimersByTimeAsync(19 * SECOND_MS);
    expect(deaths).toEqual([]);
    await vi.advanceTimersByTimeAsync(1.1 * SECOND_MS);
    expect(deaths).toEqual(["nothing came from the API server for 20 s, and it does not answer a request either"]);
    await vi.advanceTimersByTimeAsync(60 * SECOND_MS);
    expect(deaths).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is noticed at once when it refuses the question", async () => {
    const { pulse } = pulseOf("refused");
    const deaths: ApiError[] = [];
    pulse.guard((failure) => deaths.push(failure));
    await vi.advanceTimersByTimeAsync(10.1 * SECOND_MS);
    expect(deaths).toMatchObject([{ kind: "timeout", cause: { reason: "ECONNREFUSED" } }]);
  });

  it("is not the death of a request that came after the question", async () => {
    const { pulse } = pulseOf("silent");
    const deaths: string[] = [];
    pulse.guard(() => deaths.push("old"));
    await vi.advanceTimersByTimeAsync(12 * SECOND_MS);
    pulse.guard(() => deaths.push("new"));
    await vi.advanceTimersByTimeAsync(9 * SECOND_MS);
    expect(deaths).toEqual(["old"]);
    await vi.advanceTimersByTimeAsync(20 * SECOND_MS);
    expect(deaths).toEqual(["old", "new"]);
  });
});

describe("a server that lives", () => {
  it("is asked every 10 s while it is quiet, by all of its streams together", async () => {
    const { pulse, state } = pulseOf("answers");
    const deaths: string[] = [];
    for (const name of ["pods", "nodes", "policies"]) pulse.guard(() => deaths.push(name));
    await vi.advanceTimersByTimeAsync(600 * SECOND_MS);
    expect(state.asked).toBeGreaterThanOrEqual(59);
    expect(state.asked).toBeLessThanOrEqual(60);
    expect(deaths).toEqual([]);
  });

  it("is not asked while something comes", async () => {
    const { pulse, state } = pulseOf("silent");
    pulse.guard(() => {});
    for (let second = 0; second < 300; second++) {
      await vi.advanceTimersByTimeAsync(SECOND_MS);
      pulse.heard();
    }
    expect(state.asked).toBe(0);
  });

  it("is not dead when something comes before the question's time-out", async () => {
    const { pulse } = pulseOf("silent");
    const deaths: string[] = [];
    pulse.guard(() => deaths.push("dead"));
    await vi.advanceTimersByTimeAsync(15 * SECOND_MS);
    pulse.heard();
    await vi.advanceTimersByTimeAsync(14 * SECOND_MS);
    expect(deaths).toEqual([]);
  });

  it("is not dead because we cannot log in", async () => {
    const { pulse, state } = pulseOf("no credentials");
    const deaths: string[] = [];
    pulse.guard(() => deaths.push("dead"));
    await vi.advanceTimersByTimeAsync(35 * SECOND_MS);
    expect(state.asked).toBe(3);
    expect(deaths).toEqual([]);
  });
});

describe("while nobody waits", () => {
  it("nothing runs, also when the last one leaves during a question", async () => {
    const { pulse, state } = pulseOf("silent");
    const release = pulse.guard(() => {});
    await vi.advanceTimersByTimeAsync(12 * SECOND_MS);
    expect(state.asked).toBe(1);
    release();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(60 * SECOND_MS);
    expect(state.asked).toBe(1);
  });

  it("and somebody comes during the last one's question, the server is asked for them, too", async () => {
    const { pulse, state } = pulseOf("silent");
    const release = pulse.guard(() => {});
    await vi.advanceTimersByTimeAsync(12 * SECOND_MS);
    release();
    const deaths: string[] = [];
    pulse.guard(() => deaths.push("dead"));
    await vi.advanceTimersByTimeAsync(21 * SECOND_MS);
    expect(state.asked).toBe(2);
    expect(deaths).toEqual(["dead"]);
  });
});
