// Random clusters as Kubernetes API objects, from small vocabularies so that selectors, addresses and ports meet.
// Owns the generator and its printing as YAML; the objects go through the real decoders.

import fc from "fast-check";
import { dump } from "js-yaml";
import { textlessSource } from "../../src/dialects/object-source.ts";
import { decodeObject } from "../../src/dialects/registry.ts";
import { podKey } from "../../src/model/cluster.ts";
import { policyKey } from "../../src/model/policy.ts";
import type { ClusterEvent } from "../../src/state/change.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { clusterPolicyObject } from "./random-cluster-policies.ts";
import {
  BLOCKS,
  labels,
  NAMESPACES,
  namespaceSelector,
  podSelector,
  portName,
  portNumber,
  portRange,
  protocol,
} from "./random-vocabulary.ts";

export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly spec?: unknown;
  readonly status?: unknown;
}

export const NODES = ["n1", "n2"] as const;
const POD_NAMES = ["a", "b", "c", "d"] as const;
const NODE_ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  n1: ["10.9.0.1", "fd09::1"],
  n2: ["10.9.0.2", "fd09::2"],
};
/** Few addresses, so that pods share and swap them, and blocks cut between them. */
const IPV4 = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.1.1", "10.0.1.2", "192.0.2.7"] as const;
const IPV6 = ["fd00::1", "fd00::2", "fd00::3", "fd00::1:1"] as const;
const ipBlock = fc
  .constantFrom(...BLOCKS)
  .chain(([cidr, excepts]) => fc.record({ cidr: fc.constant(cidr), except: fc.subarray([...excepts]) }))
  .map(({ cidr, except }) => (except.length === 0 ? { cidr } : { cidr, except }));

const peer = fc.oneof(
  fc.record({ podSelector }),
  fc.record({ namespaceSelector }),
  fc.record({ podSelector, namespaceSelector }),
  fc.record({ ipBlock }),
);

const policyPort = fc.oneof(
  fc.record({ protocol, port: portNumber }),
  fc.record({ protocol }),
  fc.tuple(protocol, portRange).map(([name, range]) => ({ protocol: name, ...range })),
  fc.record({ protocol, port: portName }),
  fc.record({ port: portNumber }),
);

const rule = (direction: "from" | "to") =>
  fc
    .record({ peers: fc.array(peer, { maxLength: 4 }), ports: fc.array(policyPort, { maxLength: 5 }) })
    .map(({ peers, ports }) => ({
      ...(peers.length > 0 ? { [direction]: peers } : {}),
      ...(ports.length > 0 ? { ports } : {}),
    }));

const policySpec = fc
  .record({
    podSelector,
    policyTypes: fc.constantFrom(undefined, ["Ingress"], ["Egress"], ["Ingress", "Egress"]),
    ingress: fc.array(rule("from"), { maxLength: 3 }),
    egress: fc.array(rule("to"), { maxLength: 3 }),
  })
  .map(({ policyTypes, ...spec }) => (policyTypes === undefined ? spec : { ...spec, policyTypes }));

const containerPort = fc.record({
  name: portName,
  containerPort: portNumber,
  protocol,
});

const addresses = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...IPV4).map((ip) => [ip as string]) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom(...IPV4), fc.constantFrom(...IPV6)).map((pair) => [...pair] as string[]),
  },
  { weight: 1, arbitrary: fc.constantFrom(...IPV6).map((ip) => [ip as string]) },
  { weight: 1, arbitrary: fc.constant([] as string[]) },
);

export const podObject: fc.Arbitrary<ApiObject> = fc
  .record({
    name: fc.constantFrom(...POD_NAMES),
    namespace: fc.constantFrom(...NAMESPACES),
    labels,
    node: fc.constantFrom(...NODES),
    ports: fc.array(containerPort, { maxLength: 3 }),
    ips: addresses,
    hostNetwork: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    phase: fc.constantFrom("Running", "Running", "Running", "Running", "Pending", "Succeeded", "Failed"),
    started: fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
  })
  .map(({ name, namespace, labels: own, node, ports, ips, hostNetwork, phase, started }) => {
    const podIPs = hostNetwork ? (NODE_ADDRESSES[node] as readonly string[]) : ips;
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace, labels: own, uid: `${namespace}-${name}` },
      spec: {
        nodeName: node,
        ...(hostNetwork ? { hostNetwork } : {}),
        containers: ports.map((port, index) => ({ name: `c${index}`, ports: [port] })),
      },
      status: { phase, startTime: started, podIPs: podIPs.map((ip) => ({ ip })) },
    };
  });

export const networkPolicyObject: fc.Arbitrary<ApiObject> = fc
  .record({ name: fc.constantFrom("p", "q", "r", "s"), namespace: fc.constantFrom(...NAMESPACES), spec: policySpec })
  .map(({ name, namespace, spec }) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace },
    spec,
  }));

/** Of any dialect. */
export const policyObject: fc.Arbitrary<ApiObject> = fc.oneof(
  { weight: 3, arbitrary: networkPolicyObject },
  { weight: 2, arbitrary: clusterPolicyObject },
);

export const namespaceObject: fc.Arbitrary<ApiObject> = fc
  .record({
    name: fc.constantFrom(...NAMESPACES),
    labels: fc.record({ team: fc.constantFrom("red", "blue") }, { requiredKeys: [] }),
  })
  .map((metadata) => ({ apiVersion: "v1", kind: "Namespace", metadata }));

