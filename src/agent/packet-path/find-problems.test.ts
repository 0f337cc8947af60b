// Topologies of the common network plugins as data, in the words of `ip link` and `ip route get`.

import { describe, expect, it } from "vitest";
import { type Address, addressFamily } from "../../net/address.ts";
import type { Link } from "../../netlink/links.ts";
import type { Route } from "../../netlink/routes.ts";
import { findPathProblems, type PathFacts, type PathSwitches } from "./find-problems.ts";
import { problemText } from "./problem.ts";

interface Topology {
  /** `NAME [KIND] [master MASTER] [on PARENT]`; eth0 and lo are always there. */
  readonly links: readonly string[];
  /** By pod address: `dev NAME`, `via GATEWAY dev NAME`, `local`, `unreachable`, `blackhole`. */
  readonly routes: Readonly<Record<string, string>>;
  readonly uplink?: string;
  readonly switches?: Partial<PathSwitches>;
  readonly settledMs?: number;
  readonly judgesIpvs?: boolean;
  readonly podsSeenCrossing?: boolean;
}

const NONE = { 4: new Set<number>(), 6: new Set<number>() };
const GOOD: PathSwitches = {
  bridgeCalls: { 4: true, 6: true },
  callingBridges: NONE,
  forwarding: { 4: true, 6: true },
  forwardingLinks: NONE,
  forwardingCostsRoutes: false,
};
const NO_MODULE: Partial<PathSwitches> = { bridgeCalls: { 4: undefined, 6: undefined } };

function factsOf(topology: Topology): PathFacts {
  const names = ["lo", "eth0", ...topology.links].map((text) => text.split(" ")[0] ?? "");
  const indexOf = (name: string) => names.indexOf(name) + 1;
  const links = ["lo", "eth0", ...topology.links].map((text): Link => {
    const [, name = "", kind, master, parent] =
      /^(\S+)(?: (?!master|on)(\S+))?(?: master (\S+))?(?: on (\S+))?$/.exec(text) ?? [];
    return {
      index: indexOf(name),
      name,
      kind,
      masterIndex: master === undefined ? undefined : indexOf(master),
      parentIndex: parent === undefined ? undefined : indexOf(parent),
      parentNetnsId: undefined,
      isUp: true,
      hasXdp: false,
    };
  });
  const routeOf = (text: string): Route => {
    if (text === "unreachable" || text === "blackhole") return { type: text };
    if (text === "local") return { type: "local", interfaceName: "lo", interfaceIndex: 1, gateway: undefined };
    const [, gateway, name = ""] = /^(?:via (\S+) )?dev (\S+)$/.exec(text) ?? [];
    return {
      type: "unicast",
      interfaceName: name,
      interfaceIndex: indexOf(name),
      gateway: gateway as Address | undefined,
    };
  };
  const uplink = indexOf(topology.uplink ?? "eth0");
  return {
    links,
    pods: Object.entries(topology.routes).map(([address, route]) => ({
      address: address as Address,
      route: routeOf(route),
      settledMs: topology.settledMs ?? 3_600_000,
    })),
    uplinks: { 4: uplink, 6: uplink },
    switches: { ...GOOD, ...topology.switches },
    judgesIpvs: topology.judgesIpvs ?? false,
    podsSeenCrossing: topology.podsSeenCrossing ?? false,
  };
}

const problemsOf = (topology: Topology) => findPathProblems(factsOf(topology));

const FLANNEL: Topology = {
  links: [
    "cni0 bridge",
    "veth1 veth master cni0",
    "veth2 veth master cni0",
    "flannel.1 vxlan on eth0",
    "docker0 bridge",
  ],
  routes: { "10.244.1.2": "dev cni0", "10.244.1.3": "dev cni0", "fd00:1::2": "dev cni0" },
};
const CALICO: Topology = {
  links: ["cali1 veth", "cali2 veth", "tunl0 ipip", "vxlan.calico vxlan"],
  routes: { "10.1.0.5": "dev cali1", "10.1.0.6": "dev cali2", "fd00:1::5": "dev cali1" },
};
const CILIUM: Topology = {
  links: ["cilium_net veth on cilium_host", "cilium_host veth on cilium_net", "cilium_vxlan vxlan", "lxc1f00 veth"],
  routes: { "10.0.1.5": "via 10.0.1.99 dev cilium_host", "10.0.1.6": "via 10.0.1.99 dev cilium_host" },
};

