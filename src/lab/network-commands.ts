// A plan as commands of iproute2: links, addresses and routes. Pure; owns who is joined to whom, and the addresses between.
//
//   pod ── veth ── node ── uplink ── outside: forwards between the nodes, and has the plain addresses on its loopback
//          or ── veth ── cni0 (bridge) ─┘ └── flannel.1 (VXLAN) ··· the other nodes

import type { PodKey } from "../model/cluster.ts";
import { type Address, addressFamily, addressValue, FAMILIES, type Family, formatAddress } from "../net/address.ts";
import type { LabNode, LabPlan, LabPod } from "./plan.ts";

/** The network namespaces of a plan's parts. */
export interface LabNamespaces {
  readonly outside: string;
  readonly node: (name: string) => string;
  readonly pod: (key: PodKey) => string;
}

/** Commands of one namespace for `ip -batch` or `bridge -batch`. */
export interface Batch {
  readonly program: "ip" | "bridge";
  readonly ns: string;
  readonly commands: readonly string[];
}

/** Next hop of every pod: nobody's policy can mean it. */
const GATEWAY: Readonly<Record<Family, string>> = { 4: "169.254.1.1", 6: "fe80::1" };
/** The same on the links between nodes: a node's own addresses are no next hop of it. */
const FABRIC: Readonly<Record<Family, string>> = { 4: "169.254.2.1", 6: "fe80::ff" };
const GATEWAY_MAC = "02:6e:67:00:00:01";
/** A node's end of its uplink, for IPv6; IPv4 has its own address there. */
const UPLINK_OF_NODE = "fe80::2";
const BRIDGE = "cni0";
const TUNNEL = "flannel.1";
/** The addresses of the nodes' tunnels follow. */
const TUNNEL_START: Readonly<Record<Family, Address>> = { 4: "169.254.80.0" as Address, 6: "fe80::80:0" as Address };
/**
 * All namespaces of a machine share the kernel's table of neighbours: 1,024 entries that were found by asking, of each family
 * (net.ipv4.neigh.default.gc_thresh3). Above this number neighbours are told, which costs nothing of that.
 */
const MAX_ASKED_NEIGHBOURS = 400;
/** VXLAN adds 50 bytes to a packet. */
const TUNNEL_MTU = 1450;

/** A plan with what is asked of it again and again. */
interface Layout extends LabPlan {
  readonly numberOf: ReadonlyMap<LabPod, number>;
  readonly podsOf: ReadonlyMap<string, readonly LabPod[]>;
  readonly tellsNeighbours: boolean;
}

function layOut(plan: LabPlan): Layout {
  const numberOf = new Map(plan.pods.map((pod, index) => [pod, index]));
  const podsOf = Map.groupBy(plan.pods, ({ node }) => node);
  const asked = [...podsOf.values()].reduce((sum, pods) => {
    const bridged = pods.filter((pod) => isBridged(plan, pod)).length;
    return sum + 2 * pods.length + bridged * bridged;
  }, 0);
  return { ...plan, numberOf, podsOf, tellsNeighbours: asked > MAX_ASKED_NEIGHBOURS };
}

/** In phases: the batches of one phase may run side by side. */
export function networkPhases(input: LabPlan, namespaces: LabNamespaces): readonly (readonly Batch[])[] {
  const plan = layOut(input);
  const ip = (ns: string, commands: readonly string[]): Batch => ({ program: "ip", ns, commands });
  const nodes = plan.nodes.map((node, index) => ({ node, index, ns: namespaces.node(node.name) }));
  return [
    nodes.map(({ node, index, ns }) => ip(ns, nodeLinks(plan, node, index, namespaces))),
    [
      ...plan.pods.map((pod) => ip(namespaces.pod(pod.key), podCommands(plan, pod))),
      ip(namespaces.outside, outsideCommands(plan)),
    ],
    nodes.map(({ node, ns }) => ip(ns, nodeRoutes(plan, node))),
    ...(plan.topology === "vxlan" && nodes.length > 1
      ? [
          nodes.map(({ node, index, ns }) => ip(ns, tunnelCommands(plan, node, index))),
          nodes.map(({ node, ns }): Batch => ({ program: "bridge", ns, commands: tunnelPlaces(plan, node) })),
        ]
      : []),
  ];
}

function podLink(plan: Layout, pod: LabPod): string {
  return `pod${plan.numberOf.get(pod)}`;
}

