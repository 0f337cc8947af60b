// Owns small clusters for tests that need to know what is in them: numbered pods, policies that let labelled pods in, and the
// graph of the node n1.
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { type Address, parseAddress } from "../../src/net/address.ts";
import type { ProgramOptions } from "../../src/program/program.ts";
import { type ApiObject, storeOf } from "./random-cluster.ts";

/** All that a program can contain. */
export const SUITE_OPTIONS: ProgramOptions = {
  podToOwnNode: "enforce",
  serviceProxy: "ipvs",
  unknownLocalPods: "drop",
};

/** The graph of the node n1 with these objects, handed out already. */
export function graphOf(...objects: readonly ApiObject[]): RuleGraph {
  const graph = new RuleGraph(storeOf([thisNode, ...objects]), "n1", SUITE_OPTIONS);
  graph.flush();
  return graph;
}

/** The node n1, where pods get addresses of 10.2.0.0/24. */
const thisNode: ApiObject = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "n1" },
  spec: { podCIDRs: ["10.2.0.0/24", "fd02::/64"] },
  status: { addresses: [{ type: "InternalIP", address: "10.9.0.1" }] },
};

export function addressOf(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed.address;
}

/** Pod number `index` of namespace x; on this node or on another. */
export function numberedPod(index: number, labels: Record<string, string>, node: "n1" | "n2" = "n2"): ApiObject {
  const [high, low] = [index >> 8, index & 255];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `p${index}`, namespace: "x", labels },
    spec: { nodeName: node, containers: [] } as unknown,
    status: { phase: "Running", podIPs: [{ ip: `10.1.${high}.${low}` }, { ip: `fd01::${index.toString(16)}` }] },
  };
}

/** Pods with the label `app: to` may be reached only by pods with the label `app: from`. */
export function allowingPolicy(name: string, to: string, from: string, port?: number): ApiObject {
  const peers = [{ podSelector: { matchLabels: { app: from } } }];
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "x" },
    spec: {
      podSelector: { matchLabels: { app: to } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [port === undefined ? { from: peers } : { from: peers, ports: [{ port }] }],
      egress: [{ to: [{ ipBlock: { cidr: "192.0.2.0/24", except: ["192.0.2.7/32", "192.0.2.64/27"] } }] }],
    },
  };
}

/** Enough pods that a change with their addresses takes some time. */
export function crowd(count: number): readonly ApiObject[] {
  return Array.from({ length: count }, (_, index) => numberedPod(256 + index, { app: "crowd" }));
}

/** Web pods, who may reach them, and a crowd that no policy names yet. */
export const webAndClients: readonly ApiObject[] = [
  numberedPod(0, { app: "web" }, "n1"),
  ...[1, 2, 3].map((index) => numberedPod(index, { app: "client" })),
  allowingPolicy("web", "web", "client", 8080),
];