/** Pod CIDRs that hold some of the addresses above, of pods on either node; one holds a node's address. */
const POD_CIDRS: readonly (readonly string[])[] = [
  ["10.0.0.0/24"],
  ["10.0.0.0/24", "fd00::/112"],
  ["10.0.0.0/30", "fd00::1:0/112"],
  ["10.0.1.0/31"],
  ["fd00::/64", "10.0.0.0/23"],
  ["10.0.0.2/32"],
  ["10.0.0.0/8"],
];

const nodeObjectNamed = (name: (typeof NODES)[number]): fc.Arbitrary<ApiObject> =>
  fc
    .record({
      podCIDRs: fc.constantFrom(undefined, ...POD_CIDRS),
      labels: fc.record({ role: fc.constantFrom("worker", "infra") }, { requiredKeys: [] }),
      // Mostly all: a node without addresses is one that has just come.
      addresses: fc.oneof(
        { weight: 4, arbitrary: fc.constant([...(NODE_ADDRESSES[name] as readonly string[])]) },
        { weight: 1, arbitrary: fc.subarray([...(NODE_ADDRESSES[name] as readonly string[])]) },
      ),
    })
    .map(({ podCIDRs, labels: own, addresses: known }) => ({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels: own },
      spec: podCIDRs === undefined ? {} : { podCIDR: podCIDRs[0], podCIDRs },
      status: { addresses: [...known].map((address) => ({ type: "InternalIP", address })) },
    }));

export const nodeObject: fc.Arbitrary<ApiObject> = fc.constantFrom(...NODES).chain(nodeObjectNamed);

/** One object for each (kind, namespace, name): the last one wins, as with kubectl apply. */
export function uniqueObjects(objects: readonly ApiObject[]): ApiObject[] {
  return [...new Map(objects.map((object) => [objectKey(object), object])).values()];
}

export function objectKey({ kind, metadata }: ApiObject): string {
  return `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}

/** Whole clusters: both nodes, with pod CIDRs or without, some namespaces, pods and policies. */
export const cluster: fc.Arbitrary<readonly ApiObject[]> = fc
  .tuple(
    fc.tuple(...NODES.map(nodeObjectNamed)),
    fc.array(namespaceObject, { maxLength: 3 }),
    fc.array(podObject, { minLength: 1, maxLength: 8 }),
    fc.array(networkPolicyObject, { maxLength: 5 }),
    fc.array(clusterPolicyObject, { maxLength: 4 }),
  )
  .map((parts) => uniqueObjects(parts.flat()));

/** Few pods that several policies of all tiers select: what one of them passes on or leaves undecided meets the next. */
export const crowdedCluster: fc.Arbitrary<readonly ApiObject[]> = fc
  .tuple(
    fc.tuple(...NODES.map(nodeObjectNamed)),
    fc.array(podObject, { minLength: 1, maxLength: 3 }),
    fc.array(networkPolicyObject, { maxLength: 2 }).map((policies) => policies.map(withSubject({ podSelector: {} }))),
    fc
      .array(clusterPolicyObject, { minLength: 1, maxLength: 4 })
      .map((policies) => policies.map(withSubject({ subject: { namespaces: {} } }))),
  )
  .map((parts) => uniqueObjects(parts.flat()));

function withSubject(subject: object): (policy: ApiObject) => ApiObject {
  return (policy) => ({ ...policy, spec: { ...(policy.spec as object), ...subject } });
}

/** The event that sets an object, through the real decoder. Throws when the decoder finds an error. */
export function eventOf(object: ApiObject): ClusterEvent {
  const decoded = decodeObject(object, textlessSource("generated"));
  const errors = decoded.diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  if (errors.length > 0) throw new Error(`generated an invalid object: ${JSON.stringify(errors)}`);
  switch (decoded.type) {
    case "pod":
      if (decoded.object !== undefined) return { kind: "pod", key: decoded.object.key, pod: decoded.object };
      break;
    case "namespace":
      if (decoded.object !== undefined)
        return { kind: "namespace", name: decoded.object.name, namespace: decoded.object };
      break;
    case "node":
      if (decoded.object !== undefined) return { kind: "node", name: decoded.object.name, node: decoded.object };
      break;
    case "policy":
      if (decoded.object !== undefined) return { kind: "policy", key: decoded.object.key, policy: decoded.object };
      break;
    default:
      break;
  }
  throw new Error(`generated something that is not read: ${JSON.stringify(object)}`);
}

/** The event that removes an object. */
export function removalOf({ kind, metadata }: ApiObject): ClusterEvent {
  const { namespace } = metadata;
  switch (kind) {
    case "Pod":
      return { kind: "pod", key: podKey(namespace as string, metadata.name), pod: undefined };
    case "Namespace":
      return { kind: "namespace", name: metadata.name, namespace: undefined };
    case "Node":
      return { kind: "node", name: metadata.name, node: undefined };
    default:
      return { kind: "policy", key: policyKey(kind, namespace, metadata.name), policy: undefined };
  }
}

export function storeOf(objects: readonly ApiObject[]): ClusterStore {
  const store = new ClusterStore();
  for (const object of objects) store.apply(eventOf(object));
  return store;
}

/** Manifests that can be pasted into a golden case. */
export function toYaml(objects: readonly ApiObject[]): string {
  return objects.map((object) => dump(object)).join("---\n");
}
