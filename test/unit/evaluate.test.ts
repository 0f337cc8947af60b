// SEMANTICS line by line: each case is a cluster in YAML, a flow, and the verdict with its reason.

import { describe, expect, it } from "vitest";
import { fillStore } from "../../src/cli/input.ts";
import { ICMP, ICMPV6, type Traffic } from "../../src/model/flow.ts";
import { parseAddress } from "../../src/net/address.ts";
import { DEFAULT_EVALUATE_OPTIONS, type EvaluateOptions, evaluate } from "../../src/semantics/evaluate.ts";
import type { HalfVerdict, Verdict } from "../../src/semantics/verdict.ts";
import { loadTexts } from "../support/manifests.ts";

/** web and db in x, peer in yard (team=a), far in z; web and peer on n1. */
const CLUSTER = `
{apiVersion: v1, kind: Namespace, metadata: {name: x}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: yard, labels: {team: a}}}
---
{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [
  {type: InternalIP, address: 10.9.0.1}, {type: InternalIP, address: "fd09::1"}, {type: Hostname, address: n1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, address: 10.9.0.2}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: x, labels: {app: web}}
spec:
  nodeName: n1
  containers:
  - {name: a, ports: [{containerPort: 8080, name: http}, {containerPort: 53, name: dns, protocol: UDP}]}
  - {name: b, ports: [{containerPort: 8081, name: http}]}
  initContainers:
  - {name: side, restartPolicy: Always, ports: [{containerPort: 9090, name: metrics}]}
  - {name: once, ports: [{containerPort: 9091, name: setup}]}
status: {phase: Running, podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: x, labels: {app: db, role: client}}
spec: {nodeName: n2, containers: [{name: a, ports: [{containerPort: 5432, name: http}]}]}
status: {phase: Running, podIPs: [{ip: 10.0.0.2}, {ip: "fd00::2"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: peer, namespace: yard, labels: {role: client}}
spec: {nodeName: n1, containers: [{name: a}]}
status: {phase: Running, podIPs: [{ip: 10.0.0.3}, {ip: "fd00::3"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: yard, labels: {role: server}}
spec: {nodeName: n2, containers: [{name: a}]}
status: {phase: Running, podIPs: [{ip: 10.0.0.4}]}
---
apiVersion: v1
kind: Pod
metadata: {name: far, namespace: z, labels: {role: client}}
spec: {nodeName: n2, containers: [{name: a}]}
status: {phase: Running, podIPs: [{ip: 10.0.0.5}]}
---
apiVersion: v1
kind: Pod
metadata: {name: host, namespace: yard, labels: {role: client}}
spec: {nodeName: n2, hostNetwork: true, containers: [{name: a}]}
status: {phase: Running, hostIPs: [{ip: 10.9.0.2}], podIPs: [{ip: 10.9.0.2}]}
`;

const WEB = "10.0.0.1";
const WEB6 = "fd00::1";
const DB = "10.0.0.2";
const DB6 = "fd00::2";
const PEER = "10.0.0.3";
const PEER6 = "fd00::3";
const OTHER = "10.0.0.4";
const FAR = "10.0.0.5";
const OWN_NODE = "10.9.0.1";
const OWN_NODE6 = "fd09::1";
const OTHER_NODE = "10.9.0.2";
const OUTSIDE = "198.51.100.7";

const tcp = (port: number): Traffic => ({ kind: "ports", protocol: "TCP", port });
const udp = (port: number, sourcePort?: number): Traffic => ({
  kind: "ports",
  protocol: "UDP",
  port,
  ...(sourcePort === undefined ? {} : { sourcePort }),
});
const ping: Traffic = { kind: "icmp", protocol: ICMP, type: 8 };
const icmp6 = (type: number): Traffic => ({ kind: "icmp", protocol: ICMPV6, type });
const gre: Traffic = { kind: "other", protocol: 47 };

/** A policy on web in x, from the flow notation of its spec. */
function onWeb(spec: string, name = "p"): string {
  return `\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: x}\nspec: {podSelector: {matchLabels: {app: web}}, ${spec}}\n`;
}

