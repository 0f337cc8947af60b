// SEMANTICS "Tiers" line by line: each case is a few policies, a flow, and who decides. What upstream says is named; the rest is our choice.

import { describe, expect, it } from "vitest";
import { fillStore } from "../../src/cli/input.ts";
import { type Flow, ICMP, ICMPV6, type Traffic } from "../../src/model/flow.ts";
import { policyReference } from "../../src/model/policy.ts";
import { parseAddress } from "../../src/net/address.ts";
import { DEFAULT_EVALUATE_OPTIONS, type EvaluateOptions, evaluate } from "../../src/semantics/evaluate.ts";
import type { HalfVerdict, RuleMatch } from "../../src/semantics/verdict.ts";
import { loadTexts } from "../support/manifests.ts";

/** web (n1) and db (n2) in x, peer (n1) in yard, and a pod of the host network on n2. */
const CLUSTER = `
{apiVersion: v1, kind: Namespace, metadata: {name: x, labels: {team: red}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: yard, labels: {team: blue}}}
---
{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {role: worker}}, status: {addresses: [
  {type: InternalIP, address: 10.9.0.1}, {type: InternalIP, address: "fd09::1"}, {type: Hostname, address: n1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2, labels: {role: infra}}, status: {addresses: [{type: InternalIP, address: 10.9.0.2}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: x, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: a, ports: [{containerPort: 8080, name: http}, {containerPort: 8080, name: http3, protocol: UDP}]},
  {name: b, ports: [{containerPort: 9000, name: http, protocol: SCTP}]}]}
status: {phase: Running, podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: x, labels: {app: db}}
spec: {nodeName: n2, containers: [{name: a, ports: [{containerPort: 5432, name: http}]}]}
status: {phase: Running, podIPs: [{ip: 10.0.0.2}, {ip: "fd00::2"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: peer, namespace: yard, labels: {app: peer}}
spec: {nodeName: n1, containers: [{name: a}]}
status: {phase: Running, podIPs: [{ip: 10.0.0.3}, {ip: "fd00::3"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: host, namespace: yard, labels: {app: peer}}
spec: {nodeName: n2, hostNetwork: true, containers: [{name: a}]}
status: {phase: Running, hostIPs: [{ip: 10.9.0.2}], podIPs: [{ip: 10.9.0.2}]}
`;

const WEB = "10.0.0.1";
const WEB6 = "fd00::1";
const DB = "10.0.0.2";
const DB6 = "fd00::2";
const PEER = "10.0.0.3";
const OWN_NODE = "10.9.0.1";
const OTHER_NODE = "10.9.0.2";
const OUTSIDE = "198.51.100.7";

const tcp = (port: number): Traffic => ({ kind: "ports", protocol: "TCP", port });
const udp = (port: number): Traffic => ({ kind: "ports", protocol: "UDP", port });
const sctp = (port: number): Traffic => ({ kind: "ports", protocol: "SCTP", port });
const ping: Traffic = { kind: "icmp", protocol: ICMP, type: 8 };
const ping6: Traffic = { kind: "icmp", protocol: ICMPV6, type: 128 };
const gre: Traffic = { kind: "other", protocol: 47 };

/** A ClusterNetworkPolicy on web, unless the spec says otherwise, from the flow notation of what follows. */
function cnp(name: string, tier: "Admin" | "Baseline", priority: number, spec: string): string {
  const subject = spec.includes("subject:")
    ? ""
    : "subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}, ";
  return `\n---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: ${name}}\nspec: {tier: ${tier}, priority: ${priority}, ${subject}${spec}}\n`;
}

function np(name: string, spec: string): string {
  return `\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: x}\nspec: {podSelector: {matchLabels: {app: web}}, ${spec}}\n`;
}

function anp(name: string, priority: number, spec: string): string {
  return `\n---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: ${name}}\nspec: {priority: ${priority}, subject: {namespaces: {}}, ${spec}}\n`;
}

function banp(spec: string): string {
  return `\n---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {name: default}\nspec: {subject: {namespaces: {}}, ${spec}}\n`;
}

