// The commands that a plan becomes: who is joined to whom in each topology.

import { describe, expect, it } from "vitest";
import type { PodKey } from "../model/cluster.ts";
import type { Address } from "../net/address.ts";
import { type Batch, type LabNamespaces, networkPhases } from "./network-commands.ts";
import type { LabPlan, LabPod } from "./plan.ts";
import { TOPOLOGIES, type Topology } from "./topology.ts";

/** Names that would do harm as commands. */
const EVIL = "x; link del uplink\nnetns exec";

const SHOP: LabPod = { key: "shop/web" as PodKey, node: "n1", addresses: addresses("10.0.0.1", "fd00::1") };
const NEAR: LabPod = { key: `${EVIL}/db` as PodKey, node: "n1", addresses: addresses("10.0.0.2") };
const FAR: LabPod = { key: "shop/far" as PodKey, node: EVIL, addresses: addresses("10.0.1.3", "fd00:1::3") };

function addresses(...texts: readonly string[]): Address[] {
  return texts as Address[];
}

function planOf(topology: Topology): LabPlan {
  return {
    topology,
    nodes: [
      { name: "n1", addresses: addresses("192.168.0.1", "2001:db8::1") },
      { name: EVIL, addresses: addresses("192.168.0.2", "192.168.7.2", "2001:db8::2") },
    ],
    pods: [SHOP, NEAR, FAR],
    outside: addresses("8.8.8.8", "2001:4860::8"),
  };
}

function namespacesOf(plan: LabPlan): LabNamespaces {
  return {
    outside: "outside",
    node: (name) => `node${plan.nodes.findIndex((node) => node.name === name)}`,
    pod: (key) => `pod${plan.pods.findIndex((pod) => pod.key === key)}`,
  };
}

function phasesOf(topology: Topology): readonly (readonly Batch[])[] {
  const plan = planOf(topology);
  return networkPhases(plan, namespacesOf(plan));
}

/** Of one namespace, in the order in which they run. */
function commandsOf(topology: Topology, ns: string): string[] {
  const batches = phasesOf(topology).flat();
  return batches
    .filter((each) => each.ns === ns)
    .flatMap(({ program, commands }) => commands.map((each) => `${program} ${each}`));
}

const UPLINK_OF_N1 = [
  "ip link set lo up",
  "ip link add uplink type veth peer name node0 netns outside",
  "ip link set uplink up",
  "ip addr add 192.168.0.1/32 dev uplink",
  "ip addr add 2001:db8::1/128 dev uplink nodad",
  "ip addr add fe80::2/64 dev uplink nodad",
];
const DEFAULTS_OF_N1 = [
  "ip route add default via 169.254.2.1 dev uplink onlink src 192.168.0.1",
  "ip route add default via fe80::ff dev uplink src 2001:db8::1",
];
const POD_START = [
  "ip link set lo up",
  "ip addr add 10.0.0.1/32 dev eth0",
  "ip addr add fd00::1/128 dev eth0 nodad",
  "ip link set eth0 up",
  "ip route add 169.254.1.1 dev eth0 scope link",
  "ip route add default via 169.254.1.1 dev eth0 onlink",
  "ip route add default via fe80::1 dev eth0",
];

