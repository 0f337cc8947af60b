// Which addresses are closed, and what of it a flush hands out.

import { describe, expect, it } from "vitest";
import { type Node, type Pod, podKey } from "../model/cluster.ts";
import type { Address } from "../net/address.ts";
import { type CidrBlock, parseCidr } from "../net/cidr.ts";
import type { ClusterEvent } from "../state/change.ts";
import { ClusterStore } from "../state/store.ts";
import { ClosedTracker } from "./closed-tracker.ts";

const position = { file: "test" };

function setNode(name: string, ...podCidrs: readonly string[]): ClusterEvent {
  const blocks = podCidrs.map((text) => parseCidr(text)?.block as CidrBlock);
  const node: Node = { name, labels: {}, addresses: [], podCidrs: blocks, position };
  return { kind: "node", name, node };
}

function setPod(name: string, addresses: readonly string[], parts: Partial<Pod> = {}): ClusterEvent {
  const pod: Pod = {
    key: podKey("x", name),
    namespace: "x",
    name,
    labels: {},
    nodeName: "n1",
    hostNetwork: false,
    finished: false,
    hostAddresses: [],
    ports: [],
    startedAt: "",
    createdAt: "",
    workload: `Pod/${name}`,
    position,
    addresses: addresses as Address[],
    ...parts,
  };
  return { kind: "pod", key: pod.key, pod };
}

const removePod = (name: string): ClusterEvent => ({ kind: "pod", key: podKey("x", name), pod: undefined });
const removeNode = (name: string): ClusterEvent => ({ kind: "node", name, node: undefined });

interface Told {
  readonly blocks: readonly string[] | undefined;
  readonly known: readonly string[];
  readonly unknown: readonly string[];
}

/** A tracker of n1 that has told everything up to these events. */
function trackerAfter(...events: readonly ClusterEvent[]) {
  const store = new ClusterStore();
  for (const event of events) store.apply(event);
  const tracker = new ClosedTracker(store, "n1");
  tracker.flush();
  return {
    closed: () => textOf(tracker.closed()),
    /** What is told after these events, all in one batch. */
    flushAfter: (...more: readonly ClusterEvent[]) => {
      for (const event of more) for (const change of store.apply(event)) tracker.apply(change);
      const delta = tracker.flush();
      return delta && { ...delta, blocks: delta.blocks?.map((block) => block.text) };
    },
  };
}

function textOf({ blocks, known }: ReturnType<ClosedTracker["closed"]>) {
  return { blocks: blocks.map((block) => block.text), known: [...known].sort() };
}

describe("closed are", () => {
  it.each<[string, ClusterEvent[], { blocks: string[]; known: string[] }]>([
    ["no addresses of a node that nobody defines", [setPod("a", ["10.1.0.5"])], { blocks: [], known: [] }],
    [
      "the pod CIDRs of this node, IPv4 first, and of no other",
      [setNode("n1", "fd00:1::/64", "10.1.0.0/24"), setNode("n2", "10.2.0.0/24")],
      { blocks: ["10.1.0.0/24", "fd00:1::/64"], known: [] },
    ],
    [
      "overlapping and neighbouring blocks as one",
      [setNode("n1", "10.1.1.0/24", "10.1.0.0/24", "10.1.0.0/28")],
      { blocks: ["10.1.0.0/23"], known: [] },
    ],
    [
      "not those of pods, isolated or not, on whatever node; addresses outside of the blocks are not kept",
      [
        setNode("n1", "10.1.0.0/24", "fd00:1::/64"),
        setPod("here", ["10.1.0.5", "fd00:1::5"]),
        setPod("there", ["10.1.0.6"], { nodeName: "n2" }),
        setPod("elsewhere", ["10.2.0.5", "fd00:2::5"], { nodeName: "n2" }),
      ],
      { blocks: ["10.1.0.0/24", "fd00:1::/64"], known: ["10.1.0.5", "10.1.0.6", "fd00:1::5"] },
    ],
    [
      "those of finished and of hostNetwork pods",
      [
        setNode("n1", "10.1.0.0/24"),
        setPod("done", ["10.1.0.5"], { finished: true }),
        setPod("host", ["10.1.0.6"], { hostNetwork: true }),
      ],
      { blocks: ["10.1.0.0/24"], known: [] },
    ],
  ])("%s", (_, events, expected) => {
    expect(trackerAfter(...events).closed()).toEqual(expected);
    const oneByOne = trackerAfter();
    oneByOne.flushAfter(...events);
    expect(oneByOne.closed()).toEqual(expected);
  });
});

describe("a flush tells", () => {
  const start = [setNode("n1", "10.1.0.0/24"), setPod("a", ["10.1.0.5"])];

  it("at first, what is closed and what is known", () => {
    expect(trackerAfter().flushAfter(...start)).toEqual({ blocks: ["10.1.0.0/24"], known: ["10.1.0.5"], unknown: [] });
  });

  it.each<[string, ClusterEvent[], Told | undefined]>([
    ["a new pod's address", [setPod("b", ["10.1.0.6"])], { blocks: undefined, known: ["10.1.0.6"], unknown: [] }],
    ["the address of a pod that is gone", [removePod("a")], { blocks: undefined, known: [], unknown: ["10.1.0.5"] }],
    [
      "the address of a pod that has finished",
      [setPod("a", ["10.1.0.5"], { finished: true })],
      { blocks: undefined, known: [], unknown: ["10.1.0.5"] },
    ],
    [
      "both addresses when a pod gets another one",
      [setPod("a", ["10.1.0.7"])],
      { blocks: undefined, known: ["10.1.0.7"], unknown: ["10.1.0.5"] },
    ],
    [
      "other blocks, with the addresses that are in none of them any more",
      [setNode("n1", "10.3.0.0/24")],
      { blocks: ["10.3.0.0/24"], known: [], unknown: ["10.1.0.5"] },
    ],
    ["the node that is gone", [removeNode("n1")], { blocks: [], known: [], unknown: ["10.1.0.5"] }],
    ["nothing of other nodes", [setNode("n2", "10.1.0.0/24"), removeNode("n2")], undefined],
    ["nothing of other labels of a pod", [setPod("a", ["10.1.0.5"], { labels: { app: "web" } })], undefined],
    ["nothing of an address that moves to another pod", [setPod("b", ["10.1.0.5"]), removePod("a")], undefined],
    ["nothing of a pod that came and went", [setPod("b", ["10.1.0.6"]), removePod("b")], undefined],
    ["nothing of blocks that came back", [setNode("n1", "10.3.0.0/24"), setNode("n1", "10.1.0.0/24")], undefined],
    ["nothing of the same blocks in other words", [setNode("n1", "10.1.0.128/25", "10.1.0.0/25")], undefined],
    ["nothing of pods outside of the blocks", [setPod("b", ["10.2.0.6"])], undefined],
  ])("%s", (_, events, expected) => {
    const tracker = trackerAfter(...start);
    expect(tracker.flushAfter(...events)).toEqual(expected);
    expect(tracker.flushAfter()).toBeUndefined();
  });
});
