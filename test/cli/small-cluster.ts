// A cluster for tests of the command line: two namespaces, four pods on one node, one policy for each direction.

export const CLUSTER = `apiVersion: v1
kind: Node
metadata: {name: worker-1}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: worker-1, containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
status: {podIP: 10.0.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {nodeName: worker-1, containers: [{name: c, ports: [{name: http, containerPort: 9090}]}]}
status: {podIP: 10.0.0.2}
---
apiVersion: v1
kind: Pod
metadata: {name: tool, namespace: ops, labels: {app: tool}}
spec: {nodeName: worker-1, containers: [{name: c}]}
status: {podIP: 10.0.0.3}
`;

export const POLICIES = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api-ingress, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector: {matchLabels: {app: web}}
      ports:
        - port: http
    - from:
        - ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/24]}
      ports:
        - {port: 22}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web-egress, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress:
    - to:
        - podSelector: {matchLabels: {app: api}}
`;

export const FILES: Readonly<Record<string, string>> = { "c/cluster.yaml": CLUSTER, "c/policies.yaml": POLICIES };

/** A pod as one flow-style document. */
export function podText(name: string, extra: { readonly node?: string; readonly address?: string } = {}): string {
  const node = extra.node === undefined ? "" : `nodeName: ${extra.node}, `;
  return `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: default, labels: {app: ${name}}}
spec: {${node}containers: [{name: c}]}
status: {podIP: ${extra.address ?? "10.0.0.9"}}
`;
}
