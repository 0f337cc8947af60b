// Rules shaped like kube-router's with nftables; not its own. The facts, from its source (2026, pkg/controllers/netpol/npc_nftables.go):
// - a table for each family; the chain KUBE-ROUTER-FORWARD at the forward hook with two rules for every local pod, to it and from it,
//   and the explicit accept of judged packets at the end (ensureTopLevelChains, syncPodFirewallChains, ensureExplicitAccept).
// - a chain for every pod: COMMON, packets from the node, each policy, DEFAULT for a direction without policies, log, reject, and the
//   marks (syncPodFirewallChains); COMMON and DEFAULT as with iptables (ensureCommonPolicyChain, ensureDefaultNetworkPolicyChain).
// - a chain and a set of subjects for each policy, a set of peers for each rule, one rule that marks and returns for each peer set and
//   port; sets of addresses without a size, interval sets of blocks, one more for their exceptions, which return before the blocks
//   are asked (processIngressRulesNft, appendRuleToPolicyChainNft, nftAddOrReplaceIPSet, nftAddOrReplaceIPBlockSet).
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
import type { NodePolicies, PortNumber, ResolvedPolicy, ResolvedRule } from "./node-policies.ts";
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
const UNCOUNTED = { isCounted: false };

export function kubeRouterNft(policies: NodePolicies, ends: Ends): PeerRuleset {
  const family = addressFamily(ends.server);
  const pods = judgedPods(policies, family);
  const own = policies.networkPolicies.map((policy, index) => policyRules(policy, index, family));
  return {
    family,
    base: FORWARD,
    chains: new Map([
      [FORWARD, [...pods.flatMap(waysToPod), rule([marked(JUDGED_MARK)], ACCEPT)]],
      [COMMON, commonRules(family)],
      [DEFAULT, [rule([], setMark(ALLOWED_MARK))]],
      ...own.map(({ rules }, index): [string, readonly PeerRule[]] => [policyChain(index), rules]),
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

interface PolicyParts {
  readonly rules: readonly PeerRule[];
  readonly sets: readonly PeerSet[];
}

function policyRules(policy: ResolvedPolicy, index: number, family: Family): PolicyParts {
  const subjects = subjectSet(policy, index, family);
  const parts = policy.rules.map((each, ruleIndex): PolicyParts => {
    const origin = networkPolicyOrigin(policy.name, ruleIndex);
    const pods = peerSet(each, index, ruleIndex, family);
    const blocks = blockParts(each, index, ruleIndex, family);
    return {
      rules: [
        ...(pods === undefined ? [] : markingRules(pods, subjects, each.ports, origin)),
        ...(blocks === undefined
          ? []
          : [...blocks.exceptRules, ...markingRules(blocks.included, subjects, each.ports, origin)]),
      ],
      sets: [...(pods === undefined ? [] : [pods]), ...(blocks?.sets ?? [])],
    };
  });
  return { rules: parts.flatMap(({ rules }) => rules), sets: [subjects, ...parts.flatMap(({ sets }) => sets)] };
}

function blockParts(each: ResolvedRule, policy: number, index: number, family: Family) {
  const set = blockSet(each, policy, index, family);
  if (set === undefined) return undefined;
  const included: PeerSet = { ...set, excepts: [] };
  if (set.excepts.length === 0) return { included, sets: [included], exceptRules: [] };
  const excepted: PeerSet = { ...set, name: `${set.name}-EXCEPT`, elements: set.excepts, excepts: [] };
  return { included, sets: [included, excepted], exceptRules: [rule([inSet("src", excepted.name)], RETURN)] };
}

function markingRules(peers: PeerSet, subjects: PeerSet, ports: readonly PortNumber[], origin: string): PeerRule[] {
  const portMatches: readonly Match[][] = ports.length === 0 ? [[]] : ports.map((port) => [{ kind: "port", ...port }]);
  return portMatches.map((port) =>
    rule([inSet("src", peers.name), inSet("dst", subjects.name), ...port], [setMark(ALLOWED_MARK), RETURN], { origin }),
  );
}
