// The evaluator's reasons as short sentences for the page. Worded for "the source" and "the destination", so that
// cells with the same reason share it; `ReasonTable` keeps each once.

import { formatPosition } from "../../../model/diagnostic.ts";
import { ANY, type Direction, type Peer, type Policy, type RuleAction, TIER_NAMES } from "../../../model/policy.ts";
import type { HalfVerdict, NeverBlocked, Reason, RuleMatch, RuleMiss } from "../../../semantics/verdict.ts";
import { peerField, peersWords, peerWords, policyTitle, portsWords, ruleName } from "../../explain/rule-words.ts";
import { countOf, printable } from "../../terminal-text.ts";

/** Part of the page's data. */
export interface PageReason {
  readonly allow: boolean;
  readonly text: string;
  /** `file:line` of what decided. */
  readonly place?: string;
  readonly notes?: readonly { readonly text: string; readonly place: string }[];
}

/** Longer lists of rules that do not match hide the near ones. */
const MAX_NOTES = 8;

export class ReasonTable {
  readonly #numbers = new Map<string, number>();
  readonly #reasons: PageReason[] = [];

  get reasons(): readonly PageReason[] {
    return this.#reasons;
  }

  allows(number: number): boolean {
    return this.#reasons[number]?.allow === true;
  }

  /** The number of the half's reason. */
  intern(direction: Direction, half: HalfVerdict): number {
    const key = reasonKey(direction, half);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#reasons.length);
    return this.#reasons.push(describe(direction, half)) - 1;
  }
}

function reasonKey(direction: Direction, { reason, passes }: HalfVerdict): string {
  return JSON.stringify([decisionKey(direction, reason), passes.map(matchKey)]);
}

function matchKey({ policy, rule, peer, port }: RuleMatch): unknown[] {
  return [policy.key, rule.index, peer ?? null, port ?? null];
}

function decisionKey(direction: Direction, reason: Reason): string {
  switch (reason.kind) {
    case "not-a-pod":
    case "not-isolated":
      return `${direction} ${reason.kind}`;
    case "never-blocked":
      return `${direction} ${reason.because}`;
    case "unknown-pod":
      return `${direction} ${reason.kind} ${reason.node}`;
    case "allowed":
    case "tier-rule":
      return JSON.stringify([direction, ...matchKey(reason.match)]);
    case "isolated": {
      const keys = reason.policies.map((policy) => policy.key);
      const misses = reason.misses.map((miss) => Number(miss.peerMatches) * 2 + Number(miss.portMatches));
      return JSON.stringify([direction, keys, misses]);
    }
  }
}

function describe(direction: Direction, { allow, reason, passes }: HalfVerdict): PageReason {
  const decision = describeDecision(direction, reason);
  const notes = [
    ...passes.map((match) => ({ text: describeMatch(direction, match), place: placeText(match.rule.position) })),
    ...(decision.notes ?? []),
  ];
  return { allow, ...decision, ...(notes.length === 0 ? {} : { notes }) };
}

function describeDecision(direction: Direction, reason: Reason): Omit<PageReason, "allow"> {
  const subject = direction === "egress" ? "the source" : "the destination";
  switch (reason.kind) {
    case "not-a-pod":
      return { text: `not asked: ${subject} is no pod that policies can select` };
    case "never-blocked":
      return { text: NEVER_BLOCKED[reason.because] };
    case "unknown-pod":
      return { text: printable(`${subject} is in a pod CIDR of node ${reason.node}, and no known pod has it`) };
    case "not-isolated":
      return { text: `allowed by default: no policy isolates ${subject} for ${direction}, and no tier decides` };
    case "allowed":
    case "tier-rule":
      return { text: describeMatch(direction, reason.match), place: placeText(reason.match.rule.position) };
    case "isolated":
      return describeIsolation(direction, subject, reason.policies, reason.misses);
  }
}

const NEVER_BLOCKED: Readonly<Record<NeverBlocked, string>> = {
  "own-pod": "a pod always reaches itself",
  "own-node": "traffic between a pod and its own node is never blocked",
  "neighbour-discovery": "neighbour discovery is never blocked",
  "dhcp-answer": "answers of a DHCP server are never blocked",
};

const DOES: Readonly<Record<RuleAction, string>> = { allow: "allows it", deny: "denies it", pass: "passes it on" };

function describeMatch(direction: Direction, { policy, rule, peer }: RuleMatch): string {
  const tier = policy.tier === "namespace" ? "" : `${TIER_NAMES[policy.tier]} tier: `;
  const name = rule.name === undefined ? "" : ` "${rule.name}"`;
  const field = peerField(direction);
  const isAny = rule.peers === ANY || peer === undefined;
  const whom = isAny ? peersWords(rule) : peerWords(rule.peers[peer] as Peer);
  const path = `${direction}[${rule.index}]${isAny ? "" : `.${field}[${peer}]`}`;
  const does = DOES[rule.action];
  return printable(`${tier}${policyTitle(policy)} ${does} with ${path}${name}: ${portsWords(rule)} ${field} ${whom}`);
}

function describeIsolation(
  direction: Direction,
  subject: string,
  policies: readonly Policy[],
  misses: readonly RuleMiss[],
): Pick<PageReason, "text" | "notes"> {
  const rules = misses.length === 0 ? "without any rule" : `and none of ${countOf(misses.length, "rule")} matches`;
  const near = [...misses].sort((a, b) => nearness(b) - nearness(a));
  const shown = near.slice(0, MAX_NOTES).map((miss) => ({
    text: printable(
      `${ruleName(direction, miss.policy, miss.rule)} allows ${portsWords(miss.rule)} ${peerField(direction)} ${peersWords(miss.rule)}; ${missText(miss)}`,
    ),
    place: placeText(miss.rule.position),
  }));
  const more = near.length - shown.length;
  return {
    text: `${countOf(policies.length, "policy", "policies")} ${policies.length === 1 ? "isolates" : "isolate"} ${subject}, ${rules}`,
    notes: [
      ...policies.slice(0, MAX_NOTES).map((policy) => ({
        text: printable(`isolated by ${policyTitle(policy)}`),
        place: placeText(policy.position),
      })),
      ...shown,
      ...(more > 0 ? [{ text: `and ${countOf(more, "more rule")} that match neither`, place: "" }] : []),
    ],
  };
}

function nearness({ peerMatches, portMatches }: RuleMiss): number {
  return (peerMatches ? 2 : 0) + (portMatches ? 1 : 0);
}

function missText({ peerMatches, portMatches }: RuleMiss): string {
  if (peerMatches) return "the peer matches, the port does not";
  return portMatches ? "the port matches, the peer does not" : "neither matches";
}

function placeText(position: Policy["position"]): string {
  return printable(formatPosition(position));
}
