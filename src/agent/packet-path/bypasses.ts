// What is wrong with pods whose packets something else than the kernel's IP stack forwards, or forwards on a way that our
// rules do not see. Pure. Owns the words for each such data path; docs/cni.md says the same at length.

import type { Address } from "../../net/address.ts";
import type { Link } from "../../netlink/links.ts";
import { type PlacedPod, type PodPlace, podsByLink } from "./places.ts";
import { type PathProblem, type PathProblemCode, podList } from "./problem.ts";

export interface BypassFacts {
  readonly links: readonly Link[];
  readonly judgesIpvs: boolean;
  readonly podsSeenCrossing: boolean;
}

interface Description {
  readonly code: PathProblemCode;
  readonly message: string;
  readonly hint: string;
}

/** By kind of place; kinds that are not here are in the path. */
const DESCRIPTIONS: Partial<Record<PodPlace["kind"], (list: string, linkName: string) => Description>> = {
  "open-vswitch": (list, linkName) => ({
    code: "open-vswitch",
    message: `${list} on Open vSwitch (${linkName}): what it forwards by itself does not cross the rules`,
    hint: "let this cluster's network plugin enforce policies, or use one that routes or bridges in the kernel",
  }),
  cilium: (list, linkName) => ({
    code: "cilium",
    message: `${list} behind ${linkName}: Cilium's eBPF programs forward from pod to pod past the rules`,
    hint: "let Cilium enforce policies, or set endpointRoutes.enabled=true and bpf.hostLegacyRouting=true in it",
  }),
  "cilium-endpoint": (list) => ({
    code: "cilium-unclear",
    message: `Cilium is on this node: unless it leaves routing to the kernel, packets of ${list} do not cross the rules`,
    hint: "set bpf.hostLegacyRouting=true in Cilium, or let it enforce policies; was it removed, then ip link delete cilium_host",
  }),
  "calico-ebpf": (list) => ({
    code: "calico-ebpf",
    message: `Calico's eBPF data plane is active (bpfin.cali): it forwards packets of ${list} past the rules`,
    hint: "let Calico enforce policies, or set its data plane to iptables or nftables",
  }),
  outside: (list, linkName) => ({
    code: "route-leaves-node",
    message: `the route to ${list} leaves this node by ${linkName}: their packets do not cross the rules here`,
    hint: "macvlan, ipvlan and SR-IOV cannot be judged on the node; for others look at their network plugin and at hostNetwork: true of the agent",
  }),
  unrouted: (list) => ({
    code: "no-route",
    message: `this node has no route to ${list}, on this node according to the API server`,
    hint: "look at the node's network plugin and at hostNetwork: true of the agent",
  }),
  own: (list) => ({
    code: "address-of-node",
    message: `the address of ${list} is one of the node's own: its packets are not forwarded and do not cross the rules`,
    hint: "look at the node's network plugin and at the addresses of its interfaces (ip address)",
  }),
};

/** kube-proxy's and kube-router's; both remove theirs when they work otherwise. */
const IPVS_LINKS: ReadonlySet<string> = new Set(["kube-ipvs0", "kube-dummy-if"]);

export function bypassProblems(pods: readonly PlacedPod[], facts: BypassFacts): readonly PathProblem[] {
  const problems: PathProblem[] = [];
  for (const [kind, describe] of Object.entries(DESCRIPTIONS)) {
    if (kind === "cilium-endpoint" && facts.podsSeenCrossing) continue;
    const there = pods.filter(({ place }) => place.kind === kind);
    for (const { interfaceName, addresses } of groups(there)) {
      problems.push(problem(describe(podList(addresses), interfaceName ?? ""), addresses, interfaceName));
    }
  }
  const ipvs = facts.links.find(({ name }) => IPVS_LINKS.has(name));
  if (ipvs !== undefined && !facts.judgesIpvs && pods.length > 0) {
    const description: Description = {
      code: "ipvs-not-judged",
      message: `services work with IPVS (${ipvs.name}): packets of pods to them are not judged on this node`,
      hint: "run the agent with --service-proxy=ipvs",
    };
    problems.push(problem(description, [], ipvs.name));
  }
  return problems;
}

/** Where each pod has an interface of its own, the interfaces are no reason to tell them apart. */
function groups(pods: readonly PlacedPod[]) {
  const [first] = pods;
  if (first === undefined) return [];
  const { kind } = first.place;
  if (kind === "open-vswitch" || kind === "cilium" || kind === "outside") {
    return podsByLink(pods).map(({ link, addresses }) => ({ interfaceName: link.name, addresses }));
  }
  return [{ interfaceName: undefined, addresses: pods.map(({ address }) => address) }];
}

function problem(description: Description, pods: readonly Address[], interfaceName: string | undefined): PathProblem {
  return { ...description, family: undefined, interfaceName, pods, fix: undefined };
}
