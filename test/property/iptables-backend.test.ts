// The iptables backend under everything at once: changes of the cluster, writes and reads that fail somewhere, others' hands, agents that
// start anew. As soon as nothing fails any more, one call brings the kernel where a fresh compile says, and a delta is enough from then on.

import fc from "fast-check";
import { expect, test } from "vitest";
import { BackendError } from "../../src/backends/backend.ts";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { IptablesBackend } from "../../src/backends/iptables/iptables-backend.ts";
import { MemoryKernelRules } from "../../src/backends/iptables/memory-kernel-rules.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { FAMILIES } from "../../src/net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../src/program/program.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { comparableText, foundText } from "../support/comparable-iptables.ts";
import {
  type ApiObject,
  eventOf,
  NODES,
  namespaceObject,
  nodeObject,
  podObject,
  policyObject,
  removalOf,
} from "../support/random-cluster.ts";

const OPTIONS: ProgramOptions = { ...DEFAULT_PROGRAM_OPTIONS, unknownLocalPods: "drop" };

type Action =
  | { readonly kind: "change"; readonly object: ApiObject; readonly remove: boolean }
  | { readonly kind: "apply" | "verify" | "restart" | "refuse" | "no-read" }
  | { readonly kind: "die"; readonly stages: number }
  | { readonly kind: "flush" | "insert" | "empty" | "hold"; readonly pick: number };

const pick = fc.nat({ max: 1000 });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("change" as const),
      object: fc.oneof(
        { weight: 5, arbitrary: podObject },
        { weight: 3, arbitrary: policyObject },
        { weight: 1, arbitrary: namespaceObject },
        { weight: 1, arbitrary: nodeObject },
      ),
      remove: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    }),
  },
  { weight: 6, arbitrary: fc.constant({ kind: "apply" as const }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("verify" as const, "restart" as const, "refuse" as const, "no-read" as const)
      .map((kind) => ({ kind })),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("die" as const), stages: fc.nat({ max: 6 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("flush" as const, "insert" as const, "empty" as const, "hold" as const),
      pick,
    }),
  },
);

/** A program that fails is an error of the boundary; anything else is a mistake of ours. */
async function survive(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!(error instanceof BackendError)) throw error;
  });
}

test("whatever failed and whoever meddled, the next call without failure puts all right", async () => {
  const seed = Number(process.env.NFTPOL_SEED ?? 20261122);
  const numRuns = 200 * Number(process.env.NFTPOL_RUNS ?? 1);
  for (const [run, actions] of fc
    .sample(fc.array(action, { minLength: 10, maxLength: 60 }), { seed, numRuns })
    .entries()) {
    const graph = new RuleGraph(new ClusterStore(), NODES[0], OPTIONS);
    const kernel = new MemoryKernelRules();
    graph.flush();
    let backend = new IptablesBackend(kernel);
    await backend.install(graph.program());
    const held: string[] = [];
    for (const each of actions) {
      const sets = [...kernel.found().ruleset.sets.keys()];
      switch (each.kind) {
        case "change":
          graph.apply(each.remove ? removalOf(each.object) : eventOf(each.object));
          break;
        case "apply":
          await survive(backend.apply(graph.flush()));
          break;
        case "verify":
          await survive(backend.verify());
          break;
        case "restart":
          backend = new IptablesBackend(kernel);
          graph.flush();
          await survive(backend.install(graph.program()));
          break;
        case "refuse":
          kernel.failWrite({ kind: "refuse" });
          break;
        case "no-read":
          kernel.failRead({ kind: "refuse" });
          break;
        case "die":
          kernel.failWrite({ kind: "die", stagesDone: each.stages });
          break;
        case "flush":
          kernel.flush(FAMILIES[each.pick % 2] as 4 | 6, "FORWARD");
          break;
        case "insert":
          kernel.insertForeign(FAMILIES[each.pick % 2] as 4 | 6, "FORWARD");
          break;
        case "empty": {
          const name = sets[each.pick % sets.length] ?? "";
          const elements = [...(kernel.found().ruleset.sets.get(name)?.elements ?? [])];
          if (elements.length > 0)
            kernel.tamper([{ kind: "change-elements", changes: [{ set: name, action: "del", elements }] }]);
          break;
        }
        case "hold": {
          const name = sets[each.pick % sets.length] ?? "";
          kernel.hold(name);
          held.push(name);
        }
      }
    }
    kernel.heal();
    for (const name of held) kernel.hold(name, false);
    const expected = () => comparableText(compileRuleset(graph.program()));
    await backend.apply(graph.flush());
    await backend.verify();
    expect({ run, rules: foundText(kernel.found()) }).toEqual({ run, rules: expected() });
    expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
    for (const { object } of actions.filter((each) => each.kind === "change").slice(0, 3)) {
      graph.apply(removalOf(object));
      expect(["delta", "unchanged"]).toContain((await backend.apply(graph.flush())).how);
      expect({ run, rules: foundText(kernel.found()) }).toEqual({ run, rules: expected() });
    }
  }
});
