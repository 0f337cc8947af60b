// In process: one event on a large cluster, from the decoded object to the text of its transaction. Beside it, in the
// same rounds, a fresh compile and diff of the whole: what the event would cost without the incremental way.

import { cpus, release } from "node:os";
import { compileRuleset } from "../src/backends/nft/compile.ts";
import { diffRulesets } from "../src/backends/nft/diff.ts";
import { RulesetTracker } from "../src/backends/nft/tracker.ts";
import { renderTransaction } from "../src/backends/nft/transaction.ts";
import { textlessSource } from "../src/dialects/object-source.ts";
import { decodeObject } from "../src/dialects/registry.ts";
import { RuleGraph } from "../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../src/program/program.ts";
import type { ClusterEvent } from "../src/state/change.ts";
import { ClusterStore } from "../src/state/store.ts";
import { LARGE, LOCAL_NODE, largeCluster, largePod } from "./large-cluster.ts";

function eventOf(object: unknown): ClusterEvent {
  const decoded = decodeObject(object, textlessSource("bench"));
  if (decoded.type === "pod" && decoded.object !== undefined)
    return { kind: "pod", key: decoded.object.key, pod: decoded.object };
  if (decoded.type === "namespace" && decoded.object !== undefined)
    return { kind: "namespace", name: decoded.object.name, namespace: decoded.object };
  if (decoded.type === "policy" && decoded.object !== undefined)
    return { kind: "policy", key: decoded.object.key, policy: decoded.object };
  throw new Error(`cannot decode ${JSON.stringify(object)}`);
}

const store = new ClusterStore();
const objects = largeCluster();
const startedAt = performance.now();
for (const object of objects) store.apply(eventOf(object));
const graph = new RuleGraph(store, LOCAL_NODE, DEFAULT_PROGRAM_OPTIONS);
const tracker = new RulesetTracker(graph.program());
graph.flush();
const firstSyncMs = performance.now() - startedAt;

const policies = objects.filter((object) => object.kind === "NetworkPolicy");
const kinds: Readonly<Record<string, (round: number) => readonly unknown[]>> = {
  "remote pod relabelled": (round) => [largePod(500 + round, { version: String(round) })],
  "remote pod moves between selections": (round) => [
    {
      ...largePod(500 + round),
      metadata: { ...largePod(500 + round).metadata, labels: { app: "app-9", tier: "tier-2" } },
    },
  ],
  "remote pod back": (round) => [largePod(500 + round)],
  "local pod relabelled": (round) => [largePod(round % LARGE.localPods, { version: String(round) })],
  "policy set again": (round) => [policies[(round * 100) % policies.length]],
};

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] as number;
}

const ROUNDS = 400;
const times = new Map<string, number[]>(Object.keys(kinds).map((name) => [name, []]));
const fresh: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, make] of Object.entries(kinds)) {
    const events = make(round).map(eventOf);
    const begin = performance.now();
    for (const event of events) graph.apply(event);
    renderTransaction(tracker.update(graph.flush()));
    if (round >= 50) times.get(name)?.push(performance.now() - begin);
  }
  if (round % 80 === 0) {
    const begin = performance.now();
    const whole = compileRuleset(new RuleGraph(store, LOCAL_NODE, DEFAULT_PROGRAM_OPTIONS).program());
    renderTransaction(diffRulesets(tracker.ruleset(), whole));
    fresh.push(performance.now() - begin);
  }
}
const wholeMs = quantile(fresh, 0.5);
const results = [...times].map(([event, list]) => ({
  event,
  p50Ms: quantile(list, 0.5),
  p99Ms: quantile(list, 0.99),
  wholeOverP50: wholeMs / quantile(list, 0.5),
}));
const { classes, sets } = graph.program();
console.log(
  JSON.stringify(
    {
      bench: "events",
      cluster: LARGE,
      node: process.version,
      kernel: release(),
      cpus: cpus().length,
      classes: classes.size,
      sets: sets.size,
      firstSyncMs,
      wholeCompileAndDiffMs: wholeMs,
      results,
    },
    undefined,
    2,
  ),
);