async function verdict(
  extra: string,
  source: string,
  destination: string,
  traffic: Traffic = tcp(80),
  options: Partial<EvaluateOptions> = {},
): Promise<Verdict> {
  const { input, diagnostics } = fillStore(await loadTexts({ "a.yaml": CLUSTER + extra }));
  expect(diagnostics.filter((each) => each.severity === "error")).toEqual([]);
  const address = (text: string) => {
    const parsed = parseAddress(text);
    if (parsed === undefined) throw new Error(text);
    return parsed.address;
  };
  const flow = { source: address(source), destination: address(destination), traffic };
  return evaluate(input.store, flow, { ...DEFAULT_EVALUATE_OPTIONS, ...options });
}

function reasonText({ reason }: HalfVerdict): string {
  return reason.kind === "never-blocked" ? reason.because : reason.kind;
}

type Case = readonly [
  title: string,
  policies: string,
  source: string,
  destination: string,
  traffic: Traffic,
  expected: string,
];

/** `expected` is the reason of the half that the policies are about. */
function judged(direction: "ingress" | "egress", cases: readonly Case[]): void {
  it.each(cases)("%s", async (_, policies, source, destination, traffic, expected) => {
    const result = await verdict(policies, source, destination, traffic);
    expect(reasonText(result[direction])).toBe(expected);
    expect(result[direction].allow).toBe(expected !== "isolated");
    expect(result.allow).toBe(result.egress.allow && result.ingress.allow);
  });
}

const CLOSED_IN = onWeb("policyTypes: [Ingress]");
const CLOSED_OUT = onWeb("policyTypes: [Egress]");
const CLOSED = CLOSED_IN.replace("[Ingress]", "[Ingress, Egress]");

describe("which halves are asked", () => {
  judged("ingress", [
    ["a pod that no policy selects is open", "", PEER, WEB, tcp(80), "not-isolated"],
    ["an address outside is not asked", CLOSED, WEB, OUTSIDE, tcp(80), "not-a-pod"],
    ["a hostNetwork pod is not asked", CLOSED, PEER, OTHER_NODE, tcp(80), "not-a-pod"],
    ["a policy of the other direction does not isolate", CLOSED_OUT, PEER, WEB, tcp(80), "not-isolated"],
    [
      "a policy of another namespace does not select",
      CLOSED_IN.replace("namespace: x", "namespace: yard"),
      PEER,
      WEB,
      tcp(80),
      "not-isolated",
    ],
    ["a policy does not select pods with other labels", CLOSED_IN, PEER, DB, tcp(80), "not-isolated"],
    [
      "an empty podSelector selects all pods of the namespace",
      CLOSED_IN.replace("{matchLabels: {app: web}}", "{}"),
      PEER,
      DB,
      tcp(80),
      "isolated",
    ],
  ]);

  it("a flow needs both halves", async () => {
    const allowedOut = onWeb("policyTypes: [Egress], egress: [{}]");
    const closedDb = CLOSED_IN.replace("app: web", "app: db").replace("name: p,", "name: q,");
    const result = await verdict(allowedOut + closedDb, WEB, DB);
    expect([result.egress.allow, result.ingress.allow, result.allow]).toEqual([true, false, false]);
  });
});

describe("policyTypes", () => {
  judged("ingress", [
    ["absent means ingress", onWeb("ingress: []"), PEER, WEB, tcp(80), "isolated"],
    ["absent means ingress even where only egress is given", onWeb("egress: [{}]"), PEER, WEB, tcp(80), "isolated"],
    [
      "with Egress only leaves ingress open although rules are there",
      onWeb("policyTypes: [Egress], ingress: []"),
      PEER,
      WEB,
      tcp(80),
      "not-isolated",
    ],
  ]);
  judged("egress", [
    ["absent with no egress entry leaves egress open", onWeb("ingress: []"), WEB, DB, tcp(80), "not-isolated"],
    ["absent with an empty egress list leaves egress open", onWeb("egress: []"), WEB, DB, tcp(80), "not-isolated"],
    [
      "absent with an egress entry means egress too",
      onWeb("egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}]}]"),
      WEB,
      DB,
      tcp(80),
      "isolated",
    ],
    ["with Egress and no rules closes egress", CLOSED_OUT, WEB, OUTSIDE, tcp(80), "isolated"],
  ]);
});