describe("a node", () => {
  it("routed: has a link with the pods' next hop and a route for each of its pods", () => {
    expect(commandsOf("routed", "node0")).toEqual([
      ...UPLINK_OF_N1,
      "ip link add pod0 type veth peer name eth0 address 02:6e:70:00:00:00 netns pod0",
      "ip link set pod0 address 02:6e:67:00:00:01 up",
      "ip addr add 169.254.1.1/32 dev pod0",
      "ip addr add fe80::1/64 dev pod0 nodad",
      "ip link add pod1 type veth peer name eth0 address 02:6e:70:00:00:01 netns pod1",
      "ip link set pod1 address 02:6e:67:00:00:01 up",
      "ip addr add 169.254.1.1/32 dev pod1",
      "ip addr add fe80::1/64 dev pod1 nodad",
      ...DEFAULTS_OF_N1,
      "ip route add 10.0.0.1/32 dev pod0 src 192.168.0.1",
      "ip route add fd00::1/128 dev pod0 src 2001:db8::1",
      "ip route add 10.0.0.2/32 dev pod1 src 192.168.0.1",
    ]);
  });

  const BRIDGED = [
    ...UPLINK_OF_N1,
    "ip link add cni0 address 02:6e:67:00:00:01 type bridge",
    "ip link set cni0 up",
    "ip addr add 169.254.1.1/32 dev cni0",
    "ip addr add fe80::1/64 dev cni0 nodad",
    "ip link add pod0 type veth peer name eth0 address 02:6e:70:00:00:00 netns pod0",
    "ip link set pod0 master cni0 up",
    "ip link set pod0 type bridge_slave hairpin on",
    "ip link add pod1 type veth peer name eth0 address 02:6e:70:00:00:01 netns pod1",
    "ip link set pod1 master cni0 up",
    "ip link set pod1 type bridge_slave hairpin on",
    ...DEFAULTS_OF_N1,
    "ip route add 10.0.0.1/32 dev cni0 src 192.168.0.1",
    "ip route add fd00::1/128 dev cni0 src 2001:db8::1",
    "ip route add 10.0.0.2/32 dev cni0 src 192.168.0.1",
  ];

  it("bridged: has all its pods on one bridge that sends back where it came from", () => {
    expect(commandsOf("bridged", "node0")).toEqual(BRIDGED);
  });

  it("vxlan: has a tunnel besides, and reaches the other nodes' pods through it", () => {
    expect(commandsOf("vxlan", "node0")).toEqual([
      ...BRIDGED,
      "ip link add flannel.1 address 02:6e:66:00:00:00 mtu 1450 type vxlan id 1 local 192.168.0.1 dev uplink dstport 8472 nolearning",
      "ip addr add 169.254.80.1/32 dev flannel.1",
      "ip addr add fe80::80:1/64 dev flannel.1 nodad",
      "ip link set flannel.1 up",
      "ip neigh add 169.254.80.2 lladdr 02:6e:66:00:00:01 dev flannel.1 nud permanent",
      "ip neigh add fe80::80:2 lladdr 02:6e:66:00:00:01 dev flannel.1 nud permanent",
      "ip route add 10.0.1.3/32 via 169.254.80.2 dev flannel.1 onlink",
      "ip route add fd00:1::3/128 via fe80::80:2 dev flannel.1",
      "bridge fdb add 02:6e:66:00:00:01 dev flannel.1 dst 192.168.0.2",
    ]);
  });

  it("vxlan, alone: has no tunnel, for there is nobody on its other side", () => {
    const plan = { ...planOf("vxlan"), nodes: planOf("vxlan").nodes.slice(0, 1), pods: [SHOP, NEAR] };
    const commands = networkPhases(plan, namespacesOf(plan))
      .flat()
      .flatMap((each) => each.commands);
    expect(commands.filter((each) => each.includes("flannel"))).toEqual([]);
  });
});

describe("a pod", () => {
  it("routed: reaches everything through its next hop", () => {
    expect(commandsOf("routed", "pod0")).toEqual(POD_START);
  });

  it.each(["bridged", "vxlan"] as const)("%s: reaches its neighbours directly, in the families of both", (topology) => {
    expect(commandsOf(topology, "pod0")).toEqual([...POD_START, "ip route add 10.0.0.2/32 dev eth0"]);
  });

  it("has no route of a family that it has no address of", () => {
    expect(commandsOf("bridged", "pod1").filter((each) => each.includes(":"))).toEqual([]);
  });
});

describe("the outside", () => {
  it("has the plain addresses, and a route to each node and to each pod by its node", () => {
    expect(commandsOf("routed", "outside")).toEqual([
      "ip link set lo up",
      "ip addr add 8.8.8.8/32 dev lo",
      "ip addr add 2001:4860::8/128 dev lo nodad",
      "ip link set node0 up",
      "ip addr add 169.254.2.1/32 dev node0",
      "ip addr add fe80::ff/64 dev node0 nodad",
      "ip route add 192.168.0.1/32 dev node0",
      "ip route add 2001:db8::1/128 dev node0",
      "ip route add 10.0.0.1/32 via 192.168.0.1 dev node0 onlink",
      "ip route add fd00::1/128 via fe80::2 dev node0",
      "ip route add 10.0.0.2/32 via 192.168.0.1 dev node0 onlink",
      "ip link set node1 up",
      "ip addr add 169.254.2.1/32 dev node1",
      "ip addr add fe80::ff/64 dev node1 nodad",
      "ip route add 192.168.0.2/32 dev node1",
      "ip route add 192.168.7.2/32 dev node1",
      "ip route add 2001:db8::2/128 dev node1",
      "ip route add 10.0.1.3/32 via 192.168.0.2 dev node1 onlink",
      "ip route add fd00:1::3/128 via fe80::2 dev node1",
    ]);
  });
});

