// One class of the program -> its chains:
//
//   <class>            the first section: its runs in order
//   <class>_<tier>     a later section, reached when the one before passes or has nothing to say
//   ..._rest           what follows the look-up by port in the same section
//   ..._portsN         only when there is a look-up by port: the peers of one group
//   <class>[_<tier>]_deny   what is never blocked, then log, count, drop; without a tier in its name: NetworkPolicy's
//
// Between these chains only `goto` is used, so `return` leaves the class: allowed here, the packet goes on.

import type { PolicyClass, ProgramOptions, RuleRun, Section } from "../../program/program.ts";
import { listComment, safeComment } from "../comment.ts";
import { concat, goto, inSet, is, RETURN, rule } from "./build.ts";
import { logAndDrop, neverBlocked } from "./deny.ts";
import { denyChain, dropCounter, logName, restChain, sectionChain, selfSet } from "./names.ts";
import type { Chain, NamedSet, Rule, Verdict, VerdictMap } from "./ruleset.ts";
import { addressField, portLookUp, runRules } from "./run-rules.ts";

/** IPVS leaves no mark on what it translated. */
export type ServiceTranslation = Pick<ProgramOptions, "serviceProxy">;

export interface ClassChains {
  readonly chains: readonly Chain[];
  /** What the chains look up and no change of a pod touches. Sets that equal those of other classes have equal names. */
  readonly sets: readonly (NamedSet | VerdictMap)[];
}

export function compileClassChains(policyClass: PolicyClass, options: ServiceTranslation): ClassChains {
  const sets = new Map<string, NamedSet | VerdictMap>();
  const { id, sections } = policyClass;
  const chains = sections.flatMap((section, index) => {
    const after = sections[index + 1];
    const name = index === 0 ? id : sectionChain(id, section.tier);
    return sectionChains(name, section, after && goto(sectionChain(id, after.tier)), { policyClass, options, sets });
  });
  const [first, ...rest] = chains.length > 0 ? chains : [chain(id, [])];
  return {
    chains: [{ ...(first as Chain), comment: listComment(policyClass.policies) }, ...rest],
    sets: [...sets.values()],
  };
}

interface ClassContext {
  readonly policyClass: PolicyClass;
  readonly options: ServiceTranslation;
  readonly sets: Map<string, NamedSet | VerdictMap>;
}

/** The chains of one section; the first has the name given. `next`: where undecided packets go; undefined: they are allowed. */
function sectionChains(name: string, section: Section, next: Verdict | undefined, context: ClassContext): Chain[] {
  const { policyClass, sets } = context;
  const toDeny = goto(denyChain(policyClass.id, section.tier));
  const verdictOf = { allow: RETURN, deny: toDeny, pass: next ?? RETURN };
  const undecided = section.tier === "namespace" ? toDeny : next;
  const lookedUp = lookedUpRun(section);
  const chains: Chain[] = [];
  let current = name;
  let rules: Rule[] = [];
  for (const [index, run] of section.runs.entries()) {
    const verdict = verdictOf[run.action];
    if (run.matchesEverything) {
      rules.push(rule([], verdict, everythingComment(section, run)));
      return [...chains, chain(current, rules), ...denyChains(section, context)];
    }
    rules.push(...runRules(run, verdict, policyClass, sets, run === lookedUp ? "without-ports" : "with-ports"));
    if (run !== lookedUp) continue;
    const isLast = index === section.runs.length - 1;
    const rest = isLast ? undecided : goto(restChain(current));
    const lookUp = portLookUp(current, run, verdict, endingIn(rest), policyClass, sets);
    chains.push(chain(current, [...rules, lookUp.rule, ...endingIn(rest)]), ...lookUp.chains);
    if (isLast) return [...chains, ...denyChains(section, context)];
    current = restChain(current);
    rules = [];
  }
  return [...chains, chain(current, [...rules, ...endingIn(undecided)]), ...denyChains(section, context)];
}

/**
 * The run whose ports are found by one look-up: the one with the most groups. One alone in a section, because what follows is reached
 * from each of its groups: the kernel refuses chains 16 steps from a hook, and older ones follow every way there is when rules are loaded
 * (chain-ways.ts), whose number would multiply with each look-up.
 */
function lookedUpRun({ runs }: Section): RuleRun | undefined {
  const candidates = runs.filter(({ disjoint }) => disjoint);
  const most = Math.max(...candidates.map(({ ports }) => ports.length));
  return candidates.find(({ ports }) => ports.length === most);
}

function endingIn(verdict: Verdict | undefined): Rule[] {
  return verdict === undefined ? [] : [rule([], verdict)];
}

function everythingComment({ tier }: Section, run: RuleRun): string {
  return tier === "namespace" ? safeComment("some rule allows everything") : listComment(run.origins);
}

function chain(name: string, rules: readonly Rule[]): Chain {
  return { name, hook: undefined, comment: undefined, rules };
}

/** One, or none where the section denies nothing. */
function denyChains({ tier, runs }: Section, { policyClass, options }: ClassContext): Chain[] {
  const { id, direction, family } = policyClass;
  const denies = tier === "namespace" ? !runs.some((run) => run.matchesEverything) : runs.some(isDeny);
  if (!denies) return [];
  const rules = [
    ...neverBlocked(direction, family),
    ...(tier === "namespace" ? [throughService(policyClass, options)] : []),
    ...logAndDrop(logName(id, tier), dropCounter(direction)),
  ];
  return [chain(denyChain(id, tier), rules)];
}

function isDeny({ action }: RuleRun): boolean {
  return action === "deny";
}

/** NetworkPolicy never blocks it; the other tiers do (network-policy-api, "Hairpin"). */
function throughService({ family }: PolicyClass, { serviceProxy }: ServiceTranslation): Rule {
  const pair = concat(addressField(family, "saddr"), addressField(family, "daddr"));
  return rule(
    [inSet(pair, selfSet(family)), ...(serviceProxy === "ipvs" ? [] : [is("ct status", "dnat")])],
    RETURN,
    "a pod that reaches itself through a service",
  );
}
