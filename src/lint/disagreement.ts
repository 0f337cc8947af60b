// Whether two policies of one tier do different things with one flow: decided over all classes of flows of the known cluster.

import type { Flow, Traffic } from "../model/flow.ts";
import { ANY, type Direction, type OrderedPolicy, type Rule } from "../model/policy.ts";
import { type Address, addressFamily } from "../net/address.ts";
import { namedMeaning, portsOf } from "../prove/address-sides.ts";
import { matchRule } from "../semantics/matching.ts";
import { neverBlocked } from "../semantics/never-blocked.ts";
import type { RuleMatch } from "../semantics/verdict.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import type { PeerClass } from "./peer-classes.ts";
import { trafficSamples } from "./traffic-samples.ts";

export interface Disagreement {
  readonly flow: Flow;
  /** The first rule that matches of each policy by itself; their actions differ. */
  readonly matches: readonly [RuleMatch, RuleMatch];
}

export interface DisagreementQuestion {
  readonly view: ClusterView;
  readonly direction: Direction;
  readonly pair: readonly [OrderedPolicy, OrderedPolicy];
  /** What both select. */
  readonly subjects: readonly SelectablePod[];
  /** Classes for the rules of both, or for more rules. */
  readonly classes: readonly PeerClass[];
}

/**
 * The first found, between two different ends if there is such. Other policies are left out: what they decide today may change
 * tomorrow. Cost: kinds of subjects, times classes, times ports.
 */
export function findDisagreement(question: DisagreementQuestion): Disagreement | undefined {
  const { classes, pair } = question;
  let withItself: Disagreement | undefined;
  for (const subjects of kindsOfSubjects(question)) {
    for (const peers of classes) {
      if (!mayDisagree(pair, peers)) continue;
      const found = disagreementOf(question, subjects, peers);
      if (found !== undefined && !found.flow.throughService) return found;
      withItself ??= found;
    }
  }
  return withItself;
}

/** Subjects that no rule tells apart: on the way in, port names mean what the subject calls so. */
function kindsOfSubjects({ direction, pair, subjects }: DisagreementQuestion): SelectablePod[][] {
  if (direction === "egress") return [[...subjects]];
  const names = pair.flatMap((policy) => portsOf(policy, "ingress"));
  const kinds = new Map<string, SelectablePod[]>();
  for (const subject of subjects) {
    const key = namedMeaning(names, subject);
    kinds.set(key, [...(kinds.get(key) ?? []), subject]);
  }
  return [...kinds.values()];
}

/** Quick: whether rules with different actions match these peers at all. */
function mayDisagree([a, b]: DisagreementQuestion["pair"], { rules }: PeerClass): boolean {
  return (rules.get(a) ?? []).some(({ action }) => rules.get(b)?.some((other) => other.action !== action));
}

function disagreementOf(
  question: DisagreementQuestion,
  subjects: readonly SelectablePod[],
  peers: PeerClass,
): Disagreement | undefined {
  const { view, direction, pair } = question;
  const ends = someEnds(question, subjects, peers);
  if (ends === undefined) return undefined;
  // Rules for other peers match none of these flows.
  const rules = pair.map((policy) => peers.rules.get(policy) ?? []);
  const ports = rules.flat().flatMap((rule) => (rule.ports === ANY ? [] : rule.ports));
  for (const traffic of trafficSamples(ports, view.ownerOf(ends.destination), peers.family)) {
    const flow = { ...ends, traffic };
    const [a, b] = pair.map((policy, index) => firstOf(view, direction, policy, rules[index] ?? [], flow));
    if (a !== undefined && b !== undefined && a.rule.action !== b.rule.action) return { flow, matches: [a, b] };
  }
  return undefined;
}

function firstOf(
  view: ClusterView,
  direction: Direction,
  policy: OrderedPolicy,
  rules: readonly Rule[],
  flow: Flow,
): RuleMatch | undefined {
  for (const rule of rules) {
    const match = matchRule(view, direction, policy, rule, flow);
    if (match !== undefined) return match;
  }
  return undefined;
}

type Ends = Omit<Flow, "traffic">;

/** Between a subject and a peer of these kinds, where tiers judge; two different pods if there are such. */
function someEnds(
  { view, direction }: DisagreementQuestion,
  subjects: readonly SelectablePod[],
  { family, addresses }: PeerClass,
): Ends | undefined {
  let itself: Ends | undefined;
  for (const subject of subjects) {
    const own = subject.addresses.find((address) => addressFamily(address) === family);
    if (own === undefined) continue;
    for (const other of addresses) {
      const isItself = view.ownerOf(other)?.key === subject.key;
      const ends = { ...endsOf(direction, own, other), ...(isItself ? { throughService: true } : {}) };
      if (neverBlocked(view, direction, subject, { ...ends, traffic: SOME_TRAFFIC }) !== undefined) continue;
      if (!isItself) return ends;
      itself ??= ends;
    }
  }
  return itself;
}

/** Nothing that keeps addresses working: that is never among the samples. */
const SOME_TRAFFIC: Traffic = { kind: "ports", protocol: "TCP", port: 80 };

function endsOf(direction: Direction, own: Address, other: Address): Ends {
  return direction === "egress" ? { source: own, destination: other } : { source: other, destination: own };
}
