// The backends with other engines' shapes of rules: made here for the same policies, from what the engines' sources say; not the
// products. Owns which floor they stand beside: ours for the same tool.

import type { BenchBackend, BenchRules } from "../backend.ts";
import type { BenchPolicies } from "../bench-cluster.ts";
import { IPTABLES } from "../iptables-rules.ts";
import { NFT } from "../nft-rules.ts";
import { nodePolicies } from "../resolved-policies.ts";
import type { Ends } from "../variant.ts";
import { CALICO_SET_OPTIONS, calicoIptables, calicoNft } from "./calico.ts";
import { KUBE_ROUTER_SET_OPTIONS, kubeRouterIptables } from "./kube-router-iptables.ts";
import { kubeRouterNft, kubeRouterTable } from "./kube-router-nft.ts";
import type { NodePolicies } from "./node-policies.ts";
import { PeerRules } from "./peer-rules.ts";
import { legacyTool, nftTool } from "./peer-tools.ts";

const LEGACY = IPTABLES.find(({ name }) => name === "iptables-legacy") as BenchBackend;

type PeerName = "kube-router-nft" | "kube-router-iptables" | "calico-nft" | "calico-iptables";

/** What is loaded for the policies; undefined: the engine has none of this kind. */
type Shape = (policies: NodePolicies, ends: Ends) => BenchRules | undefined;

/** kube-router knows no Admin policies. */
function withoutAdmin(shape: Shape): Shape {
  return (policies, ends) => (policies.adminRules.length > 0 ? undefined : shape(policies, ends));
}

/** Calico finds a pod by its link: behind a bridge, rules see none. */
function withLinks(shape: Shape): Shape {
  return (policies, ends) => (ends.topology === "bridged" ? undefined : shape(policies, ends));
}

const SHAPES: Readonly<Record<PeerName, Shape>> = {
  "kube-router-nft": withoutAdmin((policies, ends) => {
    const ruleset = kubeRouterNft(policies, ends);
    return new PeerRules(ends, nftTool(kubeRouterTable(ruleset.family)), () => ruleset);
  }),
  "kube-router-iptables": withoutAdmin((policies, ends) => {
    const ruleset = kubeRouterIptables(policies, ends);
    return new PeerRules(ends, legacyTool(KUBE_ROUTER_SET_OPTIONS), () => ruleset);
  }),
  "calico-nft": withLinks(
    (policies, ends) => new PeerRules(ends, nftTool("calico"), (links) => calicoNft(policies, ends, links)),
  ),
  "calico-iptables": withLinks(
    (policies, ends) =>
      new PeerRules(ends, legacyTool(CALICO_SET_OPTIONS), (links) => calicoIptables(policies, ends, links)),
  ),
};

function peerBackend(name: PeerName, tool: BenchBackend): BenchBackend {
  return {
    name,
    programs: [...tool.programs, "ip"],
    floor: (outcome) => tool.floor(outcome),
    compile: (policies: BenchPolicies, ends: Ends) => SHAPES[name](nodePolicies(policies, ends), ends),
    compileLinear: undefined,
  };
}

export const PEER_SHAPES: readonly BenchBackend[] = [
  peerBackend("kube-router-nft", NFT),
  peerBackend("kube-router-iptables", LEGACY),
  peerBackend("calico-nft", NFT),
  peerBackend("calico-iptables", LEGACY),
];