function nodeLinks(plan: Layout, node: LabNode, index: number, namespaces: LabNamespaces): string[] {
  const pods = podsOf(plan, node);
  const hasBridge = plan.topology !== "routed" || pods.some((pod) => isBridged(plan, pod));
  return [
    "link set lo up",
    `link add uplink type veth peer name node${index} netns ${namespaces.outside}`,
    "link set uplink up",
    ...node.addresses.map((address) => `addr add ${host(address)} dev uplink${nodad(address)}`),
    `addr add ${UPLINK_OF_NODE}/64 dev uplink nodad`,
    ...(hasBridge
      ? [
          `link add ${BRIDGE} address ${GATEWAY_MAC} type bridge`,
          `link set ${BRIDGE} up`,
          ...addressesOn(BRIDGE, GATEWAY),
        ]
      : []),
    ...pods.flatMap((pod) => {
      const link = podLink(plan, pod);
      return [
        `link add ${link} type veth peer name eth0 address ${podMac(plan, pod)} netns ${namespaces.pod(pod.key)}`,
        ...(isBridged(plan, pod)
          ? [`link set ${link} master ${BRIDGE} up`, `link set ${link} type bridge_slave hairpin on`]
          : [`link set ${link} address ${GATEWAY_MAC} up`, ...addressesOn(link, GATEWAY)]),
      ];
    }),
  ];
}

function isBridged(plan: LabPlan, pod: LabPod): boolean {
  return pod.attachment === undefined ? plan.topology !== "routed" : pod.attachment === "bridged";
}

function addressesOn(link: string, addresses: Readonly<Record<Family, string>>): string[] {
  return [`addr add ${addresses[4]}/32 dev ${link}`, `addr add ${addresses[6]}/64 dev ${link} nodad`];
}

/** On a bridge, the pods of the same node are reached directly. */
function podCommands(plan: Layout, pod: LabPod): string[] {
  const besides = isBridged(plan, pod) ? (plan.podsOf.get(pod.node) ?? []) : [];
  const neighbours = besides.filter((other) => other !== pod && isBridged(plan, other));
  return [
    "link set lo up",
    ...pod.addresses.map((address) => `addr add ${host(address)} dev eth0${nodad(address)}`),
    "link set eth0 up",
    ...defaultRoutes("eth0", pod.addresses),
    ...neighbours.flatMap(({ addresses }) =>
      addresses
        .filter((address) => sharesFamily(address, pod.addresses))
        .map((address) => `route add ${host(address)} dev eth0`),
    ),
    ...(plan.tellsNeighbours ? toldNeighbours(plan, neighbours) : []),
  ];
}

function outsideCommands(plan: Layout): string[] {
  return [
    "link set lo up",
    ...plan.outside.map((address) => `addr add ${host(address)} dev lo${nodad(address)}`),
    ...plan.nodes.flatMap((node, index) => {
      const link = `node${index}`;
      const via = (address: Address) =>
        addressFamily(address) === 4 ? `${firstIpv4(node)} dev ${link} onlink` : `${UPLINK_OF_NODE} dev ${link}`;
      return [
        `link set ${link} up`,
        ...addressesOn(link, FABRIC),
        ...node.addresses.map((address) => `route add ${host(address)} dev ${link}`),
        ...podsOf(plan, node).flatMap(({ addresses }) =>
          addresses.map((address) => `route add ${host(address)} via ${via(address)}`),
        ),
      ];
    }),
  ];
}

function nodeRoutes(plan: Layout, node: LabNode): string[] {
  const toPods = podsOf(plan, node).flatMap((pod) => {
    const link = isBridged(plan, pod) ? BRIDGE : podLink(plan, pod);
    return pod.addresses.map((address) => `route add ${host(address)} dev ${link}${sourceOf(node, address)}`);
  });
  const defaults = FAMILIES.map((family) => {
    const source = node.addresses.find((address) => addressFamily(address) === family) as Address;
    return `route add default via ${FABRIC[family]} dev uplink${family === 4 ? " onlink" : ""} src ${source}`;
  });
  const told = plan.tellsNeighbours
    ? podsOf(plan, node).flatMap((pod) =>
        neighbourCommands(plan, pod, isBridged(plan, pod) ? BRIDGE : podLink(plan, pod)),
      )
    : [];
  return [...defaults, ...toPods, ...told];
}

