import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { ClusterChange } from "./cluster-change.ts";
import { OutageHold } from "./outage-hold.ts";

const change = (name: string): ClusterChange => ({
  event: { kind: "namespace", name, namespace: undefined },
  diagnostics: [],
  uid: "",
});

function start() {
  const clock = new ManualClock();
  const passed: string[][] = [];
  const names = (changes: readonly ClusterChange[]) =>
    changes.map(({ event }) => (event.kind === "namespace" ? event.name : "?"));
  const hold = new OutageHold({ clock, pass: (changes) => void passed.push(names(changes)) });
  const changed = (resource: string, ...objects: readonly string[]) => hold.changed(resource, objects.map(change));
  return { clock, passed, hold, changed };
}

describe("changes after an outage", () => {
  it("pass at once while nothing is cut off", () => {
    const { passed, changed } = start();
    changed("pods", "a");
    changed("policies", "b");
    expect(passed).toEqual([["a"], ["b"]]);
  });

  it("are one batch when all that was cut off is back and has told its backlog", async () => {
    const { clock, passed, hold, changed } = start();
    for (const each of ["pods", "policies"]) hold.lost(each);
    hold.back("policies");
    changed("policies", "p1");
    await clock.advance(1_000);
    changed("policies", "p2");
    expect(passed).toEqual([]);
    hold.back("pods");
    await clock.advance(20);
    changed("pods", "a");
    await clock.advance(29);
    expect(passed).toEqual([]);
    await clock.advance(1);
    expect(passed).toEqual([["p1", "p2", "a"]]);
    changed("pods", "b");
    expect(passed).toEqual([["p1", "p2", "a"], ["b"]]);
  });

  it("of a list that comes before the watch is open are held, too", async () => {
    const { clock, passed, hold, changed } = start();
    hold.lost("pods");
    changed("pods", "a");
    expect(passed).toEqual([]);
    hold.back("pods");
    await clock.advance(50);
    expect(passed).toEqual([["a"]]);
  });

  it("of what was never cut off are not held", () => {
    const { passed, hold, changed } = start();
    hold.lost("pods");
    changed("policies", "p");
    expect(passed).toEqual([["p"]]);
  });

  it.each<[string, (hold: OutageHold) => void]>([
    ["a resource that stays away", (hold) => hold.back("policies")],
    ["a resource that can be listed and never watched", () => {}],
  ])("%s holds the others for three seconds at most, and then none", async (_, happen) => {
    const { clock, passed, hold, changed } = start();
    for (const each of ["pods", "policies"]) hold.lost(each);
    happen(hold);
    changed("policies", "p");
    await clock.advance(2_999);
    expect(passed).toEqual([]);
    await clock.advance(1);
    expect(passed).toEqual([["p"]]);
  });

  it("are held on when one is cut off again", async () => {
    const { clock, passed, hold, changed } = start();
    for (const each of ["pods", "policies"]) hold.lost(each);
    hold.back("policies");
    changed("policies", "p");
    hold.back("pods");
    await clock.advance(20);
    hold.lost("pods");
    await clock.advance(100);
    expect(passed).toEqual([]);
    hold.back("pods");
    await clock.advance(50);
    expect(passed).toEqual([["p"]]);
  });

  it("are not passed on after the end", async () => {
    const { clock, passed, hold, changed } = start();
    hold.lost("pods");
    changed("pods", "a");
    hold.back("pods");
    hold.close();
    await clock.advance(10_000);
    expect(passed).toEqual([]);
  });
});
