// The cluster of the scale benchmark: which pod is where, with which labels, and which policies there are. Owns who is a peer of
// the local pods: a change of any other pod concerns no rule of this node. Pure; written as JSON by objects.ts.

export interface ClusterSize {
  /** On other nodes. */
  readonly remotePods: number;
  readonly localPods: number;
  readonly nodes: number;
  /** Ten in each namespace, beginning with the first. */
  readonly policies: number;
}

export const LOCAL_NODE = "node-0";
export const NAMESPACES = 1_000;
const TEAMS = 20;
const PODS_OF_A_WORKLOAD = 10;
/** Of four teams. */
const LOCAL_NAMESPACES = [0, 1, 2, 3, 20, 21, 22, 23, 40, 41] as const;
export const POLICIES_OF_A_NAMESPACE = 10;
/** Everybody's policies name them. */
export const SYSTEM_NAMESPACES = { dns: 997, monitoring: 998, ingress: 999 } as const;
const TIERS = ["frontend", "backend", "db"] as const;

/** A place for a pod: it stays in its namespace, workload and node, whatever pod is there. Remote ones first, in the order of keys. */
export type Slot = number;

/** What changes of the pod in a slot. */
export interface PodState {
  /** How many pods were here before. */
  generation: number;
  /** Which address of the cluster's it has. */
  address: number;
  /** In a label that no policy asks for. */
  revision: number;
  /** In a label that policies of the local namespaces ask for, in all namespaces. */
  isClient: boolean;
  resourceVersion: number;
}

export function slotCount({ remotePods, localPods }: ClusterSize): number {
  return remotePods + localPods;
}

export function firstPod(slot: Slot): PodState {
  return { generation: 0, address: slot, revision: 1, isClient: slot % 10 === 3, resourceVersion: slot + 1 };
}

export function namespaceOf({ remotePods }: ClusterSize, slot: Slot): number {
  if (slot < remotePods) return Math.floor((slot * NAMESPACES) / remotePods);
  return LOCAL_NAMESPACES[(slot - remotePods) % LOCAL_NAMESPACES.length] as number;
}

export function teamOf(namespace: number): number {
  return namespace % TEAMS;
}

/** Within its namespace. Each local pod is one by itself. */
export function workloadOf(size: ClusterSize, slot: Slot): number {
  const { remotePods } = size;
  if (slot >= remotePods) return Math.floor((slot - remotePods) / LOCAL_NAMESPACES.length);
  const first = Math.ceil((namespaceOf(size, slot) * remotePods) / NAMESPACES);
  return Math.floor((slot - first) / PODS_OF_A_WORKLOAD);
}

export function nodeOf({ remotePods, nodes }: ClusterSize, slot: Slot): number {
  return slot < remotePods ? 1 + ((slot * 7919) % (nodes - 1)) : 0;
}

export function labelsOf(size: ClusterSize, slot: Slot, pod: PodState): Readonly<Record<string, string>> {
  const [namespace, workload] = [namespaceOf(size, slot), workloadOf(size, slot)];
  return {
    app: `app-${workload}`,
    "app.kubernetes.io/instance": `service-${namespace}-${workload}`,
    "pod-template-hash": templateHash(namespace, workload),
    tier: TIERS[workload % TIERS.length] as string,
    version: `v${pod.revision}`,
    ...(pod.isClient ? { role: "client" } : {}),
  };
}

export function templateHash(namespace: number, workload: number): string {
  return ((namespace * 1009 + workload) * 2654435761).toString(36).slice(-10).padStart(10, "b");
}

/** No policy that selects a local pod has it among its peers, unless it gets the label for clients. */
export function isOfNoConcern(size: ClusterSize, slot: Slot): boolean {
  const namespace = namespaceOf(size, slot);
  return slot < size.remotePods && teamOf(namespace) >= 6 && namespace < SYSTEM_NAMESPACES.dns;
}

/** Policy `index`, as `spec` of a NetworkPolicy. In each namespace the same ten: what tenants write. */
export function policySpec(index: number): unknown {
  const team = teamOf(policyNamespace(index));
  const shape = POLICY_SHAPES[index % POLICY_SHAPES.length] as PolicyShape;
  return shape(team);
}

export function policyNamespace(index: number): number {
  return Math.floor(index / POLICIES_OF_A_NAMESPACE);
}

/** Policies that churn brings and takes away: for a local pod's workload, in the local namespaces by turns. */
export function extraPolicyNamespace(index: number): number {
  return LOCAL_NAMESPACES[index % LOCAL_NAMESPACES.length] as number;
}

export function extraPolicySpec(index: number): unknown {
  const spec = allowFrom(select({ app: `app-${index % 11}` }), [{ podSelector: select({ app: `app-${index % 7}` }) }]);
  return { ...spec, ingress: spec.ingress.map((rule) => ({ ...rule, ports: [{ port: 9000 + (index % 50) }] })) };
}

type PolicyShape = (team: number) => unknown;

const select = (matchLabels: Readonly<Record<string, string>>) => ({ matchLabels });
const namespaceNamed = (number: number) => select({ "kubernetes.io/metadata.name": `ns-${number}` });
const ofTeam = (team: number) => ({ namespaceSelector: select({ team: `team-${team % TEAMS}` }) });

function allowFrom(podSelector: object, from: readonly object[]) {
  return { podSelector, policyTypes: ["Ingress"], ingress: [{ from }] };
}

function allowTo(podSelector: object, to: readonly object[], ports: readonly object[]) {
  return { podSelector, policyTypes: ["Egress"], egress: [{ to, ports }] };
}

const POLICY_SHAPES: readonly PolicyShape[] = [
  () => ({ podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
  () => allowFrom({}, [{ podSelector: {} }]),
  () => allowFrom({}, [{ namespaceSelector: namespaceNamed(SYSTEM_NAMESPACES.ingress) }]),
  () => {
    const peers = [
      { namespaceSelector: namespaceNamed(SYSTEM_NAMESPACES.monitoring), podSelector: select({ tier: "backend" }) },
    ];
    return { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: peers, ports: [{ port: "metrics" }] }] };
  },
  () => {
    const peers = [{ namespaceSelector: namespaceNamed(SYSTEM_NAMESPACES.dns), podSelector: select({ app: "app-0" }) }];
    return allowTo({}, peers, [
      { port: 53, protocol: "UDP" },
      { port: 53, protocol: "TCP" },
    ]);
  },
  (team) => allowFrom(select({ app: "app-0" }), [{ ...ofTeam(team + 1), podSelector: select({ tier: "frontend" }) }]),
  (team) =>
    allowTo(select({ app: "app-1" }), [{ ...ofTeam(team + 2), podSelector: select({ tier: "db" }) }], [{ port: 5432 }]),
  () =>
    allowTo(select({ app: "app-2" }), [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }], [{ port: 443 }]),
  () => allowFrom(select({ app: "app-3" }), [{ namespaceSelector: {}, podSelector: select({ role: "client" }) }]),
  (team) => allowTo(select({ app: "app-4" }), [ofTeam(team + 1)], [{ port: 8080 }]),
];
