// The cluster that an agent programs one node for: as the objects that its API server has, 110 pods of them on this node.
// Owns what is in it; what happens to it is changes.ts's.

export interface ClusterSize {
  /** Beside those of `wave` and the idle ones. */
  readonly pods: number;
  readonly policies: number;
}

export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

export type Labels = Readonly<Record<string, string>>;

export const LOCAL_NODE = "node-0";
export const LOCAL_PODS = 110;
export const NAMESPACES = 100;
/** Pods of the namespace `wave`, all of other nodes: they move when it is relabelled. */
export const WAVE_PODS = 1_000;
/** Pods of other nodes that no policy names. */
export const IDLE_PODS = 100;

const PODS_OF_A_NODE = 110;

/** Each list as it is served, its objects made one at a time. */
export interface ResourceList {
  readonly path: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly objects: () => Iterable<ApiObject>;
}

export const PATHS = {
  pods: "/api/v1/pods",
  namespaces: "/api/v1/namespaces",
  nodes: "/api/v1/nodes",
  policies: "/apis/networking.k8s.io/v1/networkpolicies",
  adminPolicies: "/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies",
} as const;

export function resourceLists({ pods, policies }: ClusterSize): readonly ResourceList[] {
  const nodes = 1 + Math.ceil(pods / PODS_OF_A_NODE);
  return [
    {
      path: PATHS.namespaces,
      kind: "Namespace",
      apiVersion: "v1",
      *objects() {
        for (let index = 0; index < NAMESPACES; index++) yield namespace(`ns-${index}`, index % 10);
        yield namespace("wave", 3);
      },
    },
    {
      path: PATHS.nodes,
      kind: "Node",
      apiVersion: "v1",
      objects: () => times(nodes, (index) => node(`node-${index}`, index, {})),
    },
    { path: PATHS.pods, kind: "Pod", apiVersion: "v1", objects: () => allPods(pods, nodes) },
    {
      path: PATHS.policies,
      kind: "NetworkPolicy",
      apiVersion: "networking.k8s.io/v1",
      objects: () => times(policies, policy),
    },
    {
      path: PATHS.adminPolicies,
      kind: "AdminNetworkPolicy",
      apiVersion: "policy.networking.k8s.io/v1alpha1",
      objects: () => [monitorPolicy()],
    },
  ];
}

function* times<T>(count: number, make: (index: number) => T): Generator<T> {
  for (let index = 0; index < count; index++) yield make(index);
}

