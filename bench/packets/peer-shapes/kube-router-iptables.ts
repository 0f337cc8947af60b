// Rules shaped like kube-router's with iptables and ipset; not its own. The facts, from its source (2026, pkg/controllers/netpol):
// - npc_iptables.go: FORWARD jumps to KUBE-ROUTER-FORWARD, which ends in a jump to KUBE-NWPLCY-TAIL, which accepts judged packets
//   (ensureTopLevelChains, ensureDefaultTailChain; without the option that closes unknown pods); KUBE-NWPLCY-COMMON drops invalid packets, accepts known connections and some ICMP (ensureCommonPolicyChain,
//   pkg/utils/iptables.go CommonICMPRules); KUBE-NWPLCY-DEFAULT marks (ensureDefaultNetworkPolicyChain).
// - pod.go: every local pod has a chain, restricted or not; four rules lead to it, each inserted as the first: routed and bridged, to
//   the pod and from it (interceptPodInboundTraffic, interceptPodOutboundTraffic). In the chain COMMON, packets from the node, each
//   policy, DEFAULT for a direction without policies, log, reject, and the marks (setupPodNetpolRules, syncPodFirewallChains).
// - policy.go: a set of subjects for each policy, a set of peers for each rule; two rules for each peer set and port, one that marks
//   and one that returns (processIngressRules, appendRuleToPolicyChain); hash:ip and hash:net with `timeout 0`, exceptions by `nomatch`
//   (pkg/utils/ipset.go RefreshSet).
// Left out: chains of INPUT and OUTPUT. REJECT is DROP here, which costs less: the answer to a client would stop its socket.

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
} from "./peer-ruleset.ts";

export const KUBE_ROUTER_SET_OPTIONS = "timeout 0";

const FORWARD = "KUBE-ROUTER-FORWARD";
const COMMON = "KUBE-NWPLCY-COMMON";
const DEFAULT = "KUBE-NWPLCY-DEFAULT";
const TAIL = "KUBE-NWPLCY-TAIL";
const UNALLOWED: Match = { kind: "mark", mask: ALLOWED_MARK, value: ALLOWED_MARK, negated: true };
const NOTED = { comments: 1 };

export function kubeRouterIptables(policies: NodePolicies, ends: Ends): PeerRuleset {
  const family = addressFamily(ends.server);
  const pods = judgedPods(policies, family);
  const own = policies.networkPolicies.map((policy, index) => policyRules(policy, index, family));
  return {
    family,
    base: "FORWARD",
    chains: new Map([
      ["FORWARD", [rule([], jump(FORWARD), NOTED)]],
      [FORWARD, [...pods.toReversed().flatMap(waysToPod), rule([], jump(TAIL), NOTED)]],
      [TAIL, [rule([marked(JUDGED_MARK)], ACCEPT, NOTED)]],
      [COMMON, commonRules(family)],
      [DEFAULT, [rule([], setMark(ALLOWED_MARK), NOTED)]],
      ...own.map(({ rules }, index): [string, readonly PeerRule[]] => [policyChain(index), rules]),
      ...pods.map((pod): [string, readonly PeerRule[]] => [pod.chain, podRules(pod)]),
    ]),
    sets: own.flatMap(({ sets }) => sets),
    maps: [],
    links: new Map(),
    isBridged: ends.topology === "bridged",
  };
}

/** Each was inserted as the first of the list: the last one stands above. */
function waysToPod({ address, chain }: JudgedPod): PeerRule[] {
  const bridged: Match = { kind: "bridged" };
  return [
    rule([bridged, from(address)], jump(chain), NOTED),
    rule([from(address)], jump(chain), NOTED),
    rule([bridged, to(address)], jump(chain), NOTED),
    rule([to(address)], jump(chain), NOTED),
  ];
}

function commonRules(family: Family): PeerRule[] {
  const allowed = ICMP_TYPES[family].map(({ iptables }) => rule([{ kind: "icmp", type: iptables }], ACCEPT, NOTED));
  return [rule([INVALID], DROP, NOTED), rule([KNOWN], ACCEPT, NOTED), ...allowed];
}

function podRules({ address, policyChains }: JudgedPod): PeerRule[] {
  return [
    rule([], jump(COMMON), NOTED),
    rule([{ kind: "from node" }, to(address)], ACCEPT, NOTED),
    rule([from(address)], jump(DEFAULT), NOTED),
    ...(policyChains.length === 0 ? [rule([to(address)], jump(DEFAULT), NOTED)] : []),
    ...policyChains.toReversed().map((chain) => rule([to(address)], jump(chain), NOTED)),
    rule([UNALLOWED, { kind: "limit" }], LOG, NOTED),
    rule([UNALLOWED], DROP, NOTED),
    rule([], clearMark(ALLOWED_MARK)),
    rule([], setMark(JUDGED_MARK), NOTED),
  ];
}

interface PolicyParts {
  readonly rules: readonly PeerRule[];
  readonly sets: readonly PeerSet[];
}

function policyRules(policy: ResolvedPolicy, index: number, family: Family): PolicyParts {
  const subjects = subjectSet(policy, index, family);
  const parts = policy.rules.flatMap((each, ruleIndex) => {
    const origin = networkPolicyOrigin(policy.name, ruleIndex);
    const peers = [peerSet(each, index, ruleIndex, family), blockSet(each, index, ruleIndex, family)];
    return peers.flatMap((set) =>
      set === undefined ? [] : [{ set, rules: markingRules(set, subjects, each.ports, origin) }],
    );
  });
  return { rules: parts.flatMap(({ rules }) => rules), sets: [subjects, ...parts.map(({ set }) => set)] };
}

function markingRules(peers: PeerSet, subjects: PeerSet, ports: readonly PortNumber[], origin: string): PeerRule[] {
  const portMatches: readonly Match[][] = ports.length === 0 ? [[]] : ports.map((port) => [{ kind: "port", ...port }]);
  return portMatches.flatMap((port) => {
    const matches = [inSet("src", peers.name), inSet("dst", subjects.name), ...port];
    return [
      rule(matches, setMark(ALLOWED_MARK), { ...NOTED, origin }),
      rule([...matches, marked(ALLOWED_MARK)], RETURN, NOTED),
    ];
  });
}
