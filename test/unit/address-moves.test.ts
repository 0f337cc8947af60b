// Addresses that move between pods and nodes within one event: what the graph dispatches afterwards is what a fresh one would.

import { expect, it } from "vitest";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { type ApiObject, eventOf, storeOf } from "../support/random-cluster.ts";

const policy: ApiObject = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "closed", namespace: "x" },
  spec: { podSelector: {} },
};
const pod = (name: string, nodeName: string, day: string, ...ips: readonly string[]): ApiObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "x" },
  spec: { nodeName, containers: [] },
  status: { phase: "Running", startTime: `2026-01-${day}T00:00:00Z`, podIPs: ips.map((ip) => ({ ip })) },
});

it("an address that a pod takes over while it moves to another node is not dispatched here any more", () => {
  const older = pod("older", "n1", "01", "10.0.0.2");
  const graph = new RuleGraph(
    storeOf([policy, older, pod("mover", "n1", "02", "10.0.0.1")]),
    "n1",
    DEFAULT_PROGRAM_OPTIONS,
  );
  expect([...graph.program().dispatch.keys()].sort()).toEqual(["10.0.0.1", "10.0.0.2"]);
  graph.apply(eventOf(pod("mover", "n2", "02", "10.0.0.2")));
  expect([...graph.program().dispatch.keys()]).toEqual([]);
});

it("an address that a pod takes over while it moves here is dispatched by its own policies", () => {
  const older = pod("older", "n2", "01", "10.0.0.2");
  const graph = new RuleGraph(
    storeOf([policy, older, pod("mover", "n2", "02", "10.0.0.1")]),
    "n1",
    DEFAULT_PROGRAM_OPTIONS,
  );
  graph.apply(eventOf(pod("mover", "n1", "02", "10.0.0.2")));
  expect([...graph.program().dispatch.keys()]).toEqual(["10.0.0.2"]);
});
