// The cluster whose rules are measured: a client, a server and perhaps further pods on one node, crowds of pods elsewhere for the rules
// to select, and policies about ingress. API objects, through the real decoders, to the program of that node.

import { RuleGraph } from "../../src/graph/rule-graph.ts";
import type { Address } from "../../src/net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS, type NodeProgram } from "../../src/program/program.ts";
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

/** Who may send to which UDP ports of the pods of the group. */
export interface BenchNetworkPolicy {
  readonly name: string;
  readonly subject: string;
  readonly rules: readonly { readonly from: "client" | number; readonly ports: readonly number[] }[];
}

/** What is to be made of the cluster. */
export interface BenchPolicies {
  /** undefined: in none. */
  readonly crowdOfClient: number | undefined;
  /** In their order; cut into policies of the CRD's size. */
  readonly adminRules?: readonly TierRule[];
  readonly networkPolicies?: readonly BenchNetworkPolicy[];
  /** The server's group; default: SERVER_GROUP. */
  readonly serverGroup?: string;
  /** Groups of further pods of the node. */
  readonly neighbours?: readonly string[];
}

export const SERVER_GROUP = "server";

/** Where the rule of that index is, as comments of rules name it. */
export function adminOrigin(index: number): string {
  return `ClusterNetworkPolicy/${adminName(Math.floor(index / MOST_RULES))}[${index % MOST_RULES}]`;
}

export function networkPolicyOrigin(name: string, rule: number): string {
  return `${NAMESPACE}/${name}[${rule}]`;
}

export function programOf(policies: BenchPolicies, ends: Ends): NodeProgram {
  return new RuleGraph(storeOf(objectsOf(policies, ends)), NODE, DEFAULT_PROGRAM_OPTIONS).program();
}

function objectsOf(policies: BenchPolicies, ends: Ends): ApiObject[] {
  const {
    crowdOfClient,
    adminRules = [],
    networkPolicies = [],
    serverGroup = SERVER_GROUP,
    neighbours = [],
  } = policies;
  const named = networkPolicies.flatMap(({ rules }) => rules.map(({ from }) => from));
  const crowds = [...adminRules.map(({ crowd }) => crowd), ...named.filter((from) => from !== "client")];
  const addresses = neighbourAddresses(ends);
  return [
    pod("client", NODE, ends.client, { group: "client", ...crowdLabel(crowdOfClient) }),
    pod("server", NODE, ends.server, { app: "server", group: serverGroup }),
    ...neighbours.map((group, index) => pod(`neighbour-${index}`, NODE, addresses[index] as Address, { group })),
    ...[...new Set(crowds)].flatMap(crowdPods),
    ...adminPolicies(adminRules),
    ...networkPolicies.map(networkPolicy),
  ];
}

/** The rest of the node's /24. */
export function neighbourAddresses({ client, server }: Ends): Address[] {
  const block = server.slice(0, server.lastIndexOf("."));
  return Array.from({ length: 252 }, (_, index) => `${block}.${index + 2}` as Address).filter(
    (address) => address !== client && address !== server,
  );
}

function crowdPods(crowd: number, index: number): ApiObject[] {
  return Array.from({ length: PODS_OF_A_CROWD }, (_, member) => {
    const number = index * PODS_OF_A_CROWD + member;
    return pod(`crowd-${crowd}-${member}`, "node-2", `10.245.${number >> 8}.${number & 255}`, crowdLabel(crowd));
  });
}

function pod(name: string, node: string, address: string, labels: Readonly<Record<string, string>>): ApiObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE, labels },
    spec: { nodeName: node, containers: [] } as unknown,
    status: { phase: "Running", podIPs: [{ ip: address }] },
  };
}

function crowdLabel(crowd: number | undefined): Record<string, string> {
  return crowd === undefined ? {} : { crowd: `crowd-${crowd}` };
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

function networkPolicy({ name, subject, rules }: BenchNetworkPolicy): ApiObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      podSelector: { matchLabels: { group: subject } },
      policyTypes: ["Ingress"],
      ingress: rules.map(({ from, ports }) => ({
        from: [{ podSelector: { matchLabels: from === "client" ? { group: "client" } : crowdLabel(from) } }],
        ports: ports.map((port) => ({ protocol: "UDP", port })),
      })),
    },
  };
}
