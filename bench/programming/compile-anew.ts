// What a change would cost without the incremental way: the whole program from the state, its table, the difference to the one before,
// and the text of that.

import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { diffRulesets } from "../../src/backends/nft/diff.ts";
import { renderTransaction } from "../../src/backends/nft/transaction.ts";
import { textlessSource } from "../../src/dialects/object-source.ts";
import { decodeObject } from "../../src/dialects/registry.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { median } from "../packets/statistics.ts";
import { type ClusterSize, LOCAL_NODE, resourceLists } from "./cluster.ts";
import { clusterEvent } from "./cluster-event.ts";

const TIMES = 5;

/** Milliseconds, the median of some. */
export function compileAnewMs(size: ClusterSize): number {
  const store = new ClusterStore();
  for (const { objects } of resourceLists(size)) {
    for (const object of objects()) store.apply(clusterEvent(decodeObject(object, textlessSource("bench")), false));
  }
  const whole = () => compileRuleset(new RuleGraph(store, LOCAL_NODE, DEFAULT_PROGRAM_OPTIONS).program());
  const before = whole();
  return median(
    Array.from({ length: TIMES }, () => {
      const begin = performance.now();
      renderTransaction(diffRulesets(before, whole()));
      return performance.now() - begin;
    }),
  );
}
