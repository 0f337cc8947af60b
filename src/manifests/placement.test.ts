import { describe, expect, it } from "vitest";
import { type Node, type Pod, podKey } from "../model/cluster.ts";
import { MADE_UP_NODE, placePods, placePodsOfAgent } from "./placement.ts";

const position = { file: "x" };

function pod(name: string, nodeName?: string): Pod {
  const common = { namespace: "a", name, labels: {}, hostNetwork: false, finished: false, addresses: [] };
  const rest = { hostAddresses: [], ports: [], startedAt: "", createdAt: "", workload: name, position };
  return { key: podKey("a", name), nodeName, ...common, ...rest };
}

function node(name: string): Node {
  return { name, labels: {}, addresses: [], podCidrs: [], position };
}

function place(pods: readonly Pod[], nodes: readonly Node[], wanted?: string): unknown {
  const placed = placePods(pods, nodes, wanted);
  return { ...placed, pods: placed.pods.map((each) => each.nodeName) };
}

describe("pods that name no node", () => {
  it.each([
    ["are on a made-up one when nobody names any", [pod("p")], [], undefined, [MADE_UP_NODE], [MADE_UP_NODE]],
    ["are on the one that is asked for", [pod("p")], [], "mine", ["mine"], ["mine"]],
    ["are on the only Node object", [pod("p")], [node("n")], undefined, ["n"], ["n"]],
    ["are never on a node that does not exist", [pod("p")], [node("n")], "mine", ["n"], ["n"]],
    ["are on the Node object that is asked for", [pod("p")], [node("n"), node("m")], "m", ["m"], ["m", "n"]],
    [
      "are on a made-up one beside several Node objects",
      [pod("p")],
      [node("n"), node("m")],
      undefined,
      [MADE_UP_NODE],
      ["m", "n", MADE_UP_NODE],
    ],
    ["are where the others are", [pod("p"), pod("q", "n")], [], undefined, ["n", "n"], ["n"]],
    [
      "are where the others are, whichever is asked for",
      [pod("p"), pod("q", "n")],
      [node("m")],
      "m",
      ["n", "n"],
      ["m", "n"],
    ],
  ])("%s", (_, pods, nodes, wanted, placedOn, nodeNames) => {
    expect(place(pods, nodes, wanted)).toEqual({ pods: placedOn, nodeNames, unplaced: 0 });
  });

  it("are on none where others are on several", () => {
    const pods = [pod("p"), pod("q", "n"), pod("r", "m")];
    expect(place(pods, [], "n")).toEqual({ pods: [undefined, "n", "m"], nodeNames: ["m", "n"], unplaced: 1 });
  });
});

describe("for the agent of a node, pods that name no node", () => {
  it.each<[string, readonly Pod[], readonly Node[], boolean, (string | undefined)[], string[]]>([
    ["are on it when nobody names any", [pod("p")], [], false, ["own"], []],
    ["are on it when it is one of the Node objects", [pod("p")], [node("own"), node("m")], false, ["own"], []],
    ["are on it beside a pod that is there", [pod("p"), pod("q", "own")], [], false, ["own", "own"], []],
    [
      "are on it beside a pod of another node",
      [pod("p"), pod("q", "n2")],
      [node("own")],
      false,
      ["own", "n2"],
      ["a/p"],
    ],
    ["stay on it when a pod of another node comes", [pod("p"), pod("q", "n2")], [], true, ["own", "n2"], ["a/p"]],
    ["stay on it when Node objects of others come", [pod("p")], [node("n2")], true, ["own"], ["a/p"]],
    [
      "stay when pods are on several",
      [pod("p"), pod("q", "n2"), pod("r", "n3")],
      [],
      true,
      ["own", "n2", "n3"],
      ["a/p"],
    ],
    ["are elsewhere when only others are named", [pod("p"), pod("q", "n2")], [], false, ["n2", "n2"], ["a/p"]],
    [
      "are nowhere when several others are named",
      [pod("p"), pod("q", "n2"), pod("r", "n3")],
      [],
      false,
      [undefined, "n2", "n3"],
      ["a/p"],
    ],
  ])("%s", (_, pods, nodes, wasHere, placedOn, doubtful) => {
    const placed = placePodsOfAgent(pods, nodes, "own", wasHere);
    expect(placed.pods.map(({ nodeName }) => nodeName)).toEqual(placedOn);
    expect([...placed.doubtful]).toEqual(doubtful);
  });
});
