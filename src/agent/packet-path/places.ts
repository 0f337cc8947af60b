// Where a local pod hangs on this node, read from the route to it and the interface that the route leaves by. Pure.
// Owns what kinds and names of interfaces mean; what is wrong with a place is find-problems.ts's.

import type { Address } from "../../net/address.ts";
import type { Link } from "../../netlink/links.ts";
import type { Route } from "../../netlink/routes.ts";

export type PodPlace =
  /** Behind an interface of its own: every packet is routed here. */
  | { readonly kind: "routed"; readonly link: Link }
  /** On a bridge of the kernel, together with other pods. */
  | { readonly kind: "bridged"; readonly link: Link }
  | { readonly kind: "open-vswitch"; readonly link: Link }
  /** Cilium forwards between its pods by itself. */
  | { readonly kind: "cilium"; readonly link: Link }
  /** Cilium is there and each pod has a route: whether the kernel or Cilium forwards depends on Cilium's settings. */
  | { readonly kind: "cilium-endpoint"; readonly link: Link }
  | { readonly kind: "calico-ebpf"; readonly link: Link }
  /** The way to the pod leaves the node: its packets do not come through here. */
  | { readonly kind: "outside"; readonly link: Link }
  /** The address is one of the node's own. */
  | { readonly kind: "own" }
  | { readonly kind: "unrouted" };

export interface PlacedPod {
  readonly address: Address;
  readonly place: PodPlace;
}

export interface PodPorts {
  /** Ports of bridges and switches with pods, whichever pod is behind which. */
  readonly switched: readonly string[];
  /** Interfaces that lead to the pods named, and to no others. */
  readonly own: ReadonlyMap<string, readonly Address[]>;
}

/** Pods by the interface they hang on, in the order of the first pod; those that hang on none are left out. */
export function podsByLink(pods: readonly PlacedPod[]): readonly { link: Link; addresses: readonly Address[] }[] {
  const groups = new Map<number, { link: Link; addresses: Address[] }>();
  for (const { address, place } of pods) {
    if (!("link" in place)) continue;
    const group = groups.get(place.link.index) ?? { link: place.link, addresses: [] };
    group.addresses.push(address);
    groups.set(place.link.index, group);
  }
  return [...groups.values()];
}

/** What the interfaces of a node say as a whole. */
export class NodeLinks {
  readonly #byIndex: ReadonlyMap<number, Link>;
  readonly #hasCalicoEbpf: boolean;
  readonly #hasCilium: boolean;
  readonly #hasBranchInterfaces: boolean;

  constructor(links: readonly Link[]) {
    this.#byIndex = new Map(links.map((link) => [link.index, link]));
    // Felix makes this pair of devices when its eBPF data plane starts and removes it when that is switched off.
    this.#hasCalicoEbpf = links.some(({ name }) => name === "bpfin.cali");
    this.#hasCilium = links.some(({ name }) => CILIUM_HOST.test(name));
    this.#hasBranchInterfaces = links.some(({ name }) => /^vlan\.eth\.\d+$/.test(name));
  }

  /** `uplinkIndex`: the interface to everywhere else, of the pod's family. */
  placeOf(route: Route, uplinkIndex: number | undefined): PodPlace | undefined {
    if (route.type === "local") return { kind: "own" };
    if (route.type !== "unicast") return { kind: "unrouted" };
    const link = this.#byIndex.get(route.interfaceIndex);
    // It went between two questions to the kernel; the next check sees what is there then.
    if (link === undefined) return undefined;
    const isOnLink = route.gateway === undefined;
    const bridge = isOnLink ? this.#bridgeOf(link) : undefined;
    if (bridge !== undefined) return { kind: "bridged", link: bridge };
    if (link.kind === "openvswitch" || OPEN_VSWITCH_IN_USER_SPACE.test(link.name))
      return { kind: "open-vswitch", link };
    if (CILIUM_HOST.test(link.name)) return { kind: "cilium", link };
    if (link.index === uplinkIndex || isOutward(link)) {
      // With a security group for each pod, AWS decides by the incoming interface: the node's own packets go elsewhere.
      return this.#hasBranchInterfaces ? undefined : { kind: "outside", link };
    }
    if (this.#hasCalicoEbpf && link.kind === "veth") return { kind: "calico-ebpf", link };
    // In a chain behind another plugin, and on GKE, Cilium's programs sit on interfaces with other names than lxc….
    if (link.kind === "netkit" || (this.#hasCilium && link.kind === "veth")) return { kind: "cilium-endpoint", link };
    return { kind: "routed", link };
  }

  /** Where packets leave the node for these pods. */
  portsOf(pods: readonly PlacedPod[]): PodPorts {
    const routed = pods.filter(({ place }) => HAS_OWN_PORT.has(place.kind));
    const masters = new Set(pods.flatMap(({ place }) => (place.kind === "bridged" ? [place.link.index] : [])));
    if (pods.some(({ place }) => place.kind === "open-vswitch")) {
      for (const { kind, index } of this.#byIndex.values()) if (kind === "openvswitch") masters.add(index);
    }
    const switched = [...this.#byIndex.values()].filter(
      (link) => link.masterIndex !== undefined && masters.has(link.masterIndex) && !isOutward(link),
    );
    return {
      switched: switched.map(({ name }) => name),
      own: new Map(podsByLink(routed).map(({ link, addresses }) => [link.name, addresses])),
    };
  }

  /** The bridge itself, or the one below a VLAN of it. */
  #bridgeOf(link: Link): Link | undefined {
    if (link.kind === "bridge") return link;
    if (link.kind !== "vlan" || link.parentIndex === undefined || link.parentNetnsId !== undefined) return undefined;
    const parent = this.#byIndex.get(link.parentIndex);
    return parent?.kind === "bridge" ? parent : undefined;
  }
}

const HAS_OWN_PORT: ReadonlySet<PodPlace["kind"]> = new Set(["routed", "cilium-endpoint", "calico-ebpf"]);

/** A veth pair of Cilium's own; the first carries its router's address. */
const CILIUM_HOST = /^cilium_(host|net)$/;

/** Antrea, OVN-Kubernetes and Kube-OVN where Open vSwitch runs in user space: the kernel calls these tun. */
const OPEN_VSWITCH_IN_USER_SPACE = /^(antrea-gw\d+|ovn-k8s-mp\d+|ovn0|ovs-netdev)$/;

const OUTWARD_KINDS: ReadonlySet<string> = new Set([
  ...["bond", "team", "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"],
  ...[
    "vxlan",
    "geneve",
    "gre",
    "gretap",
    "ip6gre",
    "erspan",
    "ipip",
    "sit",
    "ip6tnl",
    "wireguard",
    "vti",
    "vti6",
    "xfrm",
  ],
]);

/** A network card, or what leads to one. */
function isOutward({ kind }: Link): boolean {
  return kind === undefined || OUTWARD_KINDS.has(kind);
}
