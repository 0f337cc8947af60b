// The cluster whose rules are measured: a client, a server and perhaps further pods on one node, crowds of pods elsewhere for the rules
// to select, and policies about ingress. API objects, through the real decoders, to the program of that node.

import { RuleGraph } from "../../src/graph/rule-graph.ts";
import type { Address } from "../../src/net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS, type NodeProgram } from "../../src/program/program.ts";
import { type ApiObject, storeOf } from "../../test/support/random-cluster.ts";
import { crowdAddresses, neighbourAddresses } from "./cluster-addresses.ts";
import type { Ends } from "./variant.ts";

const NODE = "node-1";
const NAMESPACE = "bench";
/** The CRD's limit for a policy and direction. */
export const MOST_RULES = 25;

/** A rule of a tier: which crowd may or may not send to which port. */
export interface TierRule {
  readonly action: "Accept" | "Deny" | "Pass";
  /** The client may be in one of them; the others have pods of other nodes only. */
  readonly crowd: number;
  readonly port: number;
}

/** Who may send to which ports of the pods of the group. */
export interface BenchNetworkPolicy {
  readonly name: string;
  readonly subject: string;
  readonly rules: readonly {
    /** A number: that crowd. */
    readonly from: "client" | number | readonly BenchBlock[];
    readonly ports: readonly number[];
  }[];
}

export interface BenchBlock {
  readonly cidr: string;
  readonly excepts: readonly string[];
}

/** What is to be made of the cluster. */
export interface BenchPolicies {
  readonly crowdsOfClient: readonly number[];
  /** Besides the client; default: 20. */
  readonly podsOfCrowd?: number;
  /** Of all ports; default: UDP. */
  readonly protocol?: "udp" | "tcp";
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
  const { adminRules = [], networkPolicies = [], serverGroup = SERVER_GROUP, neighbours = [] } = policies;
  const { crowdsOfClient, protocol = "udp" } = policies;
  const addresses = neighbourAddresses(ends);
  return [
    pod("client", NODE, ends.client, { group: "client", ...crowdLabels(crowdsOfClient) }),
    pod("server", NODE, ends.server, { app: "server", group: serverGroup }),
    ...neighbours.map((group, index) => pod(`neighbour-${index}`, NODE, addresses[index] as Address, { group })),
    ...[...crowdAddresses(policies, ends)].flatMap(([crowd, members]) =>
      members.map((address, member) => pod(`crowd-${crowd}-${member}`, "node-2", address, crowdLabels([crowd]))),
    ),
    ...adminPolicies(adminRules, protocol),
    ...networkPolicies.map((each) => networkPolicy(each, protocol)),
  ];
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

function crowdLabels(crowds: readonly number[]): Record<string, string> {
  return Object.fromEntries(crowds.map((crowd) => [`crowd-${crowd}`, "member"]));
}

function adminPolicies(rules: readonly TierRule[], protocol: "udp" | "tcp"): ApiObject[] {
  const policies: ApiObject[] = [];
  for (let start = 0; start < rules.length; start += MOST_RULES) {
    const own = rules.slice(start, start + MOST_RULES);
    const spec = {
      tier: "Admin",
      priority: policies.length,
      subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: "server" } } } },
      ingress: own.map(({ action, crowd, port }) => ({
        action,
        from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: crowdLabels([crowd]) } } }],
        protocols: [{ [protocol]: { destinationPort: { number: port } } }],
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

function networkPolicy({ name, subject, rules }: BenchNetworkPolicy, protocol: "udp" | "tcp"): ApiObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      podSelector: { matchLabels: { group: subject } },
      policyTypes: ["Ingress"],
      ingress: rules.map(({ from, ports }) => ({
        from: peersOf(from),
        ports: ports.map((port) => ({ protocol: protocol.toUpperCase(), port })),
      })),
    },
  };
}

function peersOf(from: BenchNetworkPolicy["rules"][number]["from"]): unknown[] {
  if (typeof from === "object")
    return from.map(({ cidr, excepts }) => ({
      ipBlock: { cidr, ...(excepts.length === 0 ? {} : { except: excepts }) },
    }));
  const matchLabels = from === "client" ? { group: "client" } : crowdLabels([from]);
  return [{ podSelector: { matchLabels } }];
}