function* allPods(count: number, nodes: number): Generator<ApiObject> {
  for (let index = 0; index < count; index++) {
    yield pod({
      name: `web-${index}`,
      namespace: `ns-${index % NAMESPACES}`,
      nodeName: index < LOCAL_PODS ? LOCAL_NODE : `node-${1 + (index % (nodes - 1))}`,
      labels: { app: `app-${Math.floor(index / 100) % 10}`, tier: `tier-${index % 3}` },
      address: `10.${128 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
    });
  }
  for (let index = 0; index < WAVE_PODS; index++) {
    const labels = { app: "wave", tier: `tier-${index % 3}` };
    yield pod({ name: `wave-${index}`, namespace: "wave", nodeName: "node-1", labels, address: addressIn(200, index) });
  }
  for (let index = 0; index < IDLE_PODS; index++) yield idlePod(index, 0);
}

/** `block`: none of those that the numbered pods have. */
export function addressIn(block: number, index: number): string {
  return `10.${block}.${(index >> 8) & 255}.${index & 255}`;
}

export function namespace(name: string, team: number): ApiObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, uid: name, labels: { team: `team-${team}` } } };
}

export function node(name: string, index: number, labels: Labels): ApiObject {
  const address = `192.168.${(index >> 8) & 255}.${index & 255}`;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, uid: name, labels },
    status: { addresses: [{ type: "InternalIP", address }] },
  };
}

/** No policy's peers have such labels. */
export function idlePod(index: number, version: number): ApiObject {
  const labels = { app: "idle", version: String(version) };
  const namespace = `ns-${index % NAMESPACES}`;
  return pod({ name: `idle-${index}`, namespace, nodeName: "node-1", labels, address: addressIn(201, index) });
}

/** One of 10 namespaces' policies select all its pods, the others one app of ten; peers are an app, a tier of a team, and a block. */
function policy(index: number): ApiObject {
  const block = 16 + (index % 16);
  const peers = [
    { podSelector: { matchLabels: { app: `app-${index % 10}` } } },
    {
      namespaceSelector: { matchLabels: { team: `team-${index % 10}` } },
      podSelector: { matchLabels: { tier: `tier-${Math.floor(index / 10) % 3}` } },
    },
    { ipBlock: { cidr: `172.${block}.0.0/16`, except: [`172.${block}.3.0/24`] } },
  ];
  return networkPolicy(`policy-${index}`, index % NAMESPACES, {
    podSelector: index % 10 === 0 ? {} : { matchLabels: { app: `app-${Math.floor(index / 100) % 10}` } },
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: peers, ports: [{ port: index % 4 === 0 ? "http" : portOf(index) }] }],
    egress: [{ to: peers, ports: [{ port: 443 }] }, { ports: [{ port: 53, protocol: "UDP" }] }],
  });
}

/** Another one for each policy of a namespace: rules of equal ports would become one, with all their peers. */
function portOf(index: number): number {
  return 8_000 + (index % 20) + 20 * Math.floor(index / NAMESPACES);
}

export function networkPolicy(name: string, namespaceIndex: number, spec: unknown): ApiObject {
  const metadata = { name, namespace: `ns-${namespaceIndex}`, uid: name };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
}

/** The one policy that asks for nodes. */
function monitorPolicy(): ApiObject {
  return {
    apiVersion: "policy.networking.k8s.io/v1alpha1",
    kind: "AdminNetworkPolicy",
    metadata: { name: "monitors", uid: "monitors" },
    spec: {
      priority: 10,
      subject: { namespaces: { matchLabels: { team: "team-0" } } },
      egress: [
        {
          name: "to monitors",
          action: "Allow",
          to: [{ nodes: { matchLabels: { role: "monitor" } } }],
          ports: [{ portNumber: { protocol: "TCP", port: 9100 } }],
        },
      ],
    },
  };
}

export interface PodFacts {
  readonly name: string;
  readonly namespace: string;
  readonly nodeName: string;
  readonly labels: Labels;
  readonly address: string;
}

/** About 6 KB, half of it managedFields, as a Deployment's pod. */
export function pod({ name, namespace, nodeName, labels, address }: PodFacts): ApiObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      uid: `6f9619ff-8b86-4011-b42d-${name}`,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { ...labels, "pod-template-hash": "7d9f8b6c5d" },
      annotations: { "checksum/config": "0".repeat(64) },
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-7d9f8b6c5d", uid: "u", controller: true },
      ],
      managedFields: MANAGED_FIELDS,
    },
    spec: { nodeName, containers: CONTAINERS, tolerations: TOLERATIONS, serviceAccountName: "default" },
    status: {
      phase: "Running",
      hostIP: "192.168.0.1",
      podIP: address,
      podIPs: [{ ip: address }],
      startTime: "2026-01-01T00:00:01Z",
      conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
        type,
        status: "True",
        lastTransitionTime: "2026-01-01T00:00:02Z",
      })),
      containerStatuses: [
        { name: "main", ready: true, restartCount: 0, state: { running: { startedAt: "2026-01-01" } } },
      ],
    },
  };
}

const MANAGED_FIELDS = ["kube-controller-manager", "kubelet"].map((manager) => ({
  manager,
  operation: "Update",
  apiVersion: "v1",
  time: "2026-01-01T00:00:00Z",
  fieldsType: "FieldsV1",
  fieldsV1: Object.fromEntries(
    ["metadata", "spec", "status"].map((part) => [
      `f:${part}`,
      Object.fromEntries([...times(12, (index) => [`f:field${index}`, { ".": {}, [`f:inner${index}`]: {} }])]),
    ]),
  ),
}));

const CONTAINERS = [
  {
    name: "main",
    image: "registry.example/team/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ports: [
      { name: "http", containerPort: 8080, protocol: "TCP" },
      { name: "metrics", containerPort: 9090, protocol: "TCP" },
    ],
    env: [...times(10, (index) => ({ name: `SETTING_${index}`, value: `value-${index}` }))],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    livenessProbe: { httpGet: { path: "/healthz", port: "http", scheme: "HTTP" }, periodSeconds: 10 },
    volumeMounts: [{ name: "token", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true }],
  },
];

const TOLERATIONS = ["not-ready", "unreachable"].map((key) => ({
  key: `node.kubernetes.io/${key}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 300,
}));
