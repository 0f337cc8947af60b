import { describe, expect, it } from "vitest";
import { Stopwatch, stagesOf } from "./stopwatch.ts";

describe("stages of a change", () => {
  const arrived = { arrived: 10, decoded: 11, applying: 13, flushed: 16 };

  it("are what lies between its points, and add up to the whole", () => {
    const stages = stagesOf({ ...arrived, writing: 20, committed: 26, done: 29 });
    expect(stages).toEqual({
      decode: 1,
      wait: 2,
      graph: 3,
      transaction: 4,
      write: 6,
      netlink: undefined,
      cleanUp: 3,
      whole: 16,
    });
  });

  it("say what the kernel's part of the writing was where nft did not do it", () => {
    const stages = stagesOf({ ...arrived, writing: 20, sending: 21, sent: 23, committed: 26, done: 26 });
    expect(stages).toMatchObject({ write: 6, netlink: 2, whole: 16 });
  });

  it("end with the graph where nothing is to be written", () => {
    const stages = stagesOf(arrived);
    expect(stages).toMatchObject({ decode: 1, wait: 2, graph: 3, transaction: 0, write: 0, cleanUp: 0, whole: 6 });
  });

  it("are not made up for a change that was not seen from its arrival on", () => {
    expect(() => stagesOf({ decoded: 11, applying: 13, flushed: 16 })).toThrow("not followed");
  });
});

describe("the stopwatch", () => {
  it("keeps the first of several equal marks, and none outside of a change", async () => {
    let now = 0;
    const watch = new Stopwatch(() => ++now);
    watch.mark("arrived");
    const marks = watch.follow();
    watch.mark("arrived");
    watch.mark("arrived");
    watch.mark("decoded");
    watch.finish();
    watch.mark("applying");
    expect(await marks).toEqual({ arrived: 1, decoded: 2 });
  });
});