function toldNeighbours(plan: Layout, neighbours: readonly LabPod[]): string[] {
  const gateways = FAMILIES.map(
    (family) => `neigh add ${GATEWAY[family]} lladdr ${GATEWAY_MAC} dev eth0 nud permanent`,
  );
  return [...gateways, ...neighbours.flatMap((neighbour) => neighbourCommands(plan, neighbour, "eth0"))];
}

function neighbourCommands(plan: Layout, pod: LabPod, link: string): string[] {
  return pod.addresses.map((address) => `neigh add ${address} lladdr ${podMac(plan, pod)} dev ${link} nud permanent`);
}

/** What a node itself sends to its pods comes from its own address, as with a pod network's bridge address. */
function sourceOf(node: LabNode, address: Address): string {
  const source = node.addresses.find((each) => addressFamily(each) === addressFamily(address));
  return source === undefined ? "" : ` src ${source}`;
}

interface Numbered {
  readonly other: LabNode;
  readonly number: number;
}

function otherNodes(plan: Layout, node: LabNode): Numbered[] {
  return plan.nodes.map((other, number) => ({ other, number })).filter(({ other }) => other !== node);
}

/** As Flannel does it: one VXLAN device, and for each other node a permanent neighbour and routes to its pods. */
function tunnelCommands(plan: Layout, node: LabNode, index: number): string[] {
  return [
    `link add ${TUNNEL} address ${tunnelMac(index)} mtu ${TUNNEL_MTU} type vxlan id 1 local ${firstIpv4(node)} dev uplink dstport 8472 nolearning`,
    `addr add ${tunnelAddress(4, index)}/32 dev ${TUNNEL}`,
    `addr add ${tunnelAddress(6, index)}/64 dev ${TUNNEL} nodad`,
    `link set ${TUNNEL} up`,
    ...otherNodes(plan, node).flatMap(({ other, number }) => [
      ...FAMILIES.map(
        (family) =>
          `neigh add ${tunnelAddress(family, number)} lladdr ${tunnelMac(number)} dev ${TUNNEL} nud permanent`,
      ),
      ...podsOf(plan, other).flatMap(({ addresses }) =>
        addresses.map((address) => {
          const family = addressFamily(address);
          return `route add ${host(address)} via ${tunnelAddress(family, number)} dev ${TUNNEL}${family === 4 ? " onlink" : ""}`;
        }),
      ),
    ]),
  ];
}

/** On which node each neighbour of the tunnel is: `bridge` says it. */
function tunnelPlaces(plan: Layout, node: LabNode): string[] {
  return otherNodes(plan, node).map(
    ({ other, number }) => `fdb add ${tunnelMac(number)} dev ${TUNNEL} dst ${firstIpv4(other)}`,
  );
}

function podMac(plan: Layout, pod: LabPod): string {
  const index = plan.numberOf.get(pod) as number;
  return `02:6e:70:00:${hexByte(index >> 8)}:${hexByte(index & 255)}`;
}

function tunnelMac(index: number): string {
  return `02:6e:66:00:${hexByte(index >> 8)}:${hexByte(index & 255)}`;
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

function tunnelAddress(family: Family, index: number): string {
  return formatAddress(family, addressValue(TUNNEL_START[family]) + BigInt(index + 1));
}

function firstIpv4({ addresses }: LabNode): Address {
  return addresses.find((address) => addressFamily(address) === 4) as Address;
}

function podsOf(plan: Layout, node: LabNode): readonly LabPod[] {
  return plan.podsOf.get(node.name) ?? [];
}

function defaultRoutes(link: string, addresses: readonly Address[]): string[] {
  const routes: string[] = [];
  if (addresses.some((address) => addressFamily(address) === 4))
    routes.push(
      `route add ${GATEWAY[4]} dev ${link} scope link`,
      `route add default via ${GATEWAY[4]} dev ${link} onlink`,
    );
  if (addresses.some((address) => addressFamily(address) === 6))
    routes.push(`route add default via ${GATEWAY[6]} dev ${link}`);
  return routes;
}

function sharesFamily(address: Address, addresses: readonly Address[]): boolean {
  return addresses.some((each) => addressFamily(each) === addressFamily(address));
}

function host(address: Address): string {
  return `${address}/${addressFamily(address) === 4 ? 32 : 128}`;
}

/** Nobody looks for duplicates: the address can be used at once. */
function nodad(address: Address): string {
  return addressFamily(address) === 6 ? " nodad" : "";
}
