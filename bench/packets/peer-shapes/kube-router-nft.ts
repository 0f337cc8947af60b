// Rules shaped like kube-router's with nftables; not its own. The facts, from its source (2026, pkg/controllers/netpol/npc_nftables.go):
// - a table for each family; the chain KUBE-ROUTER-FORWARD at the forward hook with two rules for every local pod, to it and from it,
//   and at the end a jump to KUBE-NWPLCY-TAIL, which accepts judged packets (syncTopLevelChainsAtomic, populateDefaultTailChain; without
//   the option that closes unknown pods).
// - a chain for every pod: COMMON, packets from the node, each policy, DEFAULT for a direction without policies, log, reject, and the
//   marks (syncPodFirewallChains); COMMON and DEFAULT as with iptables (ensureCommonPolicyChain, ensureDefaultNetworkPolicyChain).
// - a chain and a set of subjects for each policy, a set of peers for each rule, one rule that marks and returns for each peer set and
//   port; sets of addresses without a size, interval sets of blocks; where blocks have exceptions, a chain for them, which first returns
//   for the set of exceptions (processIngressRulesNft, appendRuleToPolicyChainNft, nftAddOrReplaceIPSet, nftAddOrReplaceIPBlockSet).
// - a counter in each rule but the log and those that set marks at a pod's end.
// Left out: chains of input and output. `reject` is `drop` here, which costs less: the answer to a client would stop its socket.

import { addressFamily, type Family } from "../../../src/net/address.ts";
import { networkPolicyOrigin } from "../bench-cluster.ts";
import type { Ends } from "../variant.ts";
import {
  ALLOWED_MARK,
  blockSet,
  ICMP_TYPES,
  JUDGED_MARK,
  type JudgedPod,
  judgedPods,
  peerSet,
  policyChain,
  subjectSet,
} from "./kube-router-policies.ts";
import type { NodePolicies, PortNumber, ResolvedPolicy } from "./node-policies.ts";
import {
  ACCEPT,
  clearMark,
  DROP,
  from,
  INVALID,
  inSet,
  jump,
  KNOWN,
  LOG,
  type Match,
  marked,
  type PeerRule,
  type PeerRuleset,
  type PeerSet,
  RETURN,
  rule,
  setMark,
  to,
  unmarked,
} from "./peer-ruleset.ts";

export function kubeRouterTable(family: Family): string {
  return `kube-router-filter-ipv${family}`;
}

const FORWARD = "KUBE-ROUTER-FORWARD";
const COMMON = "KUBE-NWPLCY-COMMON";
const DEFAULT = "KUBE-NWPLCY-DEFAULT";
const TAIL = "KUBE-NWPLCY-TAIL";
const UNCOUNTED = { isCounted: false };

export function kubeRouterNft(policies: NodePolicies, ends: Ends): PeerRuleset {
  const family = addressFamily(ends.server);
  const pods = judgedPods(policies, family);
  const own = policies.networkPolicies.map((policy, index) => policyRules(policy, index, family));
  return {
    family,
    base: FORWARD,
    chains: new Map([
      [FORWARD, [...pods.flatMap(waysToPod), rule([], jump(TAIL)), rule([marked(JUDGED_MARK)], ACCEPT)]],
      [TAIL, [rule([marked(JUDGED_MARK)], ACCEPT)]],
      [COMMON, commonRules(family)],
      [DEFAULT, [rule([], setMark(ALLOWED_MARK))]],
      ...own.flatMap(({ chains }) => chains),
      ...pods.map((pod): [string, readonly PeerRule[]] => [pod.chain, podRules(pod)]),
    ]),
    sets: own.flatMap(({ sets }) => sets),
    maps: [],
    links: new Map(),
    isBridged: ends.topology === "bridged",
  };
}

function waysToPod({ address, chain }: JudgedPod): PeerRule[] {
  return [rule([to(address)], jump(chain)), rule([from(address)], jump(chain))];
}

function commonRules(family: Family): PeerRule[] {
  const allowed = ICMP_TYPES[family].map(({ nft }) => rule([{ kind: "icmp", type: nft }], ACCEPT));
  return [rule([INVALID], DROP), rule([KNOWN], ACCEPT), ...allowed];
}

function podRules({ address, policyChains }: JudgedPod): PeerRule[] {
  return [
    rule([], jump(COMMON)),
    rule([{ kind: "from node" }, to(address)], ACCEPT),
    ...policyChains.map((chain) => rule([to(address)], jump(chain))),
    rule([from(address)], jump(DEFAULT)),
    ...(policyChains.length === 0 ? [rule([to(address)], jump(DEFAULT))] : []),
    rule([unmarked(ALLOWED_MARK), { kind: "limit" }], LOG, UNCOUNTED),
    rule([unmarked(ALLOWED_MARK)], DROP),
    rule([], clearMark(ALLOWED_MARK), UNCOUNTED),
    rule([], setMark(JUDGED_MARK), UNCOUNTED),
  ];
}

type NamedChain = readonly [string, readonly PeerRule[]];

interface PolicyParts {
  /** Its own is the first. */
  readonly chains: readonly NamedChain[];
  readonly sets: readonly PeerSet[];
}

function policyRules(policy: ResolvedPolicy, index: number, family: Family): PolicyParts {
  const subjects = subjectSet(policy, index, family);
  const parts = policy.rules.flatMap((each, ruleIndex): RuleParts[] => {
    const toPeers = (set: PeerSet) =>
      markingRules(set, subjects, each.ports, networkPolicyOrigin(policy.name, ruleIndex));
    const pods = peerSet(each, index, ruleIndex, family);
    const blocks = blockSet(each, index, ruleIndex, family);
    return [
      ...(pods === undefined ? [] : [{ rules: toPeers(pods), chains: [], sets: [pods] }]),
      ...(blocks === undefined ? [] : [blockParts(blocks, toPeers)]),
    ];
  });
  const own: NamedChain = [policyChain(index), parts.flatMap(({ rules }) => rules)];
  return {
    chains: [own, ...parts.flatMap(({ chains }) => chains)],
    sets: [subjects, ...parts.flatMap(({ sets }) => sets)],
  };
}

interface RuleParts {
  /** In the policy's chain. */
  readonly rules: readonly PeerRule[];
  readonly chains: readonly NamedChain[];
  readonly sets: readonly PeerSet[];
}

function blockParts(blocks: PeerSet, toPeers: (set: PeerSet) => readonly PeerRule[]): RuleParts {
  const included: PeerSet = { ...blocks, excepts: [] };
  if (blocks.excepts.length === 0) return { rules: toPeers(included), chains: [], sets: [included] };
  const excepted: PeerSet = { ...included, name: `${blocks.name}-EXCEPT`, elements: blocks.excepts };
  const chain = `${blocks.name}-CHAIN`;
  return {
    rules: [rule([], jump(chain))],
    chains: [[chain, [rule([inSet("src", excepted.name)], RETURN), ...toPeers(included)]]],
    sets: [included, excepted],
  };
}

function markingRules(peers: PeerSet, subjects: PeerSet, ports: readonly PortNumber[], origin: string): PeerRule[] {
  const portMatches: readonly Match[][] = ports.length === 0 ? [[]] : ports.map((port) => [{ kind: "port", ...port }]);
  return portMatches.map((port) =>
    rule([inSet("src", peers.name), inSet("dst", subjects.name), ...port], [setMark(ALLOWED_MARK), RETURN], { origin }),
  );
}
