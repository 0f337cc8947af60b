import { expect, it } from "vitest";
import { makePod, setPod } from "../../test/support/model-objects.ts";
import type { ClusterEvent } from "../state/change.ts";
import { OwnNode } from "./own-node.ts";

const node = (name: string): ClusterEvent => ({
  kind: "node",
  name,
  node: { name, labels: {}, addresses: [], podCidrs: [], position: { file: "" } },
});
const podOn = (name: string) => setPod(makePod("p", "10.0.0.1", { node: name }));
const gone: ClusterEvent = { kind: "node", name: "here", node: undefined };

it.each<[string, readonly ClusterEvent[], boolean]>([
  ["a cluster that says nothing of nodes", [], false],
  ["the Node object", [node("there"), node("here")], false],
  ["a pod on it", [podOn("there"), podOn("here")], false],
  ["another node", [node("there")], true],
  ["a pod on another node", [podOn("there")], true],
  ["a Node that is gone", [node("there"), gone], true],
  [
    "another node that is gone, too: all that is left is doubt",
    [node("there"), { kind: "node", name: "there", node: undefined }],
    true,
  ],
])("%s: is the name a problem?", (_name, events, expected) => {
  const own = new OwnNode("here");
  own.take(events.map((event) => ({ event, diagnostics: [], uid: "" })));
  expect(own.problem !== undefined).toBe(expected);
});

it.each<[string, readonly ClusterEvent[], string]>([
  ["Nodes, in the order of their names", [podOn("of-pod"), node("b"), node("a")], "a, b"],
  ["three at most", [node("d"), node("c"), node("b"), node("a")], "a, b, c and 1 more"],
  ["none that is gone", [node("a"), node("b"), { kind: "node", name: "a", node: undefined }], "b"],
  ["nodes of pods where there are no Nodes", [podOn("of-pod")], "of-pod"],
])("the problem names %s", (_name, events, names) => {
  const own = new OwnNode("here");
  own.take(events.map((event) => ({ event, diagnostics: [], uid: "" })));
  expect(own.problem).toBe(
    `neither a Node nor a pod of the cluster has the node name here (there are: ${names}): nothing is written, rules of before stay; see --node-name, NODE_NAME`,
  );
});

it("what is known stays known", () => {
  const own = new OwnNode("here");
  for (const event of [node("there"), node("here"), gone]) own.take([{ event, diagnostics: [], uid: "" }]);
  expect(own.problem).toBeUndefined();
});