describe("absent and empty lists", () => {
  judged("ingress", [
    ["a rule without from and ports allows any address", onWeb("ingress: [{}]"), OUTSIDE, WEB, gre, "allowed"],
    ["an empty from is any peer", onWeb("ingress: [{from: []}]"), OUTSIDE, WEB, tcp(1), "allowed"],
    ["an empty ports list is any protocol", onWeb("ingress: [{ports: []}]"), PEER, WEB, gre, "allowed"],
    [
      "an absent ports list is any protocol",
      onWeb("ingress: [{from: [{namespaceSelector: {}}]}]"),
      PEER,
      WEB,
      gre,
      "allowed",
    ],
    ["no rule at all allows nothing", onWeb("ingress: []"), PEER, WEB, tcp(80), "isolated"],
  ]);
  judged("egress", [
    ["an empty to is any peer", onWeb("policyTypes: [Egress], egress: [{to: []}]"), WEB, OUTSIDE, tcp(80), "allowed"],
  ]);
});

const AND = onWeb(
  "ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}, podSelector: {matchLabels: {role: client}}}]}]",
);
const OR = onWeb(
  "ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}, {podSelector: {matchLabels: {role: client}}}]}]",
);
const IN_OWN_NAMESPACE = onWeb("ingress: [{from: [{podSelector: {matchLabels: {role: client}}}]}]");

describe("pod peers", () => {
  judged("ingress", [
    ["both selectors in one entry need both: both match", AND, PEER, WEB, tcp(80), "allowed"],
    ["both selectors in one entry need both: only the namespace matches", AND, OTHER, WEB, tcp(80), "isolated"],
    ["both selectors in one entry need both: only the pod matches", AND, DB, WEB, tcp(80), "isolated"],
    ["two entries are alternatives: the namespace matches", OR, OTHER, WEB, tcp(80), "allowed"],
    ["two entries are alternatives: the pod of the own namespace matches", OR, DB, WEB, tcp(80), "allowed"],
    ["two entries are alternatives: a pod elsewhere matches neither", OR, FAR, WEB, tcp(80), "isolated"],
    ["a podSelector alone means the policy's namespace", IN_OWN_NAMESPACE, DB, WEB, tcp(80), "allowed"],
    ["a podSelector alone does not reach into other namespaces", IN_OWN_NAMESPACE, PEER, WEB, tcp(80), "isolated"],
    [
      "an empty namespaceSelector is all namespaces, undefined ones too",
      onWeb("ingress: [{from: [{namespaceSelector: {}}]}]"),
      FAR,
      WEB,
      tcp(80),
      "allowed",
    ],
    [
      "an empty namespaceSelector is no address outside",
      onWeb("ingress: [{from: [{namespaceSelector: {}}]}]"),
      OUTSIDE,
      WEB,
      tcp(80),
      "isolated",
    ],
    [
      "every namespace has its name as a label, undefined ones too",
      onWeb("ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: z}}}]}]"),
      FAR,
      WEB,
      tcp(80),
      "allowed",
    ],
    [
      "NotIn matches namespaces that lack the label",
      onWeb(
        "ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: NotIn, values: [a]}]}}]}]",
      ),
      FAR,
      WEB,
      tcp(80),
      "allowed",
    ],
    [
      "hostNetwork pods are no selector's peers",
      onWeb("ingress: [{from: [{namespaceSelector: {}, podSelector: {}}]}]"),
      OTHER_NODE,
      WEB,
      tcp(80),
      "isolated",
    ],
    [
      "hostNetwork pods match by CIDR",
      onWeb("ingress: [{from: [{ipBlock: {cidr: 10.9.0.2/32}}]}]"),
      OTHER_NODE,
      WEB,
      tcp(80),
      "allowed",
    ],
  ]);
});

