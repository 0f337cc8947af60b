import { expect, it } from "vitest";
import { SerialQueue } from "./serial-queue.ts";

it("runs tasks one after the other, in the order they came, also after a failure", async () => {
  const queue = new SerialQueue();
  const events: string[] = [];
  const task = (name: string, fails = false) =>
    queue.run(async () => {
      events.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const results = await Promise.allSettled([task("a"), task("b", true), task("c")]);
  expect(results.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason)))).toEqual([
    "a",
    "Error: b",
    "c",
  ]);
  expect(events).toEqual(["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]));
});
