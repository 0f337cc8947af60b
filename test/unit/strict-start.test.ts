// Strict start (SEMANTICS "What is never blocked", docs/semantics.md): what the evaluator says of addresses in pod CIDRs that
// no known pod has. Each case is a flow in one cluster, and the reason of one half.

import { describe, expect, it } from "vitest";
import { fillStore } from "../../src/cli/input.ts";
import { ICMPV6, type Traffic } from "../../src/model/flow.ts";
import { parseAddress } from "../../src/net/address.ts";
import { DEFAULT_EVALUATE_OPTIONS, type EvaluateOptions, evaluate } from "../../src/semantics/evaluate.ts";
import type { HalfVerdict, Verdict } from "../../src/semantics/verdict.ts";
import { loadTexts } from "../support/manifests.ts";

/** n1 and n2 have pod CIDRs, n3 has none. Pod a is on n1, b on n2 with an address of n1's block; web isolates both. */
const { store } = fillStore(
  await loadTexts({
    "cluster.yaml": `
{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDRs: [10.0.1.0/24, "fd00:1::/64"]}, status: {addresses: [
  {type: InternalIP, address: 192.0.2.1}, {type: InternalIP, address: "2001:db8::1"}, {type: InternalIP, address: 10.0.1.254}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDR: 10.0.2.0/24}, status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n3}, status: {addresses: [{type: InternalIP, address: 192.0.2.3}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x}
spec: {nodeName: n1, containers: [{name: c}]}
status: {phase: Running, podIPs: [{ip: 10.0.1.5}, {ip: "fd00:1::5"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: x, labels: {app: web}}
spec: {nodeName: n2, containers: [{name: c}]}
status: {phase: Running, podIPs: [{ip: 10.0.1.6}]}
---
apiVersion: v1
kind: Pod
metadata: {name: done, namespace: x}
spec: {nodeName: n1, containers: [{name: c}]}
status: {phase: Failed, podIPs: [{ip: 10.0.1.7}]}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: x}
spec: {nodeName: n1, hostNetwork: true, containers: [{name: c}]}
status: {phase: Running, hostIPs: [{ip: 192.0.2.1}], podIPs: [{ip: 192.0.2.1}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: x}
spec: {podSelector: {matchLabels: {app: web}}}
`,
  }),
).input;

const POD = "10.0.1.5";
const POD6 = "fd00:1::5";
const POD_OF_N2 = "10.0.1.6";
const FINISHED = "10.0.1.7";
const UNKNOWN = "10.0.1.99";
const UNKNOWN6 = "fd00:1::99";
const UNKNOWN_OF_N2 = "10.0.2.99";
const N1 = "192.0.2.1";
const N1_IN_BLOCK = "10.0.1.254";
const N2 = "192.0.2.2";
const OUTSIDE = "198.51.100.7";
const OUTSIDE6 = "2001:db8::7";

const tcp: Traffic = { kind: "ports", protocol: "TCP", port: 80 };
const udp = (port: number, sourcePort: number): Traffic => ({ kind: "ports", protocol: "UDP", port, sourcePort });
const icmp6 = (type: number): Traffic => ({ kind: "icmp", protocol: ICMPV6, type });

function verdict(
  source: string,
  destination: string,
  traffic: Traffic = tcp,
  options: Partial<EvaluateOptions> = {},
): Verdict {
  const address = (text: string) => {
    const parsed = parseAddress(text);
    if (parsed === undefined) throw new Error(text);
    return parsed.address;
  };
  const flow = { source: address(source), destination: address(destination), traffic };
  return evaluate(store, flow, { ...DEFAULT_EVALUATE_OPTIONS, unknownLocalPods: "drop", ...options });
}

function reasonText({ reason }: HalfVerdict): string {
  return reason.kind === "never-blocked" ? reason.because : reason.kind;
}

type Case = readonly [title: string, source: string, destination: string, traffic: Traffic, expected: string];

function judged(direction: "ingress" | "egress", cases: readonly Case[]): void {
  it.each(cases)("%s", (_, source, destination, traffic, expected) => {
    const half = verdict(source, destination, traffic)[direction];
    expect(reasonText(half)).toBe(expected);
    expect(half.allow).toBe(expected !== "unknown-pod" && expected !== "isolated");
  });
}

