import { expect, it } from "vitest";
import { RuleGraph } from "../graph/rule-graph.ts";
import { type CidrBlock, parseCidr } from "../net/cidr.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../program/program.ts";
import type { ClusterEvent } from "../state/change.ts";
import { ClusterStore } from "../state/store.ts";
import { createLog } from "./log.ts";
import { StrictStartEffect } from "./strict-start-effect.ts";

const node = (...podCidrs: string[]): ClusterEvent => ({
  kind: "node",
  name: "n1",
  node: {
    name: "n1",
    labels: {},
    addresses: [],
    podCidrs: podCidrs.map((text) => parseCidr(text)?.block as CidrBlock),
    position: { file: "" },
  },
});

function start(unknownLocalPods: "allow" | "drop") {
  const logged: string[] = [];
  const options = { ...DEFAULT_PROGRAM_OPTIONS, unknownLocalPods };
  const graph = new RuleGraph(new ClusterStore(), "n1", options);
  const log = createLog("info", "n1", (line) => {
    const { level, msg } = JSON.parse(line);
    logged.push(`${level}: ${msg}`);
  });
  const effect = new StrictStartEffect({ nodeName: "n1", graph, options, log });
  let isFirst = true;
  const commit = (...events: readonly ClusterEvent[]) => {
    for (const event of events) graph.apply(event);
    const delta = graph.flush();
    effect.committed(isFirst ? undefined : delta);
    isFirst = false;
  };
  return { effect, logged, commit };
}

it("a node without pod CIDRs: it is logged when that begins and when it ends, once each", () => {
  const { effect, logged, commit } = start("drop");
  expect(effect.problem).toBeUndefined();
  commit();
  commit(node());
  expect(effect.problem).toBe("--unknown-local-pods=drop closes nothing: Node n1 has no pod CIDRs (spec.podCIDRs)");
  expect(logged).toEqual(["warn: --unknown-local-pods=drop closes nothing: the Node has no pod CIDRs"]);
  commit(node("10.0.0.0/24"));
  commit();
  expect(effect.problem).toBeUndefined();
  expect(logged.slice(1)).toEqual(["info: --unknown-local-pods=drop closes the node's pod CIDRs"]);
});

it("a node with pod CIDRs from the beginning is no news", () => {
  const { effect, logged, commit } = start("drop");
  commit(node("10.0.0.0/24"));
  expect({ problem: effect.problem, logged }).toEqual({ problem: undefined, logged: [] });
});

it("without strict start there is nothing to close", () => {
  const { effect, logged, commit } = start("allow");
  commit(node());
  expect({ problem: effect.problem, logged }).toEqual({ problem: undefined, logged: [] });
});