describe("no alarm for", () => {
  const fine: readonly (readonly [string, Topology])[] = [
    ["bridged pods with br_netfilter (Flannel)", FLANNEL],
    [
      "bridged pods of one family with the switch of that family",
      {
        ...FLANNEL,
        routes: { "10.244.1.2": "dev cni0" },
        switches: { bridgeCalls: { 4: true, 6: false } },
      },
    ],
    [
      "a bridge that calls by its own switch",
      {
        ...FLANNEL,
        switches: { bridgeCalls: { 4: false, 6: false }, callingBridges: { 4: new Set([3]), 6: new Set([3]) } },
      },
    ],
    [
      "a bridge without pods, br_netfilter missing",
      { ...CALICO, links: [...CALICO.links, "docker0 bridge"], switches: NO_MODULE },
    ],
    ["an interface for each pod (Calico, kindnet, AWS, GKE)", CALICO],
    [
      "a link-local gateway on the pod's interface",
      { links: ["cali1 veth"], routes: { "10.1.0.5": "via 169.254.1.1 dev cali1" } },
    ],
    [
      "a node that is itself a container, with a veth as uplink (kind)",
      { links: ["veth1 veth"], routes: { "10.1.0.5": "dev veth1" } },
    ],
    ["a virtual machine behind a tap device", { links: ["tap1 tun"], routes: { "10.1.0.5": "dev tap1" } }],
    [
      "Weave: pods on a bridge, Open vSwitch only between the nodes",
      {
        links: [
          "weave bridge",
          "datapath openvswitch",
          "vethwe-bridge veth master weave",
          "vethwe-datapath veth master datapath",
        ],
        routes: { "10.32.0.2": "dev weave" },
      },
    ],
    [
      "Azure: the uplink is a port of the pods' bridge",
      {
        links: ["azure0 bridge", "azv1 veth master azure0"],
        routes: { "10.240.0.9": "dev azure0" },
        uplink: "azure0",
      },
    ],
    [
      "a pod whose interface is just being made",
      { links: [], routes: { "10.1.0.5": "via 192.0.2.254 dev eth0" }, settledMs: 59_999 },
    ],
    [
      "a pod whose block of addresses is a black hole until its route is there",
      {
        ...CALICO,
        routes: { "10.1.0.7": "blackhole" },
        settledMs: 0,
      },
    ],
    [
      "a security group for each pod on AWS: the route depends on where a packet comes from",
      {
        links: ["vlan.eth.1 vlan on eth0", "vlan1a2b3c veth"],
        routes: { "10.1.0.5": "dev eth0" },
      },
    ],
    [
      "forwarding that is on for the pods' interfaces only",
      {
        links: ["cali1 veth"],
        routes: { "10.1.0.5": "dev cali1" },
        switches: { forwarding: { 4: false, 6: false }, forwardingLinks: { 4: new Set([3]), 6: new Set() } },
      },
    ],
    [
      "IPv6 forwarding that is off where no pod has IPv6",
      {
        links: ["cali1 veth"],
        routes: { "10.1.0.5": "dev cali1" },
        switches: { forwarding: { 4: true, 6: false } },
      },
    ],
    ["IPVS that our rules judge", { ...CALICO, links: [...CALICO.links, "kube-ipvs0 dummy"], judgesIpvs: true }],
    [
      "Cilium that was seen to leave routing to the kernel",
      {
        links: ["cilium_host veth", "lxc1f00 veth"],
        routes: { "10.0.1.5": "dev lxc1f00" },
        podsSeenCrossing: true,
      },
    ],
    ["a node without pods", { links: ["kube-ipvs0 dummy", "cni0 bridge"], routes: {}, switches: NO_MODULE }],
    ["an interface that went while we looked", { links: [], routes: { "10.1.0.5": "dev gone" } }],
  ];
  it.each(fine)("%s", (_name, topology) => {
    expect(problemsOf(topology).map(problemText)).toEqual([]);
  });
});