const HOLE = onWeb("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.3/32]}}]}]");

describe("ipBlock peers", () => {
  judged("ingress", [
    [
      "match pod addresses",
      onWeb("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/30}}]}]"),
      PEER,
      WEB,
      tcp(80),
      "allowed",
    ],
    [
      "match addresses outside",
      onWeb("ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}]"),
      OUTSIDE,
      WEB,
      tcp(80),
      "allowed",
    ],
    ["do not match what is excepted", HOLE, PEER, WEB, tcp(80), "isolated"],
    ["match beside what is excepted", HOLE, DB, WEB, tcp(80), "allowed"],
    [
      "except for themselves only: another block allows it again",
      onWeb(
        "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.3/32]}}, {ipBlock: {cidr: 10.0.0.2/31}}]}]",
      ),
      PEER,
      WEB,
      tcp(80),
      "allowed",
    ],
    [
      "except for themselves only: a selector allows it again",
      onWeb(
        "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.3/32]}}, {namespaceSelector: {matchLabels: {team: a}}}]}]",
      ),
      PEER,
      WEB,
      tcp(80),
      "allowed",
    ],
    [
      "except for themselves only: another policy allows it again",
      HOLE + onWeb("ingress: [{from: [{ipBlock: {cidr: 10.0.0.3/32}}]}]", "q"),
      PEER,
      WEB,
      tcp(80),
      "allowed",
    ],
    [
      "of IPv4 do not match IPv6",
      onWeb("ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]"),
      PEER6,
      WEB6,
      tcp(80),
      "isolated",
    ],
    [
      "of IPv6 match IPv6",
      onWeb('ingress: [{from: [{ipBlock: {cidr: "fd00::/64"}}]}]'),
      PEER6,
      WEB6,
      tcp(80),
      "allowed",
    ],
  ]);
});

const UNION =
  onWeb("ingress: [{from: [{ipBlock: {cidr: 10.0.0.3/32}}], ports: [{port: 80}]}]") +
  onWeb("ingress: [{from: [{ipBlock: {cidr: 10.0.0.2/32}}], ports: [{port: 81}]}]", "q");

describe("rules of several policies", () => {
  judged("ingress", [
    ["unite: the first allows", UNION, PEER, WEB, tcp(80), "allowed"],
    ["unite: the second allows", UNION, DB, WEB, tcp(81), "allowed"],
    ["do not mix the peer of one with the port of the other", UNION, PEER, WEB, tcp(81), "isolated"],
    [
      "a policy that allows nothing takes nothing away",
      CLOSED_IN + onWeb("ingress: [{}]", "q"),
      PEER,
      WEB,
      tcp(80),
      "allowed",
    ],
  ]);
});

const ports = (list: string) => onWeb(`ingress: [{ports: [${list}]}]`);

describe("ports", () => {
  judged("ingress", [
    ["are TCP by default", ports("{port: 80}"), PEER, WEB, tcp(80), "allowed"],
    ["are not UDP by default", ports("{port: 80}"), PEER, WEB, udp(80), "isolated"],
    [
      "of a protocol without a number are all of that protocol",
      ports("{protocol: UDP}"),
      PEER,
      WEB,
      udp(65535),
      "allowed",
    ],
    ["of a protocol without a number are no other protocol", ports("{protocol: UDP}"), PEER, WEB, tcp(80), "isolated"],
    ["of an empty entry are all of TCP", ports("{}"), PEER, WEB, tcp(1), "allowed"],
    ["of an empty entry are no ICMP", ports("{}"), PEER, WEB, ping, "isolated"],
    ["in a range include its first", ports("{port: 80, endPort: 90}"), PEER, WEB, tcp(80), "allowed"],
    ["in a range include its last", ports("{port: 80, endPort: 90}"), PEER, WEB, tcp(90), "allowed"],
    ["in a range end there", ports("{port: 80, endPort: 90}"), PEER, WEB, tcp(91), "isolated"],
    ["do not match ICMP", ports("{port: 80}, {protocol: UDP}, {protocol: SCTP}"), PEER, WEB, ping, "isolated"],
    [
      "do not match other protocols",
      ports("{port: 80}, {protocol: UDP}, {protocol: SCTP}"),
      PEER,
      WEB,
      gre,
      "isolated",
    ],
    [
      "that are not named let ICMP through",
      onWeb("ingress: [{from: [{namespaceSelector: {}}]}]"),
      PEER,
      WEB,
      ping,
      "allowed",
    ],
    [
      "SCTP is told from TCP",
      ports("{protocol: SCTP, port: 80}"),
      PEER,
      WEB,
      { kind: "ports", protocol: "SCTP", port: 80 },
      "allowed",
    ],
  ]);
});

