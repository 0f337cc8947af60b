// A large cluster for benchmarks: 10,000 pods in 100 namespaces on 91 nodes, 110 of them on node-0, and 1,000 policies.

export const LARGE = { pods: 10_000, namespaces: 100, policies: 1_000, localPods: 110 } as const;
export const LOCAL_NODE = "node-0";

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

export function largeCluster(): Manifest[] {
  const namespaces = Array.from({ length: LARGE.namespaces }, (_, index) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: `ns-${index}`, labels: { team: `team-${index % 10}` } },
  }));
  const pods = Array.from({ length: LARGE.pods }, (_, index) => largePod(index));
  const policies = Array.from({ length: LARGE.policies }, (_, index) => largePolicy(index));
  return [...namespaces, ...pods, ...policies];
}

/** Pod `index`; the first 110 are on the local node, spread over all namespaces. */
export function largePod(index: number, extraLabels: Readonly<Record<string, string>> = {}): Manifest {
  const nodeName = index < LARGE.localPods ? LOCAL_NODE : `node-${1 + (index % 90)}`;
  const ip = `10.${128 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `web-${index}`,
      namespace: `ns-${index % LARGE.namespaces}`,
      labels: { app: `app-${Math.floor(index / 100) % 10}`, tier: `tier-${index % 3}`, ...extraLabels },
    },
    spec: { nodeName, containers: [{ name: "c", ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }] }] },
    status: { phase: "Running", podIP: ip, podIPs: [{ ip }] },
  };
}

function largePolicy(index: number): Manifest {
  const peers = [
    { podSelector: { matchLabels: { app: `app-${index % 10}` } } },
    {
      namespaceSelector: { matchLabels: { team: `team-${index % 10}` } },
      podSelector: { matchLabels: { tier: "tier-1" } },
    },
    { ipBlock: { cidr: `172.${16 + (index % 16)}.0.0/16`, except: [`172.${16 + (index % 16)}.3.0/24`] } },
  ];
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `policy-${index}`, namespace: `ns-${index % LARGE.namespaces}` },
    spec: {
      podSelector: index % 10 === 0 ? {} : { matchLabels: { app: `app-${Math.floor(index / 100)}` } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: peers, ports: [{ port: index % 4 === 0 ? "http" : 8000 + (index % 20) }] }],
      egress: [{ to: peers, ports: [{ port: 443 }] }, { ports: [{ port: 53, protocol: "UDP" }] }],
    },
  };
}