describe("an alarm for", () => {
  const wrong: readonly (readonly [string, Topology, readonly string[]])[] = [
    [
      "bridged pods without br_netfilter, in both families",
      { ...FLANNEL, switches: NO_MODULE },
      [
        "br-netfilter-missing 4 cni0: the kernel module br_netfilter is not loaded: IPv4 packets from pod to pod on the bridge cni0 do not cross the rules (pods 10.244.1.2, 10.244.1.3)",
        "br-netfilter-missing 6 cni0: the kernel module br_netfilter is not loaded: IPv6 packets from pod to pod on the bridge cni0 do not cross the rules (pod fd00:1::2)",
      ],
    ],
    [
      "bridge-nf-call-iptables off",
      { ...FLANNEL, switches: { bridgeCalls: { 4: false, 6: true } } },
      [
        "bridge-calls-off 4 cni0: net.bridge.bridge-nf-call-iptables is 0: IPv4 packets from pod to pod on the bridge cni0 do not cross the rules (pods 10.244.1.2, 10.244.1.3)",
      ],
    ],
    [
      "bridge-nf-call-ip6tables off",
      { ...FLANNEL, switches: { bridgeCalls: { 4: true, 6: false } } },
      [
        "bridge-calls-off 6 cni0: net.bridge.bridge-nf-call-ip6tables is 0: IPv6 packets from pod to pod on the bridge cni0 do not cross the rules (pod fd00:1::2)",
      ],
    ],
    [
      "pods on a VLAN of a bridge, as on the bridge",
      {
        links: ["br0 bridge", "br0.7 vlan on br0"],
        routes: { "10.7.0.2": "dev br0.7" },
        switches: { bridgeCalls: { 4: false, 6: true } },
      },
      [
        "bridge-calls-off 4 br0: net.bridge.bridge-nf-call-iptables is 0: IPv4 packets from pod to pod on the bridge br0 do not cross the rules (pod 10.7.0.2)",
      ],
    ],
    [
      "IPv4 forwarding off",
      { ...CALICO, switches: { forwarding: { 4: false, 6: true } } },
      [
        "forwarding-off 4 -: net.ipv4.ip_forward is 0: this node routes no IPv4 packets from or to pods 10.1.0.5, 10.1.0.6",
      ],
    ],
    [
      "Antrea",
      {
        links: ["ovs-system openvswitch", "antrea-gw0 openvswitch", "pod1 veth master ovs-system"],
        routes: { "10.10.0.2": "dev antrea-gw0" },
      },
      [
        "open-vswitch - antrea-gw0: pod 10.10.0.2 on Open vSwitch (antrea-gw0): what it forwards by itself does not cross the rules",
      ],
    ],
    [
      "OVN-Kubernetes",
      { links: ["ovs-system openvswitch", "ovn-k8s-mp0 openvswitch"], routes: { "10.128.0.4": "dev ovn-k8s-mp0" } },
      [
        "open-vswitch - ovn-k8s-mp0: pod 10.128.0.4 on Open vSwitch (ovn-k8s-mp0): what it forwards by itself does not cross the rules",
      ],
    ],
    [
      "Open vSwitch in user space",
      { links: ["antrea-gw0 tun"], routes: { "10.10.0.2": "dev antrea-gw0" } },
      [
        "open-vswitch - antrea-gw0: pod 10.10.0.2 on Open vSwitch (antrea-gw0): what it forwards by itself does not cross the rules",
      ],
    ],
    [
      "Cilium",
      CILIUM,
      [
        "cilium - cilium_host: pods 10.0.1.5, 10.0.1.6 behind cilium_host: Cilium's eBPF programs forward from pod to pod past the rules",
      ],
    ],
    [
      "Cilium with a route for each pod",
      { ...CILIUM, routes: { "10.0.1.5": "dev lxc1f00" } },
      [
        "cilium-unclear - -: Cilium is on this node: unless it leaves routing to the kernel, packets of pod 10.0.1.5 do not cross the rules",
      ],
    ],
    [
      "Cilium with netkit",
      { links: ["lxc1f00 netkit"], routes: { "10.0.1.5": "dev lxc1f00" } },
      [
        "cilium-unclear - -: Cilium is on this node: unless it leaves routing to the kernel, packets of pod 10.0.1.5 do not cross the rules",
      ],
    ],
    [
      "Cilium behind another plugin, or on GKE",
      { links: ["cilium_host veth", "gke12 veth"], routes: { "10.0.1.5": "dev gke12" } },
      [
        "cilium-unclear - -: Cilium is on this node: unless it leaves routing to the kernel, packets of pod 10.0.1.5 do not cross the rules",
      ],
    ],
    [
      "Calico with eBPF",
      { ...CALICO, links: [...CALICO.links, "bpfin.cali veth", "bpfout.cali veth"] },
      [
        "calico-ebpf - -: Calico's eBPF data plane is active (bpfin.cali): it forwards packets of pods 10.1.0.5, 10.1.0.6, fd00:1::5 past the rules",
      ],
    ],
    [
      "macvlan or ipvlan on a network card, SR-IOV",
      { links: [], routes: { "192.0.2.50": "dev eth0" } },
      [
        "route-leaves-node - eth0: the route to pod 192.0.2.50 leaves this node by eth0: their packets do not cross the rules here",
      ],
    ],
    [
      "macvlan with a host's own macvlan interface",
      { links: ["shim macvlan on eth0"], routes: { "192.0.2.50": "dev shim" } },
      [
        "route-leaves-node - shim: the route to pod 192.0.2.50 leaves this node by shim: their packets do not cross the rules here",
      ],
    ],
    [
      "ipvlan with a host's own ipvlan interface",
      { links: ["shim ipvlan on eth0"], routes: { "192.0.2.50": "dev shim" } },
      [
        "route-leaves-node - shim: the route to pod 192.0.2.50 leaves this node by shim: their packets do not cross the rules here",
      ],
    ],
    [
      "a second network card",
      { links: ["eth1"], routes: { "198.51.100.50": "dev eth1" } },
      [
        "route-leaves-node - eth1: the route to pod 198.51.100.50 leaves this node by eth1: their packets do not cross the rules here",
      ],
    ],
    [
      "an agent that is not in the node's network: all pods are behind its own veth",
      {
        links: ["pod0 veth"],
        uplink: "pod0",
        routes: { "10.1.0.5": "via 169.254.1.1 dev pod0", "10.1.0.6": "via 169.254.1.1 dev pod0" },
      },
      [
        "route-leaves-node - pod0: the route to pods 10.1.0.5, 10.1.0.6 leaves this node by pod0: their packets do not cross the rules here",
      ],
    ],
    [
      "a pod that is not routed over a bridge which is the node's uplink",
      {
        links: ["br0 bridge"],
        uplink: "br0",
        routes: { "10.1.0.5": "via 192.0.2.254 dev br0" },
        switches: NO_MODULE,
      },
      [
        "route-leaves-node - br0: the route to pod 10.1.0.5 leaves this node by br0: their packets do not cross the rules here",
      ],
    ],
    [
      "pods without a route",
      { ...CALICO, routes: { "10.1.0.5": "unreachable", "10.1.0.6": "blackhole" } },
      ["no-route - -: this node has no route to pods 10.1.0.5, 10.1.0.6, on this node according to the API server"],
    ],
    [
      "a pod with an address of the node",
      { ...CALICO, routes: { "192.0.2.1": "local" } },
      [
        "address-of-node - -: the address of pod 192.0.2.1 is one of the node's own: its packets are not forwarded and do not cross the rules",
      ],
    ],
    [
      "IPVS that our rules do not judge",
      { ...CALICO, links: [...CALICO.links, "kube-ipvs0 dummy"] },
      [
        "ipvs-not-judged - kube-ipvs0: services work with IPVS (kube-ipvs0): packets of pods to them are not judged on this node",
      ],
    ],
  ];
  it.each(wrong)("%s", (_name, topology, expected) => {
    const lines = problemsOf(topology).map(
      ({ code, family, interfaceName, message }) => `${code} ${family ?? "-"} ${interfaceName ?? "-"}: ${message}`,
    );
    expect(lines).toEqual(expected);
  });
});