const toHttp = onWeb("policyTypes: [Egress], egress: [{ports: [{port: http}]}]");

describe("named ports", () => {
  judged("ingress", [
    ["resolve on the destination", ports("{port: http}"), PEER, WEB, tcp(8080), "allowed"],
    ["mean the ports of both containers with that name", ports("{port: http}"), PEER, WEB, tcp(8081), "allowed"],
    ["mean no other port", ports("{port: http}"), PEER, WEB, tcp(80), "isolated"],
    ["need the same protocol", ports("{port: dns}"), PEER, WEB, tcp(53), "isolated"],
    ["match with their protocol", ports("{port: dns, protocol: UDP}"), PEER, WEB, udp(53), "allowed"],
    ["resolve on init containers that keep running", ports("{port: metrics}"), PEER, WEB, tcp(9090), "allowed"],
    ["do not resolve on init containers that end", ports("{port: setup}"), PEER, WEB, tcp(9091), "isolated"],
    ["that do not resolve match nothing", ports("{port: nothing}"), PEER, WEB, tcp(8080), "isolated"],
    ["do not resolve on the source", ports("{port: http}"), DB, WEB, tcp(5432), "isolated"],
  ]);
  judged("egress", [
    ["of egress resolve on the destination", toHttp, WEB, DB, tcp(5432), "allowed"],
    ["of egress do not resolve on the source", toHttp, WEB, DB, tcp(8080), "isolated"],
    ["of egress match no plain address", toHttp, WEB, OUTSIDE, tcp(8080), "isolated"],
    ["of egress match on IPv6 too", toHttp, WEB6, DB6, tcp(5432), "allowed"],
  ]);
});

