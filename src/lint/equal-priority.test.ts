// Each near miss stands beside the pair that must be told.

import { describe, expect, it } from "vitest";
import {
  makeNamespace,
  makePod,
  makePolicy,
  setNamespace,
  setPod,
  setPolicy,
} from "../../test/support/model-objects.ts";
import { ADMIN, BASELINE, CLUSTER, type Fields, type TierKind, tierPolicy } from "../../test/support/tier-policies.ts";
import type { Pod } from "../model/cluster.ts";
import { formatTraffic } from "../model/flow.ts";
import type { Policy } from "../model/policy.ts";
import type { Address } from "../net/address.ts";
import { ClusterStore } from "../state/store.ts";
import { findEqualPriorities } from "./equal-priority.ts";
import type { LintFinding } from "./finding.ts";

const NODE = {
  name: "node-1",
  labels: { role: "worker" },
  addresses: ["192.168.0.1" as Address],
  podCidrs: [],
  position: { file: "test" },
};
const HTTP = { name: "http", protocol: "TCP", port: 8080 } as const;
const DNS = { name: "http", protocol: "UDP", port: 53 } as const;
const WEB = makePod("web", "10.0.0.1", { ports: [HTTP] });
const API = makePod("api", "10.0.0.2 fd00::2");
const TOOL = makePod("tool", "10.0.0.3", { namespace: "b", ports: [DNS] });

function findings(policies: readonly Policy[], pods: readonly Pod[] = [WEB, API, TOOL]): LintFinding[] {
  const store = new ClusterStore();
  store.apply({ kind: "node", name: NODE.name, node: NODE });
  for (const name of ["a", "b"]) store.apply(setNamespace(makeNamespace(name)));
  for (const pod of pods) store.apply(setPod(pod));
  for (const policy of policies) store.apply(setPolicy(policy));
  return findEqualPriorities(store);
}

/** `a egress 10.0.0.1 -> 10.0.0.2 80/TCP: deny, allow`, or nothing. */
function examples(...args: Parameters<typeof findings>): string[] {
  return findings(...args).map(({ example }) => {
    if (example === undefined) throw new Error("no example");
    const { direction, flow, matches } = example;
    const does = matches.map(({ policy, rule }) => `${policy.name}[${rule.index}] ${rule.action}`);
    return `${direction} ${flow.source} -> ${flow.destination} ${formatTraffic(flow.traffic)}: ${does.join(", ")}`;
  });
}

function tier(kind: TierKind, name: string, spec: Fields): Policy {
  return tierPolicy(kind, spec, { metadata: { name } });
}

function pods(labels: Fields, namespaces: Fields = {}): Fields {
  return { pods: { namespaceSelector: namespaces, podSelector: { matchLabels: labels } } };
}

const NET = (...networks: readonly string[]) => ({ to: [{ networks }] });
const ALL = NET("0.0.0.0/0");
const TCP = (number: number) => ({ protocols: [{ tcp: { destinationPort: { number } } }] });
const RANGE = (start: number, end: number) => ({
  protocols: [{ tcp: { destinationPort: { range: { start, end } } } }],
});
const EVERY_PORT = ["tcp", "udp", "sctp"].map((name) => ({
  [name]: { destinationPort: { range: { start: 1, end: 65535 } } },
}));
const NAMED = (destinationNamedPort: string) => ({ protocols: [{ destinationNamedPort }] });
const IN_A = { matchLabels: { "kubernetes.io/metadata.name": "a" } };

/** Two policies of priority 10 that select every pod, each with its egress rules. */
function pair(first: readonly Fields[], second: readonly Fields[], fields: Fields = {}): Policy[] {
  return [tier(CLUSTER, "a", { egress: first }), tier(CLUSTER, "b", { egress: second, ...fields })];
}

const accept = (fields: Fields = ALL) => ({ action: "Accept", ...fields });
const deny = (fields: Fields = ALL) => ({ action: "Deny", ...fields });
const pass = (fields: Fields = ALL) => ({ action: "Pass", ...fields });

