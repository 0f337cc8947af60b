import { describe, expect, it } from "vitest";
import { textlessSource } from "../../src/dialects/object-source.ts";
import { decodeObject } from "../../src/dialects/registry.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS, isEmptyDelta, type NodeProgram } from "../../src/program/program.ts";
import type { ClusterEvent } from "../../src/state/change.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { CHANGE_KINDS, changeOf, WITHOUT_EFFECT } from "./changes.ts";
import { type ApiObject, LOCAL_NODE, LOCAL_PODS, resourceLists, WAVE_PODS } from "./cluster.ts";
import { clusterEvent } from "./cluster-event.ts";

const SIZE = { pods: 1_000, policies: 100 };
const ROUNDS = 12;

function clusterGraph(): RuleGraph {
  const graph = new RuleGraph(new ClusterStore(), LOCAL_NODE, DEFAULT_PROGRAM_OPTIONS);
  for (const { objects } of resourceLists(SIZE)) for (const object of objects()) graph.apply(eventOf(object));
  graph.flush();
  return graph;
}

function eventOf(object: ApiObject, isRemoval = false): ClusterEvent {
  return clusterEvent(decodeObject(object, textlessSource("bench")), isRemoval);
}

function contents({ classes, sets, dispatch }: NodeProgram): unknown {
  const elements = [...sets].map(([id, set]) => [id, [...set.elements].sort()] as const);
  return { classes: [...classes.keys()].sort(), elements: Object.fromEntries(elements), dispatch: new Map(dispatch) };
}

describe("the changes of a round", () => {
  const graph = clusterGraph();
  const before = contents(graph.program());

  it("meet a node with its pods", () => {
    expect([...graph.localPods()]).toHaveLength(LOCAL_PODS);
  });

  it("each change the program in every round, but those that are to change nothing", () => {
    for (let round = 0; round < ROUNDS; round++) {
      for (const kind of CHANGE_KINDS) {
        const { type, object } = changeOf(kind, round);
        graph.apply(eventOf(object, type === "DELETED"));
        const what = `${kind}, round ${round}`;
        expect([what, isEmptyDelta(graph.flush())]).toEqual([what, WITHOUT_EFFECT.has(kind)]);
      }
    }
  });

  it("leave the program as it was", () => {
    expect(contents(graph.program())).toEqual(before);
  });

  it("move a thousand pods from set to set with their namespace", () => {
    graph.apply(eventOf(changeOf("namespace of 1,000 pods relabelled", 0).object));
    const { elements } = graph.flush();
    const moved = elements.flatMap(({ removed }) => removed);
    expect(new Set(moved).size).toBe(WAVE_PODS);
    expect(moved.sort()).toEqual(elements.flatMap(({ added }) => added).sort());
  });
});