describe("what an address in a pod CIDR may send", () => {
  judged("egress", [
    ["nothing to the outside while no pod is known to have it", UNKNOWN, OUTSIDE, tcp, "unknown-pod"],
    ["nothing to a pod of its node", UNKNOWN, POD, tcp, "unknown-pod"],
    ["nothing to another node", UNKNOWN, N2, tcp, "unknown-pod"],
    ["nothing to itself through a service: nobody knows that it is one pod", UNKNOWN, UNKNOWN, tcp, "unknown-pod"],
    ["nothing by IPv6 either", UNKNOWN6, OUTSIDE6, tcp, "unknown-pod"],
    ["nothing while it is a finished pod's", FINISHED, OUTSIDE, tcp, "unknown-pod"],
    ["nothing on the other node's block", UNKNOWN_OF_N2, OUTSIDE, tcp, "unknown-pod"],
    ["anything once a pod has it that no policy isolates", POD, OUTSIDE, tcp, "not-isolated"],
    ["what policies say once a pod has it, on whatever node", POD_OF_N2, OUTSIDE, tcp, "not-isolated"],
    ["anything to its own node: that is not forwarded", UNKNOWN, N1, tcp, "own-node"],
    ["anything when it is the node's own", N1_IN_BLOCK, OUTSIDE, tcp, "not-a-pod"],
    ["anything outside of all pod CIDRs", OUTSIDE, POD, tcp, "not-a-pod"],
    ["neighbour discovery", UNKNOWN6, POD6, icmp6(135), "neighbour-discovery"],
    ["no ping", UNKNOWN6, POD6, icmp6(128), "unknown-pod"],
    ["no DHCP answers", UNKNOWN, POD, udp(68, 67), "unknown-pod"],
  ]);
});

describe("what an address in a pod CIDR may receive", () => {
  judged("ingress", [
    ["nothing from the outside while no pod is known to have it", OUTSIDE, UNKNOWN, tcp, "unknown-pod"],
    ["nothing from a pod of its node", POD, UNKNOWN, tcp, "unknown-pod"],
    ["nothing from a pod of another node", POD_OF_N2, UNKNOWN_OF_N2, tcp, "unknown-pod"],
    ["nothing from another node", N2, UNKNOWN, tcp, "unknown-pod"],
    ["nothing by IPv6 either", OUTSIDE6, UNKNOWN6, tcp, "unknown-pod"],
    ["what policies say once a pod has it", OUTSIDE, POD_OF_N2, tcp, "isolated"],
    ["anything from its own node: that is not forwarded", N1, UNKNOWN, tcp, "own-node"],
    ["anything from its own node on an address in the block", N1_IN_BLOCK, UNKNOWN, tcp, "own-node"],
    ["neighbour discovery", POD6, UNKNOWN6, icmp6(136), "neighbour-discovery"],
    ["its answers of a DHCP server", OUTSIDE, UNKNOWN, udp(68, 67), "dhcp-answer"],
    ["its answers of a DHCPv6 server", OUTSIDE6, UNKNOWN6, udp(546, 547), "dhcp-answer"],
    ["no DHCPv6 ports on IPv4", OUTSIDE, UNKNOWN, udp(546, 547), "unknown-pod"],
  ]);
});

it("the reason names the node that closes the address, and its pod CIDR", () => {
  expect(verdict(UNKNOWN_OF_N2, UNKNOWN)).toMatchObject({
    allow: false,
    egress: { subject: undefined, reason: { kind: "unknown-pod", node: "n2", cidr: { text: "10.0.2.0/24" } } },
    ingress: { subject: undefined, reason: { kind: "unknown-pod", node: "n1", cidr: { text: "10.0.1.0/24" } } },
  });
});

it.each([
  [UNKNOWN, OUTSIDE],
  [OUTSIDE, UNKNOWN],
  [UNKNOWN6, OUTSIDE6],
  [FINISHED, UNKNOWN_OF_N2],
])("without strict start %s -> %s is not asked", (source, destination) => {
  const { egress, ingress } = verdict(source, destination, tcp, { unknownLocalPods: "allow" });
  expect([egress, ingress].map(reasonText)).toEqual(["not-a-pod", "not-a-pod"]);
});

it("an unknown address reaches its own node even where policies judge that way: nobody knows its policies", () => {
  expect(reasonText(verdict(UNKNOWN, N1, tcp, { podToOwnNode: "enforce" }).egress)).toBe("own-node");
});