const ALL = "{namespaces: {}}";
const inRule = (action: string, from = ALL, more = "") => `ingress: [{action: ${action}, from: [${from}]${more}}]`;
const outRule = (action: string, to: string, more = "") => `egress: [{action: ${action}, to: [${to}]${more}}]`;
const CLOSED_IN = np("closed", "policyTypes: [Ingress]");
const OPEN_IN = np("open", "policyTypes: [Ingress], ingress: [{}]");
const CLOSED_OUT = np("closed", "policyTypes: [Egress]");

type Question = Pick<Flow, "traffic" | "throughService" | "toOwnNode">;

async function verdict(
  extra: string,
  source: string,
  destination: string,
  question: Question,
  options: Partial<EvaluateOptions>,
) {
  const { input, diagnostics } = fillStore(await loadTexts({ "a.yaml": CLUSTER + extra }));
  expect(diagnostics.filter((each) => each.severity === "error")).toEqual([]);
  const address = (text: string) => parseAddress(text)?.address as Flow["source"];
  const flow: Flow = { source: address(source), destination: address(destination), ...question };
  return evaluate(input.store, flow, { ...DEFAULT_EVALUATE_OPTIONS, ...options });
}

function ruleText({ policy, rule }: RuleMatch): string {
  return `${policyReference(policy)}[${rule.index}]`;
}

/** `deny by ClusterNetworkPolicy/p[0]`, `allow: not-isolated`, `...after Pass by a[1]`. */
function said({ allow, reason, passes }: HalfVerdict): string {
  const word = allow ? "allow" : "deny";
  const passed = passes.map((match) => `, after Pass by ${ruleText(match)}`).join("");
  switch (reason.kind) {
    case "tier-rule":
    case "allowed":
      return `${word} by ${ruleText(reason.match)}${passed}`;
    case "isolated":
      return `${word}: isolated by ${reason.policies.map(policyReference).join()}${passed}`;
    case "never-blocked":
      return `${word}: ${reason.because}${passed}`;
    default:
      return `${word}: ${reason.kind}${passed}`;
  }
}

interface Case {
  readonly title: string;
  readonly policies: string;
  readonly from: string;
  readonly to: string;
  readonly traffic?: Traffic;
  readonly flow?: Partial<Question>;
  readonly options?: Partial<EvaluateOptions>;
  readonly expected: string;
}

function judged(direction: "ingress" | "egress", cases: readonly Case[]): void {
  it.each(cases)("$title", async ({ policies, from, to, traffic = tcp(80), flow = {}, options = {}, expected }) => {
    const result = await verdict(policies, from, to, { traffic, ...flow }, options);
    expect(said(result[direction])).toBe(expected);
    expect(result.allow).toBe(result.egress.allow && result.ingress.allow);
  });
}

