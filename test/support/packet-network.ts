// A node with pods in network namespaces, both families: pods with a route each, pods on a bridge, and pods of another node
// behind an uplink. Owns links, addresses and routes; no rules, and nothing on the host.
//
//   routed pod (/32, /128) ── veth ──┐
//                                    ├── node (forwards) ── uplink ── outside: the pods of another node
//   bridged pods ── veth ── cni0 ────┘

import type { Address, Family } from "../../src/net/address.ts";
import { type Netns, withNetns } from "./netns.ts";

export type Attachment = "routed" | "bridged" | "outside";

/** Who can send and receive. Those outside share one namespace, with addresses of their own. */
export interface PacketHost {
  readonly name: string;
  readonly attachment: Attachment;
  readonly ns: Netns;
  readonly addresses: Readonly<Record<Family, Address>>;
}

export interface PacketNetwork {
  readonly node: Netns;
  /** Throws for a name that was not asked for. */
  host(name: string): PacketHost;
}

/** What the node's own pods have addresses in, as Node.spec.podCIDRs says it. */
export const POD_CIDRS = ["10.244.1.0/24", "fd00:10:244:1::/64"] as const;

const GATEWAY = { 4: "169.254.1.1", 6: "fe80::1" } as const;
const BRIDGE = { 4: "10.244.1.129", 6: "fd00:10:244:1:8000::1" } as const;

/** Calls `body` with the network; nothing of it remains. Cost: about 100 ms for each pod of the node. */
export async function withPacketNetwork<T>(
  hosts: Readonly<Record<string, Attachment>>,
  body: (network: PacketNetwork) => Promise<T>,
): Promise<T> {
  const names = Object.keys(hosts);
  const pods = names.filter((name) => hosts[name] !== "outside");
  return await withNamespaces(2 + pods.length, async ([node, outside, ...podNamespaces]) => {
    if (node === undefined || outside === undefined) throw new Error("no namespaces");
    await prepareNode(node, outside);
    const made = new Map<string, PacketHost>();
    for (const [index, name] of names.entries()) {
      const attachment = hosts[name] as Attachment;
      const ns = attachment === "outside" ? outside : (podNamespaces[pods.indexOf(name)] as Netns);
      const host = { name, attachment, ns, addresses: addressesOf(attachment, index) };
      made.set(name, host);
      await attach(node, host, `pod${index}`);
    }
    return await body({
      node,
      host(name) {
        const host = made.get(name);
        if (host === undefined) throw new Error(`no host ${name} in this network`);
        return host;
      },
    });
  });
}

function addressesOf(attachment: Attachment, index: number): PacketHost["addresses"] {
  const make = (ipv4: string, ipv6: string) => ({ 4: ipv4 as Address, 6: ipv6 as Address });
  const hex = (index + 10).toString(16);
  if (attachment === "routed") return make(`10.244.1.${index + 10}`, `fd00:10:244:1::${hex}`);
  if (attachment === "bridged") return make(`10.244.1.${index + 140}`, `fd00:10:244:1:8000::${hex}`);
  return make(`10.244.2.${index + 10}`, `fd00:10:244:2::${hex}`);
}

async function withNamespaces<T>(count: number, body: (made: readonly Netns[]) => Promise<T>): Promise<T> {
  const nest = (made: readonly Netns[]): Promise<T> =>
    made.length === count ? body(made) : withNetns((ns) => nest([...made, ns]));
  return await nest([]);
}

async function prepareNode(node: Netns, outside: Netns): Promise<void> {
  await quieten(node);
  await quieten(outside);
  await set(node, "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.rp_filter=0");
  // A namespace has these of its own; without them bridged packets cross no rules of family inet.
  await set(node, "net.bridge.bridge-nf-call-iptables=1", "net.bridge.bridge-nf-call-ip6tables=1");
  // Flows of one packet are many here: their entries go before the table is full of them.
  await set(node, "net.netfilter.nf_conntrack_udp_timeout=5");
  await ip(
    node,
    "link add cni0 type bridge",
    `addr add ${BRIDGE[4]}/25 dev cni0`,
    `addr add ${BRIDGE[6]}/65 dev cni0 nodad`,
    "link set cni0 up",
    `link add uplink type veth peer name eth0 netns ${outside.name}`,
    "addr add 172.18.0.1/24 dev uplink",
    "addr add fd00:172:18::1/64 dev uplink nodad",
    "link set uplink up",
  );
  await ip(
    outside,
    "addr add 172.18.0.2/24 dev eth0",
    "addr add fd00:172:18::2/64 dev eth0 nodad",
    "link set eth0 up",
    "route add default via 172.18.0.1",
    "route add default via fd00:172:18::1",
  );
  await ip(node, "route add 10.244.2.0/24 via 172.18.0.2", "route add fd00:10:244:2::/64 via fd00:172:18::2");
}

async function attach(node: Netns, { attachment, ns, addresses }: PacketHost, link: string): Promise<void> {
  const single = [`addr add ${addresses[4]}/32 dev`, `addr add ${addresses[6]}/128 nodad dev`];
  if (attachment === "outside") {
    await ip(ns, ...single.map((command) => `${command} eth0`));
    return;
  }
  await quieten(ns);
  const pair = `link add ${link} type veth peer name eth0 netns ${ns.name}`;
  if (attachment === "bridged") {
    await ip(node, pair, `link set ${link} master cni0 up`);
    await ip(
      ns,
      `addr add ${addresses[4]}/25 dev eth0`,
      `addr add ${addresses[6]}/65 dev eth0 nodad`,
      "link set eth0 up",
      `route add default via ${BRIDGE[4]}`,
      `route add default via ${BRIDGE[6]}`,
    );
    return;
  }
  await ip(
    node,
    pair,
    `addr add ${GATEWAY[4]}/32 dev ${link}`,
    `addr add ${GATEWAY[6]}/64 dev ${link} nodad`,
    `link set ${link} up`,
    `route add ${addresses[4]}/32 dev ${link}`,
    `route add ${addresses[6]}/128 dev ${link}`,
  );
  await ip(
    ns,
    ...single.map((command) => `${command} eth0`),
    "link set eth0 up",
    `route add ${GATEWAY[4]} dev eth0 scope link`,
    `route add default via ${GATEWAY[4]} dev eth0 onlink`,
    `route add default via ${GATEWAY[6]} dev eth0`,
  );
}

/** Addresses can be used at once: nobody looks for duplicates. */
async function quieten(ns: Netns): Promise<void> {
  await set(ns, "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0");
}

async function set(ns: Netns, ...settings: readonly string[]): Promise<void> {
  await must(ns, ["sysctl", "-q", "-w", ...settings], "");
}

/** Commands of `ip -batch`, in one process. */
async function ip(ns: Netns, ...commands: readonly string[]): Promise<void> {
  await must(ns, ["ip", "-batch", "-"], `${commands.join("\n")}\n`);
}

async function must(ns: Netns, argv: readonly string[], input: string): Promise<void> {
  const { code, stderr } = await ns.run(argv, { input });
  if (code !== 0 || stderr !== "") throw new Error(`${argv.join(" ")}: ${stderr}${input}`);
}
