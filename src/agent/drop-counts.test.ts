import { expect, it } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { DropCounts } from "../backends/backend.ts";
import { LatestDropCounts } from "./drop-counts.ts";

const counted = (ingress: number): DropCounts => ({ ingress, egress: 0, midstream: 0, unknown: 0 });

function start() {
  const clock = new ManualClock();
  const asked: PromiseWithResolvers<DropCounts>[] = [];
  const failures: unknown[] = [];
  const drops = new LatestDropCounts({
    clock,
    read: () => {
      const answer = Promise.withResolvers<DropCounts>();
      asked.push(answer);
      return answer.promise;
    },
    onFailure: (error) => failures.push(error),
  });
  return { clock, asked, failures, drops };
}

it("a thousand who ask at once, and who asks soon after, are one reading", async () => {
  const { clock, asked, drops } = start();
  const all = Promise.all(Array.from({ length: 1_000 }, () => drops.refresh()));
  asked[0]?.resolve(counted(7));
  await all;
  expect(drops.counts).toEqual(counted(7));
  await clock.advance(4_999);
  await drops.refresh();
  expect(asked).toHaveLength(1);
  await clock.advance(1);
  const again = drops.refresh();
  asked[1]?.resolve(counted(8));
  await again;
  expect(drops.counts).toEqual(counted(8));
});

it("a reading that hangs is not waited for, and not repeated; what it says counts when it comes", async () => {
  const { clock, asked, drops } = start();
  let answered = 0;
  for (let round = 0; round < 5; round++) {
    void drops.refresh().then(() => answered++);
    await clock.advance(1_000);
  }
  expect([answered, asked.length, drops.counts]).toEqual([5, 1, undefined]);
  asked[0]?.resolve(counted(3));
  await clock.settle();
  expect(drops.counts).toEqual(counted(3));
});

it("a reading that fails is told once and repeated no sooner than others; the last counts stay", async () => {
  const { clock, asked, failures, drops } = start();
  const first = drops.refresh();
  asked[0]?.resolve(counted(1));
  await first;
  await clock.advance(5_000);
  const second = drops.refresh();
  const error = new Error("no table");
  asked[1]?.reject(error);
  await second;
  await drops.refresh();
  expect([asked.length, failures, drops.counts]).toEqual([2, [error], counted(1)]);
});
