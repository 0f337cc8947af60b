// One half of a verdict in words: which tier, policy and rule decided, or why none matched and which came nearest.

import { formatPosition } from "../../model/diagnostic.ts";
import type { Flow } from "../../model/flow.ts";
import { type Direction, type Policy, rulePath, TIER_NAMES } from "../../model/policy.ts";
import { reviewTiers, type TierReview } from "../../semantics/tier-review.ts";
import type { HalfVerdict, NeverBlocked, Reason, RuleMiss } from "../../semantics/verdict.ts";
import type { ClusterView } from "../../state/view.ts";
import { matchedLines, missWords, nearestLines } from "./match-words.ts";
import { policyTitle, ruleTitle } from "./rule-words.ts";
import { tierLines } from "./tier-words.ts";

export interface HalfWordsOptions {
  /** Also rules that do not match: every rule of every isolating policy, of other tiers the near ones. */
  readonly everyRule: boolean;
  /** Of other tiers every rule, too. */
  readonly everyTierRule?: boolean;
}

/** Lines without indentation for what follows the heading. */
export function explainHalf(
  view: ClusterView,
  direction: Direction,
  half: HalfVerdict,
  flow: Flow,
  options: HalfWordsOptions = { everyRule: true },
): string[] {
  const reviews = reviewTiers(view, direction, half, flow);
  const missed = options.everyTierRule ? "all" : options.everyRule ? "near" : "none";
  const tiers = reviews.flatMap((review) => tierLines(view, direction, review, flow, missed));
  const { reason } = half;
  if (reason.kind === "tier-rule") {
    return half.allow ? tiers : [...tiers, ...nearestTierAllow(view, direction, reviews, flow)];
  }
  const lines = otherTierLines(view, direction, reason, flow, options);
  return reviews.length === 0 ? lines : [...tiers, ...afterTiers(direction, reason, lines)];
}

/** The same as `lines`, said of what comes behind tiers that left it undecided. */
function afterTiers(direction: Direction, reason: Reason, [first = "", ...rest]: readonly string[]): string[] {
  switch (reason.kind) {
    case "not-isolated":
      return [`allowed by default: no tier decides, and ${notIsolatedWords(direction)}`];
    case "never-blocked":
      return [`allowed: NetworkPolicy never blocks it: ${NEVER_BLOCKED_WORDS[reason.because]}`];
    case "allowed":
      return [`${TIER_NAMES.namespace} tier: allowed ${first}`, ...rest];
    default:
      return [`${TIER_NAMES.namespace} tier: ${first}`, ...rest];
  }
}

/** What decides where no rule of an ordered tier does. */
function otherTierLines(
  view: ClusterView,
  direction: Direction,
  reason: Exclude<Reason, { kind: "tier-rule" }>,
  flow: Flow,
  options: HalfWordsOptions,
): string[] {
  switch (reason.kind) {
    case "not-a-pod":
      return [notAPodWords(view, direction, flow)];
    case "never-blocked":
      return [`never blocked: ${NEVER_BLOCKED_WORDS[reason.because]}`];
    case "unknown-pod":
      return [unknownPodWords(direction, reason, flow)];
    case "not-isolated":
      return [`not isolated: ${notIsolatedWords(direction)}, so everything is allowed`];
    case "allowed": {
      const { policy, rule } = reason.match;
      const title = `by ${ruleTitle(direction, policy, rule)} (${formatPosition(rule.position)})`;
      return [title, ...matchedLines(view, direction, reason.match, flow).map((line) => `  ${line}`)];
    }
    case "isolated":
      return [
        ...isolationLines(direction, reason.policies, reason.misses, options),
        ...nearestLines(view, direction, "nearest allow", reason.misses, flow),
      ];
  }
}

/** Of the rules that were asked before the one that denies. */
function nearestTierAllow(
  view: ClusterView,
  direction: Direction,
  reviews: readonly TierReview[],
  flow: Flow,
): string[] {
  const allows = reviews.flatMap(({ misses }) => misses).filter(({ rule }) => rule.action === "allow");
  return nearestLines(view, direction, "nearest allow before it", allows, flow);
}

const NEVER_BLOCKED_WORDS: Readonly<Record<NeverBlocked, string>> = {
  "own-pod": "a pod and itself",
  "own-node": "a pod and the node on which it runs",
  "neighbour-discovery": "IPv6 neighbour discovery and multicast listener discovery",
  "dhcp-answer": "a DHCP answer to the pod",
};

function notIsolatedWords(direction: Direction): string {
  return `no policy with policyTypes ${direction === "ingress" ? "Ingress" : "Egress"} selects the pod`;
}

function notAPodWords(view: ClusterView, direction: Direction, flow: Flow): string {
  const address = direction === "egress" ? flow.source : flow.destination;
  const node = view.nodeAt(address);
  const what = node === undefined ? "an address outside of the pods" : `the address of node ${node}`;
  return `not asked: ${address} is ${what}, no policy can select it`;
}

function unknownPodWords(
  direction: Direction,
  { node, cidr }: Extract<Reason, { kind: "unknown-pod" }>,
  flow: Flow,
): string {
  const address = direction === "egress" ? flow.source : flow.destination;
  return `closed: ${address} is in the pod CIDR ${cidr.text} of node ${node}, and no pod is known to have it (--unknown-local-pods=drop)`;
}

function isolationLines(
  direction: Direction,
  policies: readonly Policy[],
  misses: readonly RuleMiss[],
  { everyRule }: HalfWordsOptions,
): string[] {
  const lines = ["isolated, and no rule matches:"];
  for (const policy of policies) {
    const own = misses.filter((miss) => miss.policy === policy);
    const count = own.length === 0 ? `: no ${direction} rules` : "";
    lines.push(`  ${policyTitle(policy)} (${formatPosition(policy.position)})${count}`);
    if (!everyRule) continue;
    for (const miss of own) lines.push(`    ${rulePath(direction, miss.rule)}: ${missWords(miss)}`);
  }
  return lines;
}