describe("two policies of one tier and priority that do different things with one flow are told, with the flow", () => {
  it.each<[string, Policy[], string]>([
    ["deny and allow", pair([deny()], [accept()]), "egress 10.0.0.2 -> 10.0.0.1 80/TCP: a[0] deny, b[0] allow"],
    ["pass and allow", pair([pass()], [accept()]), "egress 10.0.0.2 -> 10.0.0.1 80/TCP: a[0] pass, b[0] allow"],
    [
      "on one port only",
      pair([accept({ ...ALL, ...TCP(443) })], [deny({ ...ALL, ...RANGE(400, 500) })]),
      "egress 10.0.0.2 -> 10.0.0.1 443/TCP: a[0] allow, b[0] deny",
    ],
    [
      "in what the first rule of one leaves to its second",
      pair([accept({ ...ALL, ...RANGE(1, 1023) }), deny()], [accept()]),
      "egress 10.0.0.2 -> 10.0.0.1 1024/TCP: a[1] deny, b[0] allow",
    ],
    [
      "in addresses that are no pod's, where blocks overlap",
      pair([deny(NET("203.0.113.0/24"))], [accept(NET("203.0.113.128/25", "198.51.100.0/24"))]),
      "egress 10.0.0.2 -> 203.0.113.129 80/TCP: a[0] deny, b[0] allow",
    ],
    [
      "about a node",
      pair([deny({ to: [{ nodes: {} }] })], [accept(NET("192.168.0.0/16"))]),
      "egress 10.0.0.2 -> 192.168.0.1 80/TCP: a[0] deny, b[0] allow",
    ],
    [
      "in the family that one pod has",
      pair([deny(NET("fd00::/8"))], [accept(NET("fd00::/16"))]),
      "egress fd00::2 -> fd00::1 80/TCP: a[0] deny, b[0] allow",
    ],
    [
      "where ICMP and protocols without ports are left",
      pair([accept({ ...ALL, protocols: EVERY_PORT }), deny()], [accept()]),
      "egress 10.0.0.2 -> 10.0.0.1 ICMP: a[1] deny, b[0] allow",
    ],
    [
      "about what a port name means on the destination",
      pair(
        [deny({ to: [{ namespaces: {} }], ...NAMED("http") })],
        [accept({ to: [{ namespaces: {} }], protocols: [{ udp: { destinationPort: { number: 53 } } }] })],
      ),
      "egress 10.0.0.2 -> 10.0.0.3 53/UDP: a[0] deny, b[0] allow",
    ],
    [
      "on the way in, about what it means on the subject",
      [
        tier(CLUSTER, "a", { ingress: [{ action: "Deny", from: [{ namespaces: {} }], ...NAMED("http") }] }),
        tier(CLUSTER, "b", { ingress: [{ action: "Accept", from: [{ namespaces: {} }], ...TCP(8080) }] }),
      ],
      "ingress 10.0.0.2 -> 10.0.0.1 8080/TCP: a[0] deny, b[0] allow",
    ],
    [
      "of two APIs",
      [tier(CLUSTER, "b", { egress: [deny()] }), tier(ADMIN, "a", { egress: [{ action: "Allow", ...ALL }] })],
      "egress 10.0.0.2 -> 10.0.0.1 80/TCP: a[0] allow, b[0] deny",
    ],
    [
      "in the Baseline tier",
      ["a", "b"].map((name) => tier(CLUSTER, name, { tier: "Baseline", egress: [name === "a" ? deny() : accept()] })),
      "egress 10.0.0.2 -> 10.0.0.1 80/TCP: a[0] deny, b[0] allow",
    ],
    [
      "where their subjects overlap in one pod",
      [
        tier(CLUSTER, "a", { subject: pods({ app: "web" }), egress: [deny()] }),
        tier(CLUSTER, "b", { subject: { namespaces: IN_A }, egress: [accept()] }),
      ],
      "egress 10.0.0.1 -> 10.0.0.2 80/TCP: a[0] deny, b[0] allow",
    ],
  ])("%s", (_, policies, example) => {
    expect(examples(policies)).toEqual([example]);
  });

  it("with both rules, what is done, and what to do", () => {
    const [finding] = findings(pair([deny({ name: "none", ...ALL })], [accept()]));
    expect(finding).toMatchObject({
      code: "equal-priority",
      severity: "warning",
      object: "ClusterNetworkPolicy a",
      field: "spec.egress[0]",
      message:
        'ClusterNetworkPolicy/a and ClusterNetworkPolicy/b have the same priority (10) in the Admin tier and do not agree about a/api -> a/web : 80/TCP: ClusterNetworkPolicy/a egress[0] "none" (test) denies it, ClusterNetworkPolicy/b egress[0] (test) allows it',
      hint: "give them different priorities: the API leaves open which of the two is asked first; here it is ClusterNetworkPolicy/a, by name",
    });
  });

  it("each pair once", () => {
    const names = ["a", "b", "c"].map((name) => tier(CLUSTER, name, { egress: [name === "b" ? accept() : deny()] }));
    expect(examples(names)).toEqual([
      "egress 10.0.0.2 -> 10.0.0.1 80/TCP: a[0] deny, b[0] allow",
      "egress 10.0.0.2 -> 10.0.0.1 80/TCP: b[0] allow, c[0] deny",
    ]);
  });

  it("of one pod alone: about addresses, or through a service about itself", () => {
    expect(examples(pair([deny()], [accept()]), [WEB])).toEqual([
      "egress 10.0.0.1 -> 192.168.0.1 80/TCP: a[0] deny, b[0] allow",
    ]);
    const self = (action: string, name: string) =>
      tier(CLUSTER, name, { egress: [{ action, to: [{ namespaces: {} }] }] });
    const [finding] = findings([self("Deny", "a"), self("Accept", "b")], [WEB]);
    expect(finding?.example?.flow).toMatchObject({ source: "10.0.0.1", destination: "10.0.0.1", throughService: true });
    expect(finding?.message).toContain("a/web -> a/web : 80/TCP (through a service):");
  });
});