describe("what is never blocked", () => {
  judged("ingress", [
    ["the own node reaches the pod", CLOSED, OWN_NODE, WEB, tcp(80), "own-node"],
    ["the own node reaches the pod by IPv6", CLOSED, OWN_NODE6, WEB6, tcp(80), "own-node"],
    ["another node is judged", CLOSED, OTHER_NODE, WEB, tcp(80), "isolated"],
    ["a pod on the same node is judged", CLOSED, PEER, WEB, tcp(80), "isolated"],
    ["a pod reaches itself", CLOSED, WEB, WEB, tcp(80), "own-pod"],
    ["a pod reaches itself by IPv6", CLOSED, WEB6, WEB6, tcp(80), "own-pod"],
    ["a DHCP answer arrives", CLOSED, OUTSIDE, WEB, udp(68, 67), "dhcp-answer"],
    ["port 68 from another port is judged", CLOSED, OUTSIDE, WEB, udp(68, 4000), "isolated"],
    ["port 68 from an ephemeral port is judged", CLOSED, OUTSIDE, WEB, udp(68), "isolated"],
    ["a DHCPv6 answer arrives", CLOSED, "2001:db8::7", WEB6, udp(546, 547), "dhcp-answer"],
    ["DHCPv6 ports on IPv4 are judged", CLOSED, OUTSIDE, WEB, udp(546, 547), "isolated"],
    ["DHCP ports on IPv6 are judged", CLOSED, "2001:db8::7", WEB6, udp(68, 67), "isolated"],
    ["an ICMPv6 echo request is judged", CLOSED, PEER6, WEB6, icmp6(128), "isolated"],
    ...[130, 131, 132, 133, 134, 135, 136, 137, 143].map(
      (type): Case => [`ICMPv6 type ${type} arrives`, CLOSED, PEER6, WEB6, icmp6(type), "neighbour-discovery"],
    ),
  ]);
  judged("egress", [
    ["a pod reaches its own node", CLOSED, WEB, OWN_NODE, tcp(80), "own-node"],
    ["a pod reaches its own node by IPv6", CLOSED, WEB6, OWN_NODE6, tcp(80), "own-node"],
    ["a pod that goes to another node is judged", CLOSED, WEB, OTHER_NODE, tcp(80), "isolated"],
    ["a pod sends to itself", CLOSED, WEB, WEB, tcp(80), "own-pod"],
    ["neighbour discovery leaves", CLOSED, WEB6, "fe80::1", icmp6(135), "neighbour-discovery"],
    ["a DHCP answer that a pod sends is judged", CLOSED, WEB, OUTSIDE, udp(68, 67), "isolated"],
  ]);

  it.each([
    ["allow", WEB, OWN_NODE, true],
    ["enforce", WEB, OWN_NODE, false],
    ["enforce", WEB6, OWN_NODE6, false],
    ["enforce", OWN_NODE, WEB, true],
    ["enforce", WEB, WEB, true],
  ] as const)("with pod-to-own-node %s, %s to %s is allowed: %s", async (option, source, destination, allowed) => {
    expect((await verdict(CLOSED, source, destination, tcp(80), { podToOwnNode: option })).allow).toBe(allowed);
  });
});

/** A job's pod that is over; its address is the address of `peer` by now, or nobody's. */
function finishedPod(ip: string): string {
  return `
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: x, labels: {app: web, role: job}}
spec: {nodeName: n1, containers: [{name: a}]}
status: {phase: Succeeded, startTime: "2030-01-01T00:00:00Z", podIPs: [{ip: ${ip}}]}
`;
}
const FROM_JOB = onWeb("ingress: [{from: [{podSelector: {matchLabels: {role: job}}}]}]");

describe("finished pods", () => {
  judged("ingress", [
    [
      "are no peers, even when nobody has their address now",
      FROM_JOB + finishedPod("10.0.0.77"),
      "10.0.0.77",
      WEB,
      tcp(80),
      "isolated",
    ],
    [
      "do not lend their labels to the next pod with the address",
      FROM_JOB + finishedPod(PEER),
      PEER,
      WEB,
      tcp(80),
      "isolated",
    ],
    ["do not isolate the next pod with the address", CLOSED_IN + finishedPod(PEER), DB, PEER, tcp(80), "not-isolated"],
    ["are not asked", CLOSED_IN + finishedPod("10.0.0.77"), DB, "10.0.0.77", tcp(80), "not-a-pod"],
  ]);
});

describe("dual stack", () => {
  const fromPeer = onWeb("ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}]}]");
  judged("ingress", [
    ["selectors match on IPv4", fromPeer, PEER, WEB, tcp(80), "allowed"],
    ["selectors match on IPv6", fromPeer, PEER6, WEB6, tcp(80), "allowed"],
    ["isolation is for IPv6 too", fromPeer, DB6, WEB6, tcp(80), "isolated"],
  ]);
});

it("a denied half names the isolating policies and how far each rule was from matching", async () => {
  const policies = onWeb(
    "ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 81}]}, {from: [{podSelector: {}}], ports: [{port: 80}]}]",
  );
  const { reason } = (await verdict(policies, PEER, WEB)).ingress;
  expect(reason).toMatchObject({
    kind: "isolated",
    policies: [{ name: "p" }],
    misses: [
      { peerMatches: true, portMatches: false },
      { peerMatches: false, portMatches: true },
    ],
  });
});
