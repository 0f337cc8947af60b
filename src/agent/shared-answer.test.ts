import { expect, it } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { sharedAnswer } from "./shared-answer.ts";

it("is made once for all who ask at once and for a second after, and then anew", async () => {
  const clock = new ManualClock();
  let made = 0;
  const ask = sharedAnswer(clock, async () => {
    await clock.sleep(5_000);
    return ++made;
  });
  const all = Promise.all([ask(), ask(), ask()]);
  await clock.advance(4_000);
  const late = ask();
  await clock.advance(1_000);
  expect([await all, await late]).toEqual([[1, 1, 1], 1]);
  await clock.advance(999);
  expect(await ask()).toBe(1);
  await clock.advance(1);
  const next = ask();
  await clock.advance(5_000);
  expect(await next).toBe(2);
});

it("that fails fails for all who wait, and is made anew for the next", async () => {
  let made = 0;
  const ask = sharedAnswer(new ManualClock(), async () => {
    if (made++ === 0) throw new Error("not now");
    return made;
  });
  const both = [ask(), ask()];
  for (const each of both) await expect(each).rejects.toThrow("not now");
  expect(await ask()).toBe(2);
});