describe("what is not told", () => {
  it.each<[string, Policy[]]>([
    ["other priorities", pair([deny()], [accept()], { priority: 11 })],
    ["other tiers", pair([deny()], [accept()], { tier: "Baseline" })],
    ["the same action", pair([deny()], [deny()])],
    ["other ports", pair([deny({ ...ALL, ...RANGE(1, 79) })], [accept({ ...ALL, ...RANGE(80, 90) })])],
    [
      "other protocols",
      pair(
        [deny({ ...ALL, ...TCP(53) })],
        [accept({ ...ALL, protocols: [{ udp: { destinationPort: { number: 53 } } }] })],
      ),
    ],
    ["blocks that only touch", pair([deny(NET("10.0.0.0/25"))], [accept(NET("10.0.0.128/25"))])],
    ["blocks of two families", pair([deny()], [accept(NET("::/0"))])],
    [
      "a family that no subject has",
      pair([deny(NET("fd00::/8"))], [accept(NET("fd00::/16"))], { subject: pods({ app: "web" }) }),
    ],
    [
      "an earlier rule of the same policy settles it",
      pair([accept(NET("10.0.0.0/8")), deny(NET("10.0.0.0/16"))], [accept(NET("10.0.0.0/8"))]),
    ],
    ["directions that differ", pair([deny()], [], { ingress: [{ action: "Accept", from: [{ namespaces: {} }] }] })],
    [
      "subjects that have no pod in common now",
      pair([deny()], [accept()]).map(
        (policy, index) => ({ ...policy, subject: subjectOf(index === 0 ? "web" : "tool") }) as Policy,
      ),
    ],
    ["subjects that select nothing", pair([deny()], [accept()], { subject: pods({ app: "none" }) })],
    ["peers that match no known pod", pair([deny({ to: [pods({ app: "none" })] })], [accept()])],
    [
      "peers that have no pod in common",
      pair([deny({ to: [pods({ app: "web" })] })], [accept({ to: [pods({ app: "api" })] })]),
    ],
    [
      "a port name that means something else",
      pair([deny({ to: [{ namespaces: {} }], ...NAMED("http") })], [accept({ to: [{ namespaces: {} }], ...TCP(53) })]),
    ],
    ["domain names, which match nothing", pair([accept({ to: [{ domainNames: ["example.org"] }] })], [deny()])],
    [
      "what the subject's own node sends, which is never blocked",
      pair([], []).map(
        (policy, index) =>
          ({
            ...policy,
            rules: { egress: [], ingress: [nodeRule(index === 0 ? "deny" : "allow")] },
          }) as unknown as Policy,
      ),
    ],
    ["NetworkPolicies", [makePolicy("p", { podSelector: {} }), makePolicy("q", { podSelector: {}, ingress: [{}] })]],
    [
      "the one BaselineAdminNetworkPolicy",
      [
        tier(BASELINE, "default", { egress: [deny()] }),
        tier(CLUSTER, "last", { tier: "Baseline", priority: 1000, egress: [accept()] }),
      ],
    ],
  ])("%s", (_, policies) => {
    expect(examples(policies)).toEqual([]);
  });
});

function subjectOf(app: string): Policy["subject"] {
  return tier(CLUSTER, "any", { subject: pods({ app }) }).subject;
}

function nodeRule(action: string): Fields {
  return {
    action,
    name: undefined,
    peers: [{ kind: "nodes", selector: { requirements: [] } }],
    ports: "any",
    index: 0,
    position: { file: "test" },
  };
}