describe("the order of tiers", () => {
  judged("ingress", [
    {
      title: "an Admin Deny is final: NetworkPolicy's allow is not asked",
      policies: cnp("a", "Admin", 10, inRule("Deny")) + OPEN_IN,
      from: PEER,
      to: WEB,
      expected: "deny by ClusterNetworkPolicy/a[0]",
    },
    {
      title: "an Admin Accept is final: NetworkPolicy's isolation is not asked",
      policies: cnp("a", "Admin", 10, inRule("Accept")) + CLOSED_IN,
      from: PEER,
      to: WEB,
      expected: "allow by ClusterNetworkPolicy/a[0]",
    },
    {
      title: "an Admin Pass leaves it to NetworkPolicy",
      policies: cnp("a", "Admin", 10, inRule("Pass")) + CLOSED_IN,
      from: PEER,
      to: WEB,
      expected: "deny: isolated by x/closed, after Pass by ClusterNetworkPolicy/a[0]",
    },
    {
      title: "an Admin Pass skips what follows in its tier, also of other policies",
      policies: cnp("a", "Admin", 10, inRule("Pass")) + cnp("b", "Admin", 20, inRule("Deny")),
      from: PEER,
      to: WEB,
      expected: "allow: not-isolated, after Pass by ClusterNetworkPolicy/a[0]",
    },
    {
      title: "without NetworkPolicy an Admin Pass reaches the Baseline tier",
      policies: cnp("a", "Admin", 10, inRule("Pass")) + cnp("b", "Baseline", 20, inRule("Deny")),
      from: PEER,
      to: WEB,
      expected: "deny by ClusterNetworkPolicy/b[0], after Pass by ClusterNetworkPolicy/a[0]",
    },
    {
      title: "where NetworkPolicy isolates, Baseline is never asked: not for what it denies",
      policies: CLOSED_IN + cnp("b", "Baseline", 20, inRule("Accept")),
      from: PEER,
      to: WEB,
      expected: "deny: isolated by x/closed",
    },
    {
      title: "where NetworkPolicy isolates, Baseline is never asked: not for what it allows",
      policies: OPEN_IN + cnp("b", "Baseline", 20, inRule("Deny")),
      from: PEER,
      to: WEB,
      expected: "allow by x/open[0]",
    },
    {
      title: "a NetworkPolicy for egress only leaves ingress to the Baseline tier (our choice)",
      policies: CLOSED_OUT + cnp("b", "Baseline", 20, inRule("Deny")),
      from: PEER,
      to: WEB,
      expected: "deny by ClusterNetworkPolicy/b[0]",
    },
    {
      title: "a Baseline Pass skips the rest of its tier; then it is allowed",
      policies: cnp("a", "Baseline", 10, inRule("Pass")) + cnp("b", "Baseline", 20, inRule("Deny")),
      from: PEER,
      to: WEB,
      expected: "allow: not-isolated, after Pass by ClusterNetworkPolicy/a[0]",
    },
    {
      title: "nothing matches: allowed",
      policies: cnp("a", "Admin", 10, inRule("Deny", "{namespaces: {matchLabels: {team: none}}}")),
      from: PEER,
      to: WEB,
      expected: "allow: not-isolated",
    },
    {
      title: "a policy without rules in a direction does not touch it",
      policies: cnp("a", "Admin", 10, outRule("Deny", ALL)),
      from: PEER,
      to: WEB,
      expected: "allow: not-isolated",
    },
    {
      title: "an egress Accept does not skip the destination's ingress rules",
      policies:
        cnp("out", "Admin", 0, `subject: {namespaces: {}}, ${outRule("Accept", ALL)}`) +
        cnp("in", "Admin", 10, inRule("Deny")),
      from: PEER,
      to: WEB,
      expected: "deny by ClusterNetworkPolicy/in[0]",
    },
    {
      title: "AdminNetworkPolicy shares the Admin tier with ClusterNetworkPolicy: the lower priority number is first",
      policies: anp("z", 5, inRule("Allow")) + cnp("a", "Admin", 6, inRule("Deny")),
      from: PEER,
      to: WEB,
      expected: "allow by AdminNetworkPolicy/z[0]",
    },
    {
      title: "BaselineAdminNetworkPolicy stands behind the Baseline tier's ClusterNetworkPolicies (our choice)",
      policies: banp(inRule("Deny")) + cnp("b", "Baseline", 1000, inRule("Accept")),
      from: PEER,
      to: WEB,
      expected: "allow by ClusterNetworkPolicy/b[0]",
    },
    {
      title: "BaselineAdminNetworkPolicy decides where nothing else does",
      policies: banp(inRule("Deny")),
      from: PEER,
      to: WEB,
      expected: "deny by BaselineAdminNetworkPolicy/default[0]",
    },
  ]);
});

describe("the order within a tier", () => {
  judged("ingress", [
    {
      title: "rules from top to bottom",
      policies: cnp("a", "Admin", 10, `ingress: [{action: Accept, from: [${ALL}]}, {action: Deny, from: [${ALL}]}]`),
      from: PEER,
      to: WEB,
      expected: "allow by ClusterNetworkPolicy/a[0]",
    },
    {
      title: "0 before 1000, whatever their names",
      policies: cnp("a", "Admin", 1000, inRule("Deny")) + cnp("z", "Admin", 0, inRule("Accept")),
      from: PEER,
      to: WEB,
      expected: "allow by ClusterNetworkPolicy/z[0]",
    },
    {
      title: "equal priorities by name (our choice)",
      policies: cnp("b", "Admin", 7, inRule("Deny")) + cnp("a", "Admin", 7, inRule("Accept")),
      from: PEER,
      to: WEB,
      expected: "allow by ClusterNetworkPolicy/a[0]",
    },
    {
      title: "equal priorities of two kinds by name too (our choice)",
      policies: cnp("a", "Admin", 7, inRule("Deny")) + anp("z", 7, inRule("Allow")),
      from: PEER,
      to: WEB,
      expected: "deny by ClusterNetworkPolicy/a[0]",
    },
    {
      title: "equal priorities and names: AdminNetworkPolicy first (our choice)",
      policies: cnp("a", "Admin", 7, inRule("Deny")) + anp("a", 7, inRule("Allow")),
      from: PEER,
      to: WEB,
      expected: "allow by AdminNetworkPolicy/a[0]",
    },
    {
      title: "a rule that does not match leaves it to the next policy of the tier",
      policies:
        cnp("a", "Admin", 1, inRule("Accept", ALL, ", protocols: [{tcp: {destinationPort: {number: 81}}}]")) +
        cnp("b", "Admin", 2, inRule("Deny")),
      from: PEER,
      to: WEB,
      expected: "deny by ClusterNetworkPolicy/b[0]",
    },
  ]);
});

