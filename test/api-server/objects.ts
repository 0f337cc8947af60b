// API objects as a server stores them, as small as tests allow, and where they are served.

import type { ApiObject } from "./object-store.ts";

export const PODS_PATH = "/api/v1/pods";
export const NAMESPACES_PATH = "/api/v1/namespaces";
export const NODES_PATH = "/api/v1/nodes";
export const POLICIES_PATH = "/apis/networking.k8s.io/v1/networkpolicies";

export function namespaceObject(name: string, labels: Readonly<Record<string, string>> = {}): ApiObject {
  return { metadata: { name, uid: `uid-${name}`, labels: { "kubernetes.io/metadata.name": name, ...labels } } };
}

export function podObject(namespace: string, name: string, address: string, nodeName = "node-1"): ApiObject {
  return {
    metadata: {
      namespace,
      name,
      uid: `uid-${namespace}-${name}`,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { app: name },
      managedFields: [{ manager: "kubelet", fieldsV1: { padding: "x".repeat(500) } }],
    },
    spec: { nodeName, containers: [{ name: "main", ports: [{ name: "http", containerPort: 80, protocol: "TCP" }] }] },
    status: { phase: "Running", podIP: address, podIPs: [{ ip: address }], startTime: "2026-01-01T00:00:01Z" },
  };
}

export function nodeObject(name: string, address: string): ApiObject {
  return { metadata: { name }, status: { addresses: [{ type: "InternalIP", address }] } };
}

export function policyObject(namespace: string, name: string, spec: ApiObject): ApiObject {
  return { metadata: { namespace, name, uid: `uid-${name}`, generation: 1 }, spec };
}
