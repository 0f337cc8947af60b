// The evaluator's reasons as short sentences for the page. Worded for "the source" and "the destination", so that
// cells with the same reason share it; `ReasonTable` keeps each once.

import { ANY, type Direction, type Peer, type Policy, policyDisplayName } from "../../../model/policy.ts";
import type { HalfVerdict, NeverBlocked, RuleMatch, RuleMiss } from "../../../semantics/verdict.ts";
import { peerField, peersWords, peerWords, portsWords, positionWords } from "../../explain/rule-words.ts";
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

function reasonKey(direction: Direction, { reason }: HalfVerdict): string {
  switch (reason.kind) {
    case "not-a-pod":
    case "not-isolated":
      return `${direction} ${reason.kind}`;
    case "never-blocked":
      return `${direction} ${reason.because}`;
    case "unknown-pod":
      return `${direction} ${reason.kind} ${reason.node}`;
    case "allowed": {
      const { policy, rule, peer, port } = reason.match;
      return JSON.stringify([direction, policy.key, rule.index, peer ?? null, port ?? null]);
    }
    case "isolated": {
      const keys = reason.policies.map((policy) => policy.key);
      const misses = reason.misses.map((miss) => Number(miss.peerMatches) * 2 + Number(miss.portMatches));
      return JSON.stringify([direction, keys, misses]);
    }
  }
}

function describe(direction: Direction, { allow, reason }: HalfVerdict): PageReason {
  const subject = direction === "egress" ? "the source" : "the destination";
  switch (reason.kind) {
    case "not-a-pod":
      return { allow, text: `not asked: ${subject} is no pod that policies can select` };
    case "never-blocked":
      return { allow, text: NEVER_BLOCKED[reason.because] };
    case "unknown-pod":
      return { allow, text: printable(`${subject} is in a pod CIDR of node ${reason.node}, and no known pod has it`) };
    case "not-isolated":
      return { allow, text: `no policy isolates ${subject} for ${direction}` };
    case "allowed":
      return { allow, text: describeMatch(direction, reason.match), place: placeText(reason.match.rule.position) };
    case "isolated":
      return { allow, ...describeIsolation(direction, subject, reason.policies, reason.misses) };
  }
}

const NEVER_BLOCKED: Readonly<Record<NeverBlocked, string>> = {
  "own-pod": "a pod always reaches itself",
  "own-node": "traffic between a pod and its own node is never blocked",
  "neighbour-discovery": "neighbour discovery is never blocked",
  "dhcp-answer": "answers of a DHCP server are never blocked",
};

function describeMatch(direction: Direction, { policy, rule, peer }: RuleMatch): string {
  const field = peerField(direction);
  const isAny = rule.peers === ANY || peer === undefined;
  const whom = isAny ? peersWords(rule) : peerWords(rule.peers[peer] as Peer);
  const path = `${direction}[${rule.index}]${isAny ? "" : `.${field}[${peer}]`}`;
  return printable(`${policyText(policy)} allows it with ${path}: ${portsWords(rule)} ${field} ${whom}`);
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
      `${policyDisplayName(miss.policy)} ${direction}[${miss.rule.index}] allows ${portsWords(miss.rule)} ${peerField(direction)} ${peersWords(miss.rule)}; ${missText(miss)}`,
    ),
    place: placeText(miss.rule.position),
  }));
  const more = near.length - shown.length;
  return {
    text: `${countOf(policies.length, "policy", "policies")} ${policies.length === 1 ? "isolates" : "isolate"} ${subject}, ${rules}`,
    notes: [
      ...policies.slice(0, MAX_NOTES).map((policy) => ({
        text: printable(`isolated by ${policyText(policy)}`),
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

function policyText(policy: Policy): string {
  return `${policy.kind} ${policyDisplayName(policy)}`;
}

function placeText(position: Policy["position"]): string {
  return printable(positionWords(position));
}