const NO_PROTOCOLS = cnp("a", "Admin", 10, inRule("Deny"));
const NUMBER = cnp("a", "Admin", 10, inRule("Deny", ALL, ", protocols: [{tcp: {destinationPort: {number: 80}}}]"));
const RANGE = cnp(
  "a",
  "Admin",
  10,
  inRule("Deny", ALL, ", protocols: [{udp: {destinationPort: {range: {start: 50, end: 60}}}}]"),
);
const NAMED = cnp("a", "Admin", 10, inRule("Deny", ALL, ", protocols: [{destinationNamedPort: http}]"));
const NAMED_OUT = cnp("a", "Admin", 10, outRule("Deny", ALL, ", protocols: [{destinationNamedPort: http}]"));
const DENIED = "deny by ClusterNetworkPolicy/a[0]";
const OPEN = "allow: not-isolated";

describe("protocols and ports", () => {
  judged("ingress", [
    {
      title: "no protocols: every port",
      policies: NO_PROTOCOLS,
      from: PEER,
      to: WEB,
      traffic: sctp(7),
      expected: DENIED,
    },
    { title: "no protocols: ICMP too", policies: NO_PROTOCOLS, from: PEER, to: WEB, traffic: ping, expected: DENIED },
    {
      title: "no protocols: ICMPv6 too",
      policies: NO_PROTOCOLS,
      from: DB6,
      to: WEB6,
      traffic: ping6,
      expected: DENIED,
    },
    {
      title: "no protocols: protocols without ports too",
      policies: NO_PROTOCOLS,
      from: PEER,
      to: WEB,
      traffic: gre,
      expected: DENIED,
    },
    {
      title: "IPv6 neighbour discovery is never blocked",
      policies: NO_PROTOCOLS,
      from: DB6,
      to: WEB6,
      traffic: { kind: "icmp", protocol: ICMPV6, type: 135 },
      expected: "allow: neighbour-discovery",
    },
    {
      title: "with protocols ICMP is not matched",
      policies: NUMBER,
      from: PEER,
      to: WEB,
      traffic: ping,
      expected: OPEN,
    },
    { title: "a number", policies: NUMBER, from: PEER, to: WEB, traffic: tcp(80), expected: DENIED },
    { title: "a number is of its protocol", policies: NUMBER, from: PEER, to: WEB, traffic: udp(80), expected: OPEN },
    { title: "a range holds its first port", policies: RANGE, from: PEER, to: WEB, traffic: udp(50), expected: DENIED },
    { title: "a range holds its last port", policies: RANGE, from: PEER, to: WEB, traffic: udp(60), expected: DENIED },
    { title: "a range ends there", policies: RANGE, from: PEER, to: WEB, traffic: udp(61), expected: OPEN },
    { title: "a name brings its port", policies: NAMED, from: PEER, to: WEB, traffic: tcp(8080), expected: DENIED },
    {
      title: "a name brings its protocol: another of the same number is not meant",
      policies: NAMED,
      from: PEER,
      to: WEB,
      traffic: udp(8080),
      expected: OPEN,
    },
    {
      title: "a name on two containers means both, of different protocols too",
      policies: NAMED,
      from: PEER,
      to: WEB,
      traffic: sctp(9000),
      expected: DENIED,
    },
    {
      title: "a name is the destination's, not the source's",
      policies: NAMED,
      from: DB,
      to: WEB,
      traffic: tcp(5432),
      expected: OPEN,
    },
  ]);
  judged("egress", [
    {
      title: "a name in egress is resolved on each destination",
      policies: NAMED_OUT,
      from: WEB,
      to: DB,
      traffic: tcp(5432),
      expected: DENIED,
    },
    {
      title: "a name that a destination does not have matches nothing there",
      policies: NAMED_OUT,
      from: WEB,
      to: PEER,
      traffic: tcp(8080),
      expected: OPEN,
    },
  ]);
});

