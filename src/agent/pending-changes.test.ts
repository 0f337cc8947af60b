import { describe, expect, it } from "vitest";
import { makePod, makePolicy, removePod, setPod, setPolicy } from "../../test/support/model-objects.ts";
import { type PendingBatch, PendingChanges } from "./pending-changes.ts";

const policy = makePolicy("deny", { podSelector: {} });
const remotePods = Array.from({ length: 600 }, (_, index) =>
  makePod(`remote-${index}`, `10.1.${index >> 8}.${index & 255}`, { node: "node-2" }),
);

function pendingOn(known: readonly string[] = []): PendingChanges {
  return new PendingChanges("node-1", (key) => known.includes(key));
}

const eventsOf = (batches: readonly PendingBatch[]) => batches.flatMap((batch) => batch.events);
const names = (pending: PendingChanges) =>
  eventsOf(pending.take()).map((event) => (event.kind === "pod" || event.kind === "policy" ? event.key : event.name));

it("events are taken in the order of their arrival, with its time", () => {
  const pending = pendingOn();
  const pod = makePod("x", "10.0.0.1");
  pending.add([setPod(pod), setPolicy(policy)], 1);
  pending.add([removePod(pod)], 5);
  expect(pending.size).toBe(3);
  expect(pending.take()).toEqual([
    { events: [setPod(pod), setPolicy(policy)], arrivedAt: 1 },
    { events: [removePod(pod)], arrivedAt: 5 },
  ]);
  expect(pending.size).toBe(0);
  expect(pending.take()).toEqual([]);
});

describe("what comes first", () => {
  it("a new local pod does not wait behind a large relist", () => {
    const pending = pendingOn();
    pending.add([...remotePods.map(setPod), setPod(makePod("new", "10.0.0.1"))], 0);
    expect(names(pending)).toEqual(["a/new"]);
    expect(names(pending)).toHaveLength(600);
  });

  it("where everything is taken, everything is", () => {
    const pending = pendingOn();
    pending.add([...remotePods.map(setPod), setPod(makePod("new", "10.0.0.1"))], 0);
    expect(eventsOf(pending.takeAll())).toHaveLength(601);
    expect(pending.size).toBe(0);
  });

  it("a small batch stays whole", () => {
    const pending = pendingOn();
    pending.add([...remotePods.slice(0, 10).map(setPod), setPod(makePod("new", "10.0.0.1"))], 0);
    expect(names(pending)).toHaveLength(11);
  });

  it("a new local pod never comes before a policy that may protect it", () => {
    const pending = pendingOn();
    pending.add([...remotePods.map(setPod), setPod(makePod("new", "10.0.0.1")), setPolicy(policy)], 0);
    expect(names(pending)).toHaveLength(602);
  });

  it("a local pod that is known, and one of another node, wait with the others", () => {
    const pending = pendingOn(["a/old"]);
    pending.add([...remotePods.map(setPod), setPod(makePod("old", "10.0.0.1"))], 0);
    expect(names(pending)).toHaveLength(601);
  });

  it("a new local pod that is deleted again is not new any more", () => {
    const pending = pendingOn();
    const pod = makePod("new", "10.0.0.1");
    pending.add([...remotePods.map(setPod), setPod(pod)], 0);
    pending.add([removePod(pod)], 1);
    expect(names(pending)).toHaveLength(602);
  });

  it("a new local pod takes its earlier events along, in their order", () => {
    const pending = pendingOn();
    const pod = makePod("new", "10.0.0.1");
    const older = makePod("new", "10.0.0.9", { node: "node-2" });
    pending.add([setPod(older), ...remotePods.map(setPod)], 0);
    pending.add([removePod(older), setPod(pod)], 1);
    expect(pending.take()).toEqual([
      { events: [setPod(older)], arrivedAt: 0 },
      { events: [removePod(older), setPod(pod)], arrivedAt: 1 },
    ]);
    expect(names(pending)).toHaveLength(600);
    expect(pending.size).toBe(0);
  });
});
