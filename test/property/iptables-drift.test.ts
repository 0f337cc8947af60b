// What is said about a difference between what was found in iptables and what should be there, and what is done about it, agree: no
// sentence, no stage. And what random programs are called and commented fits into the kernel.

import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { describeDrift } from "../../src/backends/iptables/drift.ts";
import { IptablesBackend } from "../../src/backends/iptables/iptables-backend.ts";
import { MemoryKernelRules } from "../../src/backends/iptables/memory-kernel-rules.ts";
import { MAX_CHAIN_NAME, MAX_SET_NAME } from "../../src/backends/iptables/names.ts";
import { differenceTo } from "../../src/backends/iptables/repair.ts";
import { type IptablesRuleset, setsOfRule } from "../../src/backends/iptables/ruleset.ts";
import { splitName, tagged, taggedName } from "../../src/backends/iptables/set-tags.ts";
import type { Stage } from "../../src/backends/iptables/stages.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { FAMILIES } from "../../src/net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { comparableText, foundText } from "../support/comparable-iptables.ts";
import { rulesStage } from "../support/iptables-bench.ts";
import { checkProperty } from "../support/property.ts";
import { type ApiObject, cluster, crowdedCluster, NODES, storeOf, toYaml } from "../support/random-cluster.ts";

const OPTIONS = { ...DEFAULT_PROGRAM_OPTIONS, serviceProxy: "ipvs", unknownLocalPods: "drop" } as const;

function graphFor(objects: readonly ApiObject[]): RuleGraph {
  return new RuleGraph(storeOf(objects), NODES[0], OPTIONS);
}

function compile(objects: readonly ApiObject[]): IptablesRuleset {
  return compileRuleset(graphFor(objects).program());
}

function kernelWith(ruleset: IptablesRuleset): MemoryKernelRules {
  const kernel = new MemoryKernelRules();
  kernel.tamper(differenceTo(kernel.found(), ruleset).stages);
  return kernel;
}

/** Between two clusters, and between a cluster and what is left of it without one object. */
const pairs = fc
  .tuple(cluster, cluster, fc.nat(), fc.boolean())
  .map(([one, other, index, small]): [readonly ApiObject[], readonly ApiObject[]] =>
    small ? [one, one.filter((_, at) => at !== index % one.length)] : [one, other],
  );

const print = ([before, after]: readonly [readonly ApiObject[], readonly ApiObject[]]) =>
  `# found\n${toYaml(before)}# wanted\n---\n${toYaml(after)}`;

test("there is something to say exactly when there is something to do", () => {
  checkProperty(
    pairs,
    ([before, after]) => {
      const [current, desired] = [compile(before), compile(after)];
      const kernel = kernelWith(current);
      const { stages } = differenceTo(kernel.found(), desired);
      const sentences = describeDrift(kernel.found(), desired);
      expect(sentences.length > 0, sentences.join("\n")).toBe(stages.length > 0);
      kernel.tamper(stages);
      // With names as they are now: what differed was made anew.
      const { sets } = differenceTo(kernel.found(), desired);
      expect(
        describeDrift(
          kernel.found(),
          tagged(desired, (name) => sets.get(name)?.tag ?? 0),
        ),
      ).toEqual([]);
    },
    { runs: 300, print },
  );
});

/** What somebody may do to what is there; each does something, or nothing where there is nothing to do it to. */
const DAMAGES: readonly ((kernel: MemoryKernelRules, pick: number) => void)[] = [
  (kernel, pick) => kernel.insertForeign(FAMILIES[pick % 2] as 4 | 6, "FORWARD"),
  (kernel, pick) => kernel.flush(FAMILIES[pick % 2] as 4 | 6, "OUTPUT"),
  // Our jump once more, and another one.
  (kernel, pick) => {
    const family = FAMILIES[pick % 2] as 4 | 6;
    const { jumps } = kernel.found();
    kernel.tamper([rulesStage(family, { hook: jumps[family].map(({ rule }) => ({ chain: "INPUT", rule })) })]);
  },
  (kernel, pick) =>
    changeSet(kernel, pick, (set) => [
      { kind: "change-elements", changes: [{ set, action: "add", elements: ["203.0.113.9"] }] },
    ]),
  (kernel, pick) =>
    changeSet(kernel, pick, (set, elements) => [
      { kind: "change-elements", changes: [{ set, action: "del", elements }] },
    ]),
  // Left over, equal or not.
  (kernel, pick) => {
    const sets = [...kernel.found().ruleset.sets.values()].filter(({ name }) => !name.includes("."));
    const set = sets[pick % sets.length];
    if (set === undefined) return;
    const elements = pick % 3 === 0 ? new Set<string>() : set.elements;
    const name = taggedName(set.name, 1 + (pick % 40));
    if (!kernel.found().ruleset.sets.has(name))
      kernel.tamper([{ kind: "create-sets", sets: [{ ...set, name, elements }] }]);
  },
  (kernel, pick) => {
    const family = FAMILIES[pick % 2] as 4 | 6;
    const chains = [...kernel.found().ruleset.chains[family].values()].filter(({ name }) => name.startsWith("NFTPOL-"));
    const chain = chains[pick % chains.length];
    if (chain !== undefined)
      kernel.tamper([rulesStage(family, { write: [{ ...chain, rules: chain.rules.toReversed() }] })]);
  },
];

