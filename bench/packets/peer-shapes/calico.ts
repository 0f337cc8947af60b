// Rules shaped like Calico's with iptables and ipset or with nftables; not its own. The facts, from its source (2026, felix):
// - rules/static.go StaticFilterForwardChains, StaticFilterForwardAppendRules, dataplane/linux/int_dataplane.go: FORWARD jumps to
//   cali-FORWARD first; there marks are cleared, then host endpoints (none), packets from pods, packets to pods, host endpoints again,
//   loops of service addresses (none); back in FORWARD what a policy accepted is accepted.
// - rules/dispatch.go: the way to a pod's chain goes by its link. With iptables a shallow tree: links in bins by the first character
//   that not all of them share, a chain for each bin with more than one (buildSingleDispatchChains,
//   sortAndDivideEndpointNamesToPrefixTree); with nftables a verdict map (DispatchMappings).
// - nftables/renderer.go, nftables/ipsets.go, nftables/table.go: one table for all, chains named by layer, a counter in each rule but
//   those that only ask a map; sets that may hold blocks are interval sets of one field.
// - calico-policies.ts and calico-endpoints.ts have the rest.
// Left out: its chains of the tables raw, mangle and nat (a reverse path check among them), which every packet passes, too. What is
// measured is less than what its rules cost.

import { addressFamily, type Family } from "../../../src/net/address.ts";
import { adminOrigin, MOST_RULES, networkPolicyOrigin } from "../bench-cluster.ts";
import type { Ends } from "../variant.ts";
import {
  dispatchByMap,
  dispatchByTree,
  type EndLinks,
  LINK_PREFIX,
  type PodLink,
  podLinks,
} from "./calico-dispatch.ts";
import {
  fromPodRules,
  type GroupedTier,
  groupedTier,
  PROFILE_RULES,
  type ProfileChains,
  type TierPolicy,
  toPodRules,
} from "./calico-endpoints.ts";
import { HASHED, MARK, policyRules, SelectorSets } from "./calico-policies.ts";
import type { NodePolicies } from "./node-policies.ts";
import {
  ACCEPT,
  clearMark,
  jump,
  type Match,
  marked,
  type PeerRule,
  type PeerRuleset,
  rule,
  setMark,
  unmarked,
} from "./peer-ruleset.ts";

export const CALICO_SET_OPTIONS = "maxelem 1048576";

type Chains = Map<string, readonly PeerRule[]>;

export function calicoIptables(policies: NodePolicies, ends: Ends, links: EndLinks): PeerRuleset {
  return calico(policies, ends, links, { base: "FORWARD", prefix: "", dispatch: dispatchByTree });
}

export function calicoNft(policies: NodePolicies, ends: Ends, links: EndLinks): PeerRuleset {
  return calico(policies, ends, links, { base: "filter-FORWARD", prefix: "filter-", dispatch: dispatchByMap });
}

interface Flavour {
  readonly base: string;
  /** Of all chains. */
  readonly prefix: string;
  readonly dispatch: typeof dispatchByTree;
}

function calico(policies: NodePolicies, ends: Ends, links: EndLinks, { base, prefix, dispatch }: Flavour): PeerRuleset {
  const family = addressFamily(ends.server);
  const named = (name: string) => `${prefix}cali-${name}`;
  const chains: Chains = new Map();
  const sets = new SelectorSets(family);
  const tiers = policyChains(policies, { sets, family, named, chains });
  const profiles = { in: profileChains("pri"), out: profileChains("pro") };
  for (const { namespace, account } of Object.values(profiles)) chains.set(namespace, PROFILE_RULES).set(account, []);
  const pods = podLinks(policies.localPods, ends, links);
  const toChain = ({ index }: PodLink) => named(`tw-${index}`);
  const fromChain = ({ index }: PodLink) => named(`fw-${index}`);
  for (const pod of pods) {
    chains.set(toChain(pod), toPodRules(tiers, pod.address, profiles.in));
    chains.set(fromChain(pod), fromPodRules(profiles.out));
  }
  const ways = [
    dispatch("in", named("from-wl-dispatch"), pods, fromChain),
    dispatch("out", named("to-wl-dispatch"), pods, toChain),
  ];
  for (const way of ways) for (const [name, rules] of way.chains) chains.set(name, rules);
  for (const [name, rules] of forwardChains(base, named)) chains.set(name, rules);
  return {
    family,
    base,
    chains,
    sets: sets.all,
    maps: ways.flatMap(({ maps }) => maps),
    links: new Map(pods.map(({ address, name }) => [address, name])),
    isBridged: false,
  };

  function profileChains(kind: string): ProfileChains {
    return { namespace: named(`${kind}-kns.bench`), account: named(`${kind}-ksa.bench`) };
  }
}

function forwardChains(base: string, named: (name: string) => string): Chains {
  const podsLink = (way: "in" | "out"): Match => ({ kind: "link", way, name: LINK_PREFIX, isPrefix: true });
  const others = MARK.pass | MARK.allMatch | MARK.scratch | MARK.drop;
  const empty = ["from-hep-forward", "to-hep-forward", "cidr-block"];
  return new Map<string, readonly PeerRule[]>([
    [
      base,
      [
        rule([], jump(named("FORWARD")), HASHED),
        rule([marked(MARK.accept)], ACCEPT, { comments: HASHED.comments + 1 }),
        rule([], setMark(MARK.accept), HASHED),
      ],
    ],
    [
      named("FORWARD"),
      [
        rule([], clearMark(others), HASHED),
        rule([unmarked(MARK.accept)], jump(named("from-hep-forward")), HASHED),
        rule([podsLink("in")], jump(named("from-wl-dispatch")), HASHED),
        rule([podsLink("out")], jump(named("to-wl-dispatch")), HASHED),
        rule([], jump(named("to-hep-forward")), HASHED),
        rule([], jump(named("cidr-block")), HASHED),
      ],
    ],
    ...empty.map((name): [string, readonly PeerRule[]] => [named(name), []]),
  ]);
}

interface PolicyContext {
  readonly sets: SelectorSets;
  readonly family: Family;
  readonly named: (name: string) => string;
  readonly chains: Chains;
}

/** Adds the chains of policies and of groups. */
function policyChains({ adminRules, networkPolicies }: NodePolicies, context: PolicyContext): GroupedTier[] {
  const { sets, family, named, chains } = context;
  const admin = adminRules.map(({ pods, rules }, index): TierPolicy => {
    const chain = named(`pi-admin-${index}`);
    const own = rules.map((each, at) => ({ ...each, origin: adminOrigin(index * MOST_RULES + at) }));
    chains.set(chain, policyRules(own, sets, family));
    return { chain, pods: new Set(pods) };
  });
  const ordinary = networkPolicies.map(({ name, pods, rules }, index): TierPolicy => {
    const chain = named(`pi-${index}`);
    const own = rules.map((each, at) => ({
      ...each,
      action: "Accept" as const,
      origin: networkPolicyOrigin(name, at),
    }));
    chains.set(chain, policyRules(own, sets, family));
    return { chain, pods: new Set(pods) };
  });
  const tiers = [
    groupedTier({ policies: admin, atTheEnd: "pass" }, (first) => named(`gi-admin-${first}`)),
    groupedTier({ policies: ordinary, atTheEnd: "drop" }, (first) => named(`gi-${first}`)),
  ];
  for (const { groups } of tiers)
    for (const { chain, rules } of groups) if (rules !== undefined) chains.set(chain, rules);
  return tiers;
}