const deny = (to: string) => cnp("a", "Admin", 10, outRule("Deny", to));

describe("egress peers", () => {
  judged("egress", [
    {
      title: "networks match addresses outside",
      policies: deny("{networks: [198.51.100.0/24]}"),
      from: WEB,
      to: OUTSIDE,
      expected: DENIED,
    },
    {
      title: "networks match pods' addresses too",
      policies: deny("{networks: [10.0.0.0/24]}"),
      from: WEB,
      to: DB,
      expected: DENIED,
    },
    {
      title: "0.0.0.0/0 denies ICMP of its family",
      policies: deny("{networks: [0.0.0.0/0]}"),
      from: WEB,
      to: DB,
      traffic: ping,
      expected: DENIED,
    },
    {
      title: "0.0.0.0/0 is IPv4 only",
      policies: deny("{networks: [0.0.0.0/0]}"),
      from: WEB6,
      to: DB6,
      traffic: ping6,
      expected: OPEN,
    },
    {
      title: "several networks of both families: the first family",
      policies: deny("{networks: [10.0.0.0/24, 'fd00::/64']}"),
      from: WEB,
      to: DB,
      expected: DENIED,
    },
    {
      title: "several networks of both families: the second family",
      policies: deny("{networks: [10.0.0.0/24, 'fd00::/64']}"),
      from: WEB6,
      to: DB6,
      expected: DENIED,
    },
    {
      title: "nodes by their labels",
      policies: deny("{nodes: {matchLabels: {role: infra}}}"),
      from: WEB,
      to: OTHER_NODE,
      expected: DENIED,
    },
    {
      title: "no other nodes",
      policies: deny("{nodes: {matchLabels: {role: worker}}}"),
      from: WEB,
      to: OTHER_NODE,
      expected: OPEN,
    },
    {
      title: "an empty selector is all nodes",
      policies: deny("{nodes: {}}"),
      from: WEB,
      to: OTHER_NODE,
      expected: DENIED,
    },
    { title: "nodes are no pods", policies: deny("{nodes: {}}"), from: WEB, to: DB, expected: OPEN },
    {
      title: "pods of the host network are no pods: a namespaces peer does not reach them",
      policies: deny("{namespaces: {}}"),
      from: WEB,
      to: OTHER_NODE,
      expected: OPEN,
    },
    {
      title: "namespaces and pods AND together",
      policies: deny("{pods: {namespaceSelector: {matchLabels: {team: blue}}, podSelector: {matchLabels: {app: db}}}}"),
      from: WEB,
      to: DB,
      expected: OPEN,
    },
    {
      title: "domain names allow nothing yet: the next rule is asked",
      policies: cnp(
        "a",
        "Admin",
        10,
        `egress: [{action: Accept, to: [{domainNames: [kubernetes.io]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]`,
      ),
      from: WEB,
      to: OUTSIDE,
      expected: "deny by ClusterNetworkPolicy/a[1]",
    },
    {
      title: "beside domain names other peers of the rule hold",
      policies: cnp(
        "a",
        "Admin",
        10,
        `egress: [{action: Accept, to: [{domainNames: [kubernetes.io]}, {networks: [198.51.100.0/24]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]`,
      ),
      from: WEB,
      to: OUTSIDE,
      expected: "allow by ClusterNetworkPolicy/a[0]",
    },
  ]);
});

describe("ingress from outside the cluster", () => {
  judged("ingress", [
    {
      title: "no ingress peer matches it, so it falls through",
      policies: NO_PROTOCOLS,
      from: OUTSIDE,
      to: WEB,
      expected: OPEN,
    },
    {
      title: "and NetworkPolicy decides as ever",
      policies: NO_PROTOCOLS + CLOSED_IN,
      from: OUTSIDE,
      to: WEB,
      expected: "deny: isolated by x/closed",
    },
  ]);
});