describe.each(TOPOLOGIES)("%s", (topology) => {
  it("no name of a pod or a node is in a command: each is one line of words, addresses and numbers", () => {
    const commands = phasesOf(topology)
      .flat()
      .flatMap((each) => each.commands);
    expect(commands.filter((each) => !/^[a-z0-9][\w .:/-]*$/.test(each))).toEqual([]);
    expect(commands.filter((each) => /shop|far|db|netns exec/.test(each.replace(/2001:db8|fdb/g, "")))).toEqual([]);
  });

  it("every link is made before somebody uses its other end: in a phase before", () => {
    const phases = phasesOf(topology);
    const uses = (ns: string) => phases.findIndex((phase) => phase.some((each) => each.ns === ns));
    const ends = phases.flatMap((phase, number) =>
      phase.flatMap(({ commands }) =>
        commands.flatMap((each) => {
          const ns = /peer name .* netns (\S+)$/.exec(each)?.[1];
          return ns === undefined ? [] : [{ ns, number }];
        }),
      ),
    );
    expect(ends.map(({ ns }) => ns).sort()).toEqual(["outside", "outside", "pod0", "pod1", "pod2"]);
    expect(ends.filter(({ ns, number }) => uses(ns) <= number)).toEqual([]);
  });
});

it("300 nodes have tunnels with addresses that there are", () => {
  const nodes = Array.from({ length: 300 }, (_, index) => ({
    name: `n${index}`,
    addresses: addresses(`192.168.${index >> 8}.${index & 255}`, `2001:db8::${index + 1}`),
  }));
  const plan: LabPlan = { topology: "vxlan", nodes, pods: [], outside: [] };
  const commands = networkPhases(plan, namespacesOf(plan))
    .flat()
    .flatMap((each) => each.commands);
  expect(commands).toContain("addr add 169.254.81.44/32 dev flannel.1");
  expect(commands.filter((each) => /\.(25[6-9]|2[6-9]\d|3\d\d)\b/.test(each))).toEqual([]);
});

describe("many pods on one node, more than the kernel's table of neighbours has room for when they ask", () => {
  const pods = Array.from(
    { length: 300 },
    (_, index): LabPod => ({
      key: `a/p${index}` as PodKey,
      node: "n1",
      addresses: addresses(`10.0.${index >> 8}.${index & 255}`),
    }),
  );
  const told = (topology: Topology, ns: string) => {
    const plan: LabPlan = { ...planOf(topology), pods };
    const batches = networkPhases(plan, namespacesOf(plan)).flat();
    const commands = batches.filter((each) => each.ns === ns).flatMap((each) => each.commands);
    return commands.filter((each) => each.startsWith("neigh add") && !each.includes("flannel"));
  };

  it.each(["bridged", "vxlan"] as const)("%s: a pod is told its next hop and its neighbours", (topology) => {
    expect(told(topology, "pod0")).toHaveLength(2 + 299);
    expect(told(topology, "pod0")).toContain("neigh add 10.0.1.43 lladdr 02:6e:70:00:01:2b dev eth0 nud permanent");
  });

  it("routed: a pod is told its next hop, which is all that it has to know", () => {
    expect(told("routed", "pod0")).toEqual([
      "neigh add 169.254.1.1 lladdr 02:6e:67:00:00:01 dev eth0 nud permanent",
      "neigh add fe80::1 lladdr 02:6e:67:00:00:01 dev eth0 nud permanent",
    ]);
  });

  it("their node is told where each of them is", () => {
    expect(told("routed", "node0")).toContain("neigh add 10.0.1.43 lladdr 02:6e:70:00:01:2b dev pod299 nud permanent");
    expect(told("bridged", "node0")).toContain("neigh add 10.0.1.43 lladdr 02:6e:70:00:01:2b dev cni0 nud permanent");
  });

  it("few pods ask, as in a cluster", () => {
    expect(commandsOf("bridged", "pod0").filter((each) => each.includes("neigh add"))).toEqual([]);
  });
});
