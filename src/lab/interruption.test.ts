import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { endingCleanly, Interrupted, Interruption } from "./interruption.ts";

const NAMES = ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP"] as const;

describe("with others in the process that listen to signals", () => {
  const ignore = () => {};

  beforeEach(() => {
    for (const name of NAMES) process.on(name, ignore);
  });

  afterEach(() => {
    for (const name of NAMES) process.off(name, ignore);
  });

  it.each(NAMES)("%s ends what goes on, after which no listener is left", async (name) => {
    const before = NAMES.map((each) => process.listenerCount(each));
    const ended = endingCleanly(async (interruption) => {
      process.kill(process.pid, name);
      return await interruption.race(new Promise(() => {}));
    });
    await expect(ended).rejects.toThrow(new Interrupted(name));
    expect(NAMES.map((each) => process.listenerCount(each))).toEqual(before);
  });

  it("what is removed after a signal is removed to the end", async () => {
    const steps: string[] = [];
    const ended = endingCleanly(async (interruption) => {
      try {
        process.kill(process.pid, "SIGTERM");
        await interruption.race(new Promise(() => {}));
      } finally {
        steps.push("begun");
        process.kill(process.pid, "SIGINT");
        await new Promise((resolve) => setTimeout(resolve, 20));
        steps.push("done");
      }
    });
    await expect(ended).rejects.toThrow("SIGTERM");
    expect(steps).toEqual(["begun", "done"]);
  });

  it("without a signal the result and the failure of the body come out", async () => {
    await expect(endingCleanly(async () => 5)).resolves.toBe(5);
    await expect(endingCleanly(() => Promise.reject(new Error("no ip")))).rejects.toThrow("no ip");
  });
});

describe("an interruption", () => {
  it("is nothing to work that is done", async () => {
    const interruption = new Interruption();
    await expect(interruption.race(Promise.resolve(1))).resolves.toBe(1);
    interruption.receive("SIGTERM");
    await expect(interruption.race(new Promise(() => {}))).rejects.toThrow("ended by SIGTERM");
  });

  it("waits for the farewells, also for one that fails", async () => {
    const interruption = new Interruption();
    const steps: string[] = [];
    interruption.beforeRemoval(() => Promise.reject(new Error("it is gone already")));
    interruption.beforeRemoval(async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      steps.push("hung up");
    });
    const work = interruption.race(new Promise(() => {}));
    interruption.receive("SIGHUP");
    await expect(work).rejects.toThrow("SIGHUP");
    expect(steps).toEqual(["hung up"]);
  });

  it("leaves the keyboard to others while they have it, and no other signal", async () => {
    const interruption = new Interruption();
    await interruption.leaveKeyboardTo(async () => {
      interruption.receive("SIGINT");
      interruption.receive("SIGQUIT");
      expect(interruption.received).toBeUndefined();
    });
    interruption.receive("SIGINT");
    expect(interruption.received).toBe("SIGINT");
    const other = new Interruption();
    await other.leaveKeyboardTo(async () => other.receive("SIGTERM"));
    expect(other.received).toBe("SIGTERM");
  });
});