const DENY_NODES = deny("{nodes: {}}");
const BASELINE_NODES = cnp("a", "Baseline", 10, outRule("Deny", "{nodes: {}}"));

describe("a pod and its own node", () => {
  judged("egress", [
    { title: "an Admin nodes peer denies it", policies: DENY_NODES, from: WEB, to: OWN_NODE, expected: DENIED },
    {
      title: "an Admin networks peer denies it",
      policies: deny("{networks: [10.9.0.0/24]}"),
      from: WEB,
      to: OWN_NODE,
      expected: DENIED,
    },
    {
      title: "an address of the node that no Node object names is no nodes peer, but in networks",
      policies: deny("{networks: [172.17.0.0/16]}"),
      from: WEB,
      to: "172.17.0.1",
      flow: { toOwnNode: true },
      expected: DENIED,
    },
    {
      title: "NetworkPolicy never blocks it",
      policies: CLOSED_OUT,
      from: WEB,
      to: OWN_NODE,
      expected: "allow: own-node",
    },
    {
      title: "NetworkPolicy never blocks it by an address that no Node object names",
      policies: CLOSED_OUT,
      from: WEB,
      to: "172.17.0.1",
      flow: { toOwnNode: true },
      expected: "allow: own-node",
    },
    {
      title: "NetworkPolicy blocks it where that is asked for",
      policies: CLOSED_OUT,
      from: WEB,
      to: OWN_NODE,
      options: { podToOwnNode: "enforce" },
      expected: "deny: isolated by x/closed",
    },
    {
      title: "an Admin Pass leads to NetworkPolicy, which never blocks it",
      policies: cnp("p", "Admin", 0, outRule("Pass", "{nodes: {}}")) + DENY_NODES + CLOSED_OUT,
      from: WEB,
      to: OWN_NODE,
      expected: "allow: own-node, after Pass by ClusterNetworkPolicy/p[0]",
    },
    { title: "Baseline denies it", policies: BASELINE_NODES, from: WEB, to: OWN_NODE, expected: DENIED },
    {
      title: "where NetworkPolicy isolates, its word is final: Baseline is not asked",
      policies: CLOSED_OUT + BASELINE_NODES,
      from: WEB,
      to: OWN_NODE,
      expected: "allow: own-node",
    },
  ]);
  judged("ingress", [
    {
      title: "its node always reaches a pod: probes",
      policies: NO_PROTOCOLS + CLOSED_IN,
      from: OWN_NODE,
      to: WEB,
      expected: "allow: own-node",
    },
    {
      title: "another node does not, by NetworkPolicy",
      policies: CLOSED_IN,
      from: OTHER_NODE,
      to: WEB,
      expected: "deny: isolated by x/closed",
    },
  ]);
});

const HAIRPIN = { throughService: true };

describe("a pod and itself", () => {
  judged("ingress", [
    {
      title: "by its own address: never blocked",
      policies: NO_PROTOCOLS + CLOSED_IN,
      from: WEB,
      to: WEB,
      expected: "allow: own-pod",
    },
    {
      title: "through a service: Admin judges it",
      policies: NO_PROTOCOLS,
      from: WEB,
      to: WEB,
      flow: HAIRPIN,
      expected: DENIED,
    },
    {
      title: "through a service: NetworkPolicy never blocks it",
      policies: CLOSED_IN,
      from: WEB,
      to: WEB,
      flow: HAIRPIN,
      expected: "allow: own-pod",
    },
    {
      title: "through a service: Baseline judges it",
      policies: cnp("a", "Baseline", 1, inRule("Deny")),
      from: WEB,
      to: WEB,
      flow: HAIRPIN,
      expected: DENIED,
    },
    {
      title: "through a service: NetworkPolicy's word is final where it isolates",
      policies: CLOSED_IN + cnp("a", "Baseline", 1, inRule("Deny")),
      from: WEB,
      to: WEB,
      flow: HAIRPIN,
      expected: "allow: own-pod",
    },
  ]);
});
