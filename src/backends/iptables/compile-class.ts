// One class of the program -> its chains:
//
//   <class>        the first section: its runs in order
//   section        a later one, reached when the one before passes or has nothing to say
//   rest           what follows the look-up by port in the same section
//   bucket, group  of the look-up by port (port-tree.ts)
//   deny           of a section: what is never blocked, then log, count, drop
//
// Between these chains only `-g` is used, so RETURN leaves the class: allowed here, the packet goes on.

import type { Tier } from "../../model/policy.ts";
import type { ClassId, PolicyClass, ProgramOptions, RuleRun, Section } from "../../program/program.ts";
import { listComment, safeComment } from "../comment.ts";
import { chain, goto, RETURN, rule } from "./build.ts";
import { logAndDrop, neverBlocked } from "./deny.ts";
import { classChain, logName, partChain } from "./names.ts";
import { portTree } from "./port-tree.ts";
import type { Chain, IpSet, Rule, Target } from "./ruleset.ts";
import { portlessRules, portRules, type Sets } from "./run-rules.ts";

/** IPVS leaves no mark on what it translated. */
export type ServiceTranslation = Pick<ProgramOptions, "serviceProxy">;

export interface ClassChains {
  readonly chains: readonly Chain[];
  /** Of CIDR blocks. Sets that equal those of other classes have equal names. */
  readonly sets: readonly IpSet[];
}

export function compileClassChains(policyClass: PolicyClass, options: ServiceTranslation): ClassChains {
  const sets: Sets = new Map();
  const { sections } = policyClass;
  const nameOf = (index: number) => sectionName(policyClass, sections[index] as Section, index);
  const chains = sections.flatMap((section, index) => {
    const next = index + 1 < sections.length ? goto(nameOf(index + 1)) : undefined;
    return sectionChains(nameOf(index), section, next, { policyClass, options, sets });
  });
  return { chains: chains.length > 0 ? chains : [chain(classChain(policyClass.id), [])], sets: [...sets.values()] };
}

function sectionName({ id }: PolicyClass, { tier }: Section, index: number): string {
  return index === 0 ? classChain(id) : partChain(id, tier);
}

interface ClassContext {
  readonly policyClass: PolicyClass;
  readonly options: ServiceTranslation;
  readonly sets: Sets;
}

/** The chains of one section; the first has the name given. `next`: where undecided packets go; undefined: they are allowed. */
function sectionChains(name: string, section: Section, next: Target | undefined, context: ClassContext): Chain[] {
  const { policyClass, sets } = context;
  const { tier } = section;
  const toDeny = goto(denyChain(policyClass.id, tier));
  const targetOf = { allow: RETURN, deny: toDeny, pass: next ?? RETURN };
  const undecided = tier === "namespace" ? toDeny : next;
  const lookedUp = lookedUpRun(section);
  const chains: Chain[] = [];
  let current = name;
  let rules: Rule[] = [];
  for (const [index, run] of section.runs.entries()) {
    const target = targetOf[run.action];
    if (run.matchesEverything) {
      rules.push(rule([], target, everythingComment(section, run)));
      return [...chains, chain(current, rules), ...denyChains(section, context)];
    }
    rules.push(...portlessRules(run, target, policyClass, sets));
    if (run !== lookedUp) {
      rules.push(...portRules(run, target, policyClass, sets));
      continue;
    }
    const isLast = index === section.runs.length - 1;
    const restName = partChain(policyClass.id, `${tier} rest`);
    const rest = endingIn(isLast ? undecided : goto(restName));
    const tree = portTree(tier, run, target, rest, policyClass, sets);
    chains.push(chain(current, [...rules, ...tree.rules, ...rest]), ...tree.chains);
    if (isLast) return [...chains, ...denyChains(section, context)];
    current = restName;
    rules = [];
  }
  return [...chains, chain(current, [...rules, ...endingIn(undecided)]), ...denyChains(section, context)];
}

/** The run whose ports are divided among buckets: the one with the most groups, one alone in a section (docs/data-plane.md "Tiers"). */
function lookedUpRun({ runs }: Section): RuleRun | undefined {
  const candidates = runs.filter(({ disjoint }) => disjoint);
  const most = Math.max(...candidates.map(({ ports }) => ports.length));
  return candidates.find(({ ports }) => ports.length === most);
}

function endingIn(target: Target | undefined): Rule[] {
  return target === undefined ? [] : [rule([], target)];
}

function everythingComment({ tier }: Section, run: RuleRun): string {
  return tier === "namespace" ? safeComment("some rule allows everything") : listComment(run.origins);
}

/** One, or none where the section denies nothing. */
function denyChains({ tier, runs }: Section, { policyClass, options }: ClassContext): Chain[] {
  const { id, direction, family } = policyClass;
  const denies = tier === "namespace" ? !runs.some((run) => run.matchesEverything) : runs.some(isDeny);
  if (!denies) return [];
  const rules = [
    ...neverBlocked(direction, family),
    ...(tier === "namespace" ? [throughService(options)] : []),
    ...logAndDrop(logName(id, tier), direction),
  ];
  return [chain(denyChain(id, tier), rules)];
}

function denyChain(id: ClassId, tier: Tier): string {
  return partChain(id, `${tier} deny`);
}

function isDeny({ action }: RuleRun): boolean {
  return action === "deny";
}

/** NetworkPolicy never blocks it; the other tiers do (network-policy-api, "Hairpin"). The class judges one end, so it judges both. */
function throughService({ serviceProxy }: ServiceTranslation): Rule {
  const translated = serviceProxy === "ipvs" ? [] : [{ kind: "destination-nat" } as const];
  return rule([...translated, { kind: "same-address" }], RETURN, "a pod that reaches itself through a service");
}
