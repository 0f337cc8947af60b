// The cluster whose rules are measured: a client and a server on one node, crowds of pods elsewhere for the rules to select, and
// policies about the server's ingress. API objects, through the real decoders, to the table of that node.

import { compileRuleset } from "../../src/backends/nft/compile.ts";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { type ApiObject, storeOf } from "../../test/support/random-cluster.ts";
import type { Ends } from "./variant.ts";

const NODE = "node-1";
const NAMESPACE = "bench";
/** The CRD's limit for a policy and direction. */
const MOST_RULES = 25;
const PODS_OF_A_CROWD = 20;

/** A rule of a tier: which crowd may or may not send to which UDP port. */
export interface TierRule {
  readonly action: "Accept" | "Deny" | "Pass";
  /** The client may be in one of them; the others have pods of other nodes only. */
  readonly crowd: number;
  readonly port: number;
}

/** What is to be made of the cluster. */
export interface BenchPolicies {
  /** undefined: in none. */
  readonly crowdOfClient: number | undefined;
  /** In their order; cut into policies of the CRD's size. */
  readonly adminRules?: readonly TierRule[];
  /** UDP ports of the server that one NetworkPolicy opens for the client; undefined: there is no NetworkPolicy. */
  readonly openPorts?: readonly number[];
}

/** Where the rule of that index is, as comments of rules name it. */
export function adminOrigin(index: number): string {
  return `ClusterNetworkPolicy/${adminName(Math.floor(index / MOST_RULES))}[${index % MOST_RULES}]`;
}

export const NETWORK_POLICY_ORIGIN = `${NAMESPACE}/server[0]`;

export function rulesetOf(policies: BenchPolicies, ends: Ends): Ruleset {
  const graph = new RuleGraph(storeOf(objectsOf(policies, ends)), NODE, DEFAULT_PROGRAM_OPTIONS);
  return compileRuleset(graph.program());
}

function objectsOf({ crowdOfClient, adminRules = [], openPorts }: BenchPolicies, ends: Ends): ApiObject[] {
  const crowds = [...new Set(adminRules.map(({ crowd }) => crowd))];
  return [
    pod("client", NODE, ends.client, crowdOfClient),
    pod("server", NODE, ends.server, undefined),
    ...crowds.flatMap((crowd, index) => crowdPods(crowd, index)),
    ...adminPolicies(adminRules),
    ...(openPorts === undefined ? [] : [networkPolicy(openPorts)]),
  ];
}

function crowdPods(crowd: number, index: number): ApiObject[] {
  return Array.from({ length: PODS_OF_A_CROWD }, (_, member) => {
    const number = index * PODS_OF_A_CROWD + member;
    return pod(`crowd-${crowd}-${member}`, "node-2", `10.245.${number >> 8}.${number & 255}`, crowd);
  });
}

function pod(name: string, node: string, address: string, crowd: number | undefined): ApiObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE, labels: { app: name, ...(crowd === undefined ? {} : crowdLabel(crowd)) } },
    spec: { nodeName: node, containers: [] } as unknown,
    status: { phase: "Running", podIPs: [{ ip: address }] },
  };
}

function crowdLabel(crowd: number) {
  return { crowd: `crowd-${crowd}` };
}

function adminPolicies(rules: readonly TierRule[]): ApiObject[] {
  const policies: ApiObject[] = [];
  for (let start = 0; start < rules.length; start += MOST_RULES) {
    const own = rules.slice(start, start + MOST_RULES);
    const spec = {
      tier: "Admin",
      priority: policies.length,
      subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: "server" } } } },
      ingress: own.map(({ action, crowd, port }) => ({
        action,
        from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: crowdLabel(crowd) } } }],
        protocols: [{ udp: { destinationPort: { number: port } } }],
      })),
    };
    const metadata = { name: adminName(policies.length) };
    policies.push({
      apiVersion: "policy.networking.k8s.io/v1alpha2",
      kind: "ClusterNetworkPolicy",
      metadata,
      spec,
    });
  }
  return policies;
}

function adminName(index: number): string {
  return `admin-${index + 1}`;
}

function networkPolicy(ports: readonly number[]): ApiObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "server", namespace: NAMESPACE },
    spec: {
      podSelector: { matchLabels: { app: "server" } },
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: [{ podSelector: { matchLabels: { app: "client" } } }],
          ports: ports.map((port) => ({ protocol: "UDP", port })),
        },
      ],
    },
  };
}
