// `equal-priority`: two policies of one tier and one priority that do different things with one flow. The API leaves open which of them
// decides (network-policy-api, ClusterNetworkPolicySpec "priority"); we ask them by name.

import { formatFieldPath, formatPosition } from "../model/diagnostic.ts";
import { formatTraffic } from "../model/flow.ts";
import {
  comparePolicies,
  DIRECTIONS,
  type Direction,
  type OrderedPolicy,
  type OrderedTier,
  policyDisplayName,
  policyReference,
  rulePath,
  TIER_NAMES,
} from "../model/policy.ts";
import type { Address } from "../net/address.ts";
import { queryMatches } from "../semantics/matching.ts";
import type { RuleMatch } from "../semantics/verdict.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import { type Disagreement, findDisagreement } from "./disagreement.ts";
import type { LintFinding } from "./finding.ts";
import { type PeerClass, peerClasses } from "./peer-classes.ts";

/** One finding for each pair, with one flow. Only pods that both select now are looked at. */
export function findEqualPriorities(view: ClusterView): LintFinding[] {
  return equalGroups(view).flatMap((group) => {
    const classes = new Map<Direction, readonly PeerClass[]>();
    const classesIn = (direction: Direction): readonly PeerClass[] => {
      const known = classes.get(direction) ?? peerClasses(view, group, direction);
      classes.set(direction, known);
      return known;
    };
    const subjects = new Map(group.map((policy) => [policy, subjectsOf(view, policy)]));
    return pairsOf(group).flatMap((pair) => {
      const [first, second] = pair;
      const both = [...(subjects.get(first) ?? [])].filter((pod) => subjects.get(second)?.has(pod));
      if (both.length === 0) return [];
      for (const direction of DIRECTIONS) {
        if (pair.some(({ rules }) => rules[direction].length === 0)) continue;
        const question = { view, direction, pair, subjects: both, classes: classesIn(direction) };
        const found = findDisagreement(question);
        if (found !== undefined) return [finding(view, direction, pair, found)];
      }
      return [];
    });
  });
}

/** Two and more policies of one tier and priority, in the order in which they are asked. */
function equalGroups(view: ClusterView): OrderedPolicy[][] {
  const groups = new Map<string, OrderedPolicy[]>();
  for (const policy of view.policies()) {
    if (policy.tier === "namespace") continue;
    const key: `${OrderedTier} ${number}` = `${policy.tier} ${policy.priority}`;
    groups.set(key, [...(groups.get(key) ?? []), policy]);
  }
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => group.sort(comparePolicies))
    .sort(([a], [b]) => comparePolicies(a as OrderedPolicy, b as OrderedPolicy));
}

function subjectsOf(view: ClusterView, { subject }: OrderedPolicy): Set<SelectablePod> {
  return new Set(
    [...view.selectablePods()]
      .filter((pod) => queryMatches(view, subject, pod))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
  );
}

function pairsOf(group: readonly OrderedPolicy[]): (readonly [OrderedPolicy, OrderedPolicy])[] {
  return group.flatMap((first, index) => group.slice(index + 1).map((second) => [first, second] as const));
}

const DOES = { allow: "allows it", deny: "denies it", pass: "passes it on" } as const;

function finding(
  view: ClusterView,
  direction: Direction,
  [first, second]: readonly [OrderedPolicy, OrderedPolicy],
  { flow, matches }: Disagreement,
): LintFinding {
  const [here, there] = matches;
  const end = (address: Address) => view.ownerOf(address)?.key ?? nodeName(view, address) ?? address;
  const service = flow.throughService ? " (through a service)" : "";
  const way = `${end(flow.source)} -> ${end(flow.destination)} : ${formatTraffic(flow.traffic)}${service}`;
  const [a, b] = [first, second].map(policyReference);
  const does = ({ rule }: RuleMatch) =>
    `${rulePath(direction, rule)} (${formatPosition(rule.position)}) ${DOES[rule.action]}`;
  return {
    code: "equal-priority",
    severity: "warning",
    position: here.rule.position,
    object: `${first.kind} ${policyDisplayName(first)}`,
    field: formatFieldPath(["spec", direction, here.rule.index]),
    message:
      `${a} and ${b} have the same priority (${first.priority}) in the ${TIER_NAMES[first.tier]} tier and do not agree ` +
      `about ${way}: ${a} ${does(here)}, ${b} ${does(there)}`,
    hint: `give them different priorities: the API leaves open which of the two is asked first; here it is ${a}, by name`,
    example: { direction, flow, matches },
  };
}

function nodeName(view: ClusterView, address: Address): string | undefined {
  const node = view.nodeAt(address);
  return node === undefined ? undefined : `node/${node} (${address})`;
}
