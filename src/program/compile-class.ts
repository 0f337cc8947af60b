// Policies -> class: what a class says, in canonical order, with content-addressed names. Pure; knows no pods,
// only which sets of pods and nodes are needed. The rule graph keeps those sets filled.

import { type Direction, type Policy, policyReference, TIERS, type Tier } from "../model/policy.ts";
import type { Family } from "../net/address.ts";
import { contentHash, nameHint } from "./hash.ts";
import type { ClassId, PolicyClass, Section, SetDefinition, SetId } from "./program.ts";
import { compileRun, isEmptyRun, type PortResolver, type RuleOfPolicy } from "./rule-runs.ts";

export interface CompiledClass {
  readonly policyClass: PolicyClass;
  /** Every set that the class refers to, by id. */
  readonly sets: ReadonlyMap<SetId, SetDefinition>;
}

/**
 * The class of pods that exactly these policies judge. `policies` in the order in which they are asked.
 * `resolve` is asked for ingress only: there the port names are the subject's own.
 */
export function compileClass(
  direction: Direction,
  family: Family,
  policies: readonly Policy[],
  resolve: PortResolver,
): CompiledClass {
  const sets = new Map<SetId, SetDefinition>();
  const context = { direction, family, resolve, sets };
  const sections: Section[] = [];
  for (const tier of TIERS) {
    const own = policies.filter((policy) => policy.tier === tier);
    if (own.length === 0) continue;
    const section = tier === "namespace" ? namespaceSection(own) : orderedSection(tier, own);
    if (tier === "namespace" || section.runs.length > 0) sections.push(section);
    if (decidesEverything(section)) break;
  }
  const names = policies.map(policyReference);
  const identity = JSON.stringify([direction, family, policies.map((policy) => policy.key), sections], (_, value) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  const id = `${direction}${family}_${classHint(policies)}_${contentHash(identity)}` as ClassId;
  return { policyClass: { id, direction, family, policies: names, sections }, sets };

  function namespaceSection(own: readonly Policy[]): Section {
    return { tier: "namespace", runs: [compileRun("allow", rulesOf(own, direction), context)] };
  }

  function orderedSection(tier: Tier, own: readonly Policy[]): Section {
    const runs = [];
    for (const rules of runsOf(rulesOf(own, direction))) {
      const run = compileRun((rules[0] as RuleOfPolicy).rule.action, rules, context);
      if (isEmptyRun(run)) continue;
      runs.push(run);
      if (run.matchesEverything) break;
    }
    return { tier, runs };
  }
}

/** NetworkPolicy's decision is final for the pods that it isolates. Elsewhere what is passed on before the last rule comes further. */
function decidesEverything({ tier, runs }: Section): boolean {
  if (tier === "namespace") return true;
  return runs.at(-1)?.matchesEverything === true && runs.every(({ action }) => action !== "pass");
}

function rulesOf(policies: readonly Policy[], direction: Direction): RuleOfPolicy[] {
  return policies.flatMap((policy) => policy.rules[direction].map((rule) => ({ policy, rule })));
}

/** Neighbours with one action together: whichever of them matches, the outcome is the same. */
function runsOf(rules: readonly RuleOfPolicy[]): RuleOfPolicy[][] {
  const runs: RuleOfPolicy[][] = [];
  for (const each of rules) {
    const last = runs.at(-1);
    if (last?.[0]?.rule.action === each.rule.action) last.push(each);
    else runs.push([each]);
  }
  return runs;
}

function classHint([first, ...more]: readonly Policy[]): string {
  if (first === undefined) return "";
  const hint = nameHint(
    first.namespace === undefined ? `${initials(first.kind)}.${first.name}` : policyReference(first),
  );
  return more.length > 0 ? `${hint}_and${more.length}` : hint;
}

/** kubectl's short names are the initials: `cnp`, `anp`, `banp`. */
function initials(kind: string): string {
  return kind.replace(/[^A-Z]/g, "").toLowerCase();
}
