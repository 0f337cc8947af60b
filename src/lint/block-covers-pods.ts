// `ipblock-covers-pods`: blocks are meant for addresses outside of the cluster, but they are compared with the address in the packet,
// so a block that holds pods' addresses matches these pods, whatever their labels (SEMANTICS "NetworkPolicy").

import { formatFieldPath, type SourcePosition } from "../model/diagnostic.ts";
import {
  type AddressBlock,
  ANY,
  DIRECTIONS,
  type Direction,
  type Peer,
  type Policy,
  policyDisplayName,
  type Rule,
  type RuleAction,
} from "../model/policy.ts";
import { type Address, addressFamily, addressValue } from "../net/address.ts";
import { cidrContains } from "../net/cidr.ts";
import { peerMatches } from "../semantics/matching.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import type { LintFinding } from "./finding.ts";

/** One finding for each block. A block of all addresses (`0.0.0.0/0`) says what it does. Cost: blocks times pods. */
export function findBlocksThatCoverPods(view: ClusterView): LintFinding[] {
  const pods = [...view.selectablePods()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const covered = new Map<string, readonly SelectablePod[]>();
  const podsIn = (block: AddressBlock): readonly SelectablePod[] => {
    const key = [block.cidr, ...block.except].map(({ text }) => text).join(" ");
    const found = covered.get(key) ?? pods.filter(({ addresses }) => addresses.some((each) => holds(block, each)));
    covered.set(key, found);
    return found;
  };
  return [...view.policies()].flatMap((policy) =>
    DIRECTIONS.flatMap((direction) =>
      policy.rules[direction].flatMap((rule: Rule) =>
        blocksOfRule(rule, direction).flatMap(({ block, field }) => {
          const inside =
            block.cidr.prefixLength === 0 ? [] : podsIn(block).filter(isAsked(view, policy, direction, rule, block));
          return inside.length === 0 ? [] : [finding(policy, rule, block, field, inside)];
        }),
      ),
    ),
  );
}

/** Of a tier, the rule is not asked about a pod that an earlier one of its policy matches on every port. */
function isAsked(
  view: ClusterView,
  policy: Policy,
  direction: Direction,
  { index }: Rule,
  block: AddressBlock,
): (pod: SelectablePod) => boolean {
  if (policy.tier === "namespace") return () => true;
  const earlier = policy.rules[direction].filter((rule) => rule.index < index && rule.ports === ANY);
  const isMatched = (address: Address) =>
    earlier.some(({ peers }) => peers === ANY || peers.some((peer) => peerMatches(view, peer, address)));
  return ({ addresses }) => addresses.some((address) => holds(block, address) && !isMatched(address));
}

function holds({ cidr, except }: AddressBlock, address: Address): boolean {
  const family = addressFamily(address);
  const value = addressValue(address);
  return cidrContains(cidr, family, value) && !except.some((hole) => cidrContains(hole, family, value));
}

interface PlacedBlock {
  readonly block: AddressBlock;
  readonly field: string;
}

function blocksOfRule({ peers, index }: Rule, direction: Direction): PlacedBlock[] {
  if (peers === ANY) return [];
  const list = ["spec", direction, index, direction === "ingress" ? "from" : "to"];
  return peers.flatMap((peer: Peer, place): PlacedBlock[] => {
    if (peer.kind === "ipBlock") return [{ block: peer, field: formatFieldPath([...list, place, "ipBlock", "cidr"]) }];
    if (peer.kind !== "networks") return [];
    return peer.cidrs.map((cidr, which) => ({
      block: { cidr, except: [] },
      field: formatFieldPath([...list, place, "networks", which]),
    }));
  });
}

const DOES: Readonly<Record<RuleAction, (whom: string) => string>> = {
  allow: (whom) => `allows ${whom}`,
  deny: (whom) => `denies ${whom}`,
  pass: (whom) => `passes ${whom} on`,
};

function finding(
  policy: Policy,
  { action, position }: { readonly action: RuleAction; readonly position: SourcePosition },
  { cidr, except }: AddressBlock,
  field: string,
  inside: readonly SelectablePod[],
): LintFinding {
  const what = except.length === 0 ? cidr.text : `${cidr.text} without its excepts`;
  const whose = inside.length === 1 ? `the address of pod ${inside[0]?.key}` : `the addresses of ${namesOf(inside)}`;
  const does = DOES[action](inside.length === 1 ? "it" : "them");
  return {
    code: "ipblock-covers-pods",
    severity: "warning",
    position,
    object: `${policy.kind} ${policyDisplayName(policy)}`,
    field,
    message: `${what} holds ${whose}: the rule ${does}, whatever the labels`,
    hint:
      policy.tier === "namespace"
        ? "leave the pods' addresses out with except, and select pods by their labels"
        : "networks are for addresses outside of the cluster: select pods by their labels, in a rule before this one",
  };
}

const MOST_NAMED = 3;

/** `4 pods (shop/api, shop/db, shop/web, …)`. */
function namesOf(pods: readonly SelectablePod[]): string {
  const names = pods.slice(0, MOST_NAMED).map(({ key }) => key);
  return `${pods.length} pods (${names.join(", ")}${pods.length > MOST_NAMED ? ", …" : ""})`;
}