it("names the first pods and how many more there are", () => {
  const routes = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`10.1.0.${index + 1}`, "dev eth0"]));
  const [problem] = problemsOf({ links: [], routes });
  expect(problem?.message).toContain("pods 10.1.0.1, 10.1.0.2, 10.1.0.3 and 6 more");
  expect(problem?.pods).toHaveLength(9);
});

describe("what --manage-sysctls may set", () => {
  const fixes = (topology: Topology) =>
    problemsOf(topology).map(({ fix }) => (fix === undefined ? undefined : `${fix.path}=${fix.value}`));

  it.each([
    [
      "the switch of each family that bridged pods have",
      { ...FLANNEL, switches: { bridgeCalls: { 4: false, 6: false } } },
      ["net/bridge/bridge-nf-call-iptables=1", "net/bridge/bridge-nf-call-ip6tables=1"],
    ],
    ["no module", { ...FLANNEL, switches: NO_MODULE }, [undefined, undefined]],
    [
      "forwarding of the families that pods have",
      { ...CALICO, switches: { forwarding: { 4: false, 6: false } } },
      ["net/ipv4/ip_forward=1", "net/ipv6/conf/all/forwarding=1"],
    ],
    [
      "not IPv6 forwarding that costs the node its routes",
      {
        ...CALICO,
        switches: { forwarding: { 4: true, 6: false }, forwardingCostsRoutes: true },
      },
      [undefined],
    ],
    [
      "nothing for pods that another data path carries",
      { ...CILIUM, switches: { ...NO_MODULE, forwarding: { 4: false, 6: false } } },
      [undefined],
    ],
  ] satisfies [string, Topology, (string | undefined)[]][])("%s", (_name, topology, expected) => {
    expect(fixes(topology)).toEqual(expected);
  });
});

it("tells of the family of an address only what is true of it", () => {
  const problems = problemsOf({ ...FLANNEL, switches: NO_MODULE });
  for (const { family, pods } of problems) expect(pods.every((pod) => addressFamily(pod) === family)).toBe(true);
  expect(problems).toHaveLength(2);
});