function changeSet(
  kernel: MemoryKernelRules,
  pick: number,
  change: (set: string, elements: string[]) => readonly Stage[],
): void {
  const sets = [...kernel.found().ruleset.sets.values()].filter(
    ({ type, family }) => type === "hash:ip" && family === 4,
  );
  const set = sets[pick % sets.length];
  if (set !== undefined) kernel.tamper(change(set.name, [...set.elements]));
}

test("after whatever others did, and over several agents, a verification says something exactly when it does something", async () => {
  const inputs = fc.sample(
    fc.tuple(
      cluster,
      fc.array(fc.tuple(fc.nat({ max: DAMAGES.length - 1 }), fc.nat({ max: 1000 }), fc.boolean()), {
        minLength: 1,
        maxLength: 6,
      }),
    ),
    { seed: 20261122, numRuns: 150 },
  );
  for (const [objects, damages] of inputs) {
    const graph = graphFor(objects);
    const expected = comparableText(compileRuleset(graph.program()));
    const kernel = new MemoryKernelRules();
    const agents = [new IptablesBackend(kernel), new IptablesBackend(kernel)];
    for (const agent of agents) await agent.install(graph.program());
    for (const [damage, pick, other] of damages) {
      DAMAGES[damage]?.(kernel, pick);
      const isDamaged = foundText(kernel.found()) !== expected;
      const agent = agents[other ? 1 : 0] as IptablesBackend;
      const { differences, repair } = await agent.verify();
      expect(differences.length > 0, differences.join("\n")).toBe(repair !== undefined);
      expect(repair?.how).toBe(repair === undefined ? undefined : "repaired");
      if (isDamaged) expect(differences).not.toEqual([]);
      expect(foundText(kernel.found())).toBe(expected);
      expect(await agent.verify()).toEqual({ differences: [], repair: undefined });
    }
  }
});

test("each set and chain that is made, refilled or removed is named", () => {
  checkProperty(
    pairs,
    ([before, after]) => {
      const desired = compile(after);
      const kernel = kernelWith(compile(before));
      const words = describeDrift(kernel.found(), desired).join("\n").split(/\s/);
      for (const stage of differenceTo(kernel.found(), desired).stages) {
        if (stage.kind === "create-sets")
          for (const { name } of stage.sets) expect(words).toContain(name.replace(/\..*/, ""));
        if (stage.kind === "destroy-sets") for (const name of stage.sets) expect(words).toContain(name);
        if (stage.kind !== "rules") continue;
        for (const { chain } of [...stage.hook, ...stage.unhook]) expect(words).toContain(chain);
        for (const name of stage.remove) expect(words).toContain(name);
        for (const { name, rules } of stage.write) {
          // A chain is written also where a set of its gets another name.
          const isRenamed = rules.flatMap(setsOfRule).some((set) => splitName(set).tag > 0);
          if (!isRenamed) expect(words).toContain(name);
        }
      }
    },
    { runs: 200, print },
  );
});

test("names, comments and prefixes of random programs fit into the kernel", () => {
  checkProperty(
    fc.oneof(cluster, crowdedCluster),
    (objects) => {
      const { chains, sets } = compile(objects);
      // A tag may come behind it.
      for (const name of sets.keys()) expect(name).toMatch(new RegExp(`^NFTPOL-[\\w-]{1,${MAX_SET_NAME - 4 - 7}}$`));
      for (const family of FAMILIES) {
        for (const { name, rules } of chains[family].values()) {
          expect(name).toMatch(new RegExp(`^(FORWARD|INPUT|OUTPUT|NFTPOL-[\\w-]{1,${MAX_CHAIN_NAME - 7}})$`));
          for (const { comment, target } of rules) {
            // XT_MAX_COMMENT_LEN and NF_LOG_PREFIXLEN with their final zeros.
            if (comment !== undefined) expect(comment).toMatch(/^[\x20-\x7e]{1,255}$/);
            if (target.kind === "log") expect(target.prefix).toMatch(/^[\x20-\x7e]{1,63}$/);
          }
        }
      }
    },
    { runs: 300, print: toYaml },
  );
});
