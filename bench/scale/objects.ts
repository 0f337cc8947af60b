// The scale benchmark's cluster as the API server writes it: objects with all that nobody reads, most of all managedFields.
// Owns their JSON; what is in the cluster is cluster.ts's to say.

import {
  type ClusterSize,
  extraPolicyNamespace,
  extraPolicySpec,
  labelsOf,
  namespaceOf,
  nodeOf,
  type PodState,
  policyNamespace,
  policySpec,
  type Slot,
  teamOf,
  templateHash,
  workloadOf,
} from "./cluster.ts";
import { gap, JsonTemplate } from "./json-template.ts";

/** As without the padding, in bytes: fillings included. */
const SMALLEST_POD = 2_500;
/** No filled pod is larger than its template by more. */
const FILLING_BYTES = 1_000;

const serviceAccountVolume = "kube-api-access-x7k2p";

type PodGap =
  | "name"
  | "generateName"
  | "namespace"
  | "uid"
  | "version"
  | "labels"
  | "owner"
  | "node"
  | "phase"
  | "hostIP"
  | "hostIPs"
  | "podIP"
  | "podIPs"
  | "startTime";

/** Writes pods of a size: about `podBytes` each, half of it managedFields. */
export class PodTexts {
  readonly #size: ClusterSize;
  readonly #template: JsonTemplate<PodGap>;
  readonly largestBytes: number;

  constructor(size: ClusterSize, podBytes: number) {
    this.#size = size;
    this.#template = new JsonTemplate(podWithGaps(Math.max(0, podBytes - SMALLEST_POD)));
    this.largestBytes = this.#template.sizeWith(FILLING_BYTES);
  }

  /** `isPending`: made, but without node and address yet. Returns the position after it. */
  write(target: Buffer, from: number, slot: Slot, pod: PodState, isPending = false): number {
    return this.#template.write(target, from, podFillings(this.#size, slot, pod, isPending));
  }
}

export function podAddress(address: number): string {
  return `10.${64 + (address >> 16)}.${(address >> 8) & 255}.${address & 255}`;
}

function nodeAddress(node: number): string {
  return `192.168.${node >> 8}.${node & 255}`;
}

function podFillings(size: ClusterSize, slot: Slot, pod: PodState, isPending: boolean): Record<PodGap, string> {
  const [namespace, workload, node] = [namespaceOf(size, slot), workloadOf(size, slot), nodeOf(size, slot)];
  const replicaSet = `service-${workload}-${templateHash(namespace, workload)}`;
  const ip = podAddress(pod.address);
  const hostIP = nodeAddress(node);
  return {
    name: `"${replicaSet}-${slot.toString(36)}.${pod.generation}"`,
    generateName: `"${replicaSet}-"`,
    namespace: `"ns-${namespace}"`,
    uid: `"6f9619ff-8b86-4011-${String(pod.generation % 10_000).padStart(4, "0")}-${String(slot).padStart(12, "0")}"`,
    version: `"${pod.resourceVersion}"`,
    labels: JSON.stringify(labelsOf(size, slot, pod)),
    owner: `"${replicaSet}"`,
    node: isPending ? "null" : `"node-${node}"`,
    phase: isPending ? '"Pending"' : '"Running"',
    hostIP: isPending ? "null" : `"${hostIP}"`,
    hostIPs: isPending ? "null" : `[{"ip":"${hostIP}"}]`,
    podIP: isPending ? "null" : `"${ip}"`,
    podIPs: isPending ? "null" : `[{"ip":"${ip}"}]`,
    startTime: `"2026-01-01T${twoDigits(pod.generation % 24)}:${twoDigits(slot % 60)}:${twoDigits((slot >> 6) % 60)}Z"`,
  };
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function podWithGaps(paddingBytes: number): unknown {
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: {
      name: gap("name"),
      generateName: gap("generateName"),
      namespace: gap("namespace"),
      uid: gap("uid"),
      resourceVersion: gap("version"),
      creationTimestamp: gap("startTime"),
      labels: gap("labels"),
      annotations: { "prometheus.io/scrape": "true", "checksum/config": "0".repeat(64) },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          name: gap("owner"),
          uid: "7f9619ff-8b86-4011-b42d-000000000000",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: managedFields(paddingBytes),
    },
    spec: {
      volumes: [{ name: serviceAccountVolume, projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }],
      containers: [
        {
          name: "main",
          image: `registry.example/team/web@sha256:${"0123456789abcdef".repeat(4)}`,
          ports: [
            { name: "http", containerPort: 8080, protocol: "TCP" },
            { name: "metrics", containerPort: 9090, protocol: "TCP" },
          ],
          env: Array.from({ length: 8 }, (_, index) => ({ name: `SETTING_${index}`, value: `value-${index}` })),
          resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
          livenessProbe: { httpGet: { path: "/healthz", port: "http", scheme: "HTTP" }, periodSeconds: 10 },
          volumeMounts: [
            { name: serviceAccountVolume, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true },
          ],
        },
      ],
      nodeName: gap("node"),
      tolerations: ["not-ready", "unreachable"].map((key) => ({
        key: `node.kubernetes.io/${key}`,
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      })),
    },
    status: {
      phase: gap("phase"),
      conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
        type,
        status: "True",
        lastProbeTime: null,
        lastTransitionTime: gap("startTime"),
      })),
      hostIP: gap("hostIP"),
      hostIPs: gap("hostIPs"),
      podIP: gap("podIP"),
      podIPs: gap("podIPs"),
      startTime: gap("startTime"),
      containerStatuses: [
        { name: "main", ready: true, restartCount: 0, state: { running: { startedAt: gap("startTime") } } },
      ],
      qosClass: "Burstable",
    },
  };
}

/** Of about so many bytes. */
function managedFields(bytes: number): unknown {
  const fields = Array.from({ length: Math.floor(bytes / 40) }, (_, index) => [
    `f:field${String(index).padStart(4, "0")}`,
    { ".": {}, "f:inner": {} },
  ]);
  return [{ manager: "kubelet", operation: "Update", apiVersion: "v1", fieldsV1: Object.fromEntries(fields) }];
}

export function namespaceObject(index: number): unknown {
  return {
    kind: "Namespace",
    apiVersion: "v1",
    metadata: {
      name: `ns-${index}`,
      uid: `namespace-${index}`,
      resourceVersion: "1",
      labels: { "kubernetes.io/metadata.name": `ns-${index}`, team: `team-${teamOf(index)}` },
      managedFields: managedFields(400),
    },
    status: { phase: "Active" },
  };
}

export function nodeObject(index: number): unknown {
  return {
    kind: "Node",
    apiVersion: "v1",
    metadata: {
      name: `node-${index}`,
      uid: `node-${index}`,
      resourceVersion: "1",
      labels: { "kubernetes.io/hostname": `node-${index}`, "topology.kubernetes.io/zone": `zone-${index % 3}` },
      managedFields: managedFields(2_000),
    },
    spec: { podCIDRs: [`100.${64 + (index >> 8)}.${index & 255}.0/24`] },
    status: {
      addresses: [
        { type: "InternalIP", address: nodeAddress(index) },
        { type: "Hostname", address: `node-${index}` },
      ],
      images: Array.from({ length: 40 }, (_, image) => ({
        names: [`registry.example/image-${image}@sha256:${"0123456789abcdef".repeat(4)}`],
        sizeBytes: 100_000_000 + image,
      })),
    },
  };
}

export function policyObject(index: number): unknown {
  return networkPolicy(`policy-${index % 10}`, policyNamespace(index), "1", policySpec(index));
}

export function extraPolicyObject(index: number, version: number): unknown {
  return networkPolicy(`extra-${index}`, extraPolicyNamespace(index), String(version), extraPolicySpec(index));
}

function networkPolicy(name: string, namespace: number, resourceVersion: string, spec: unknown): unknown {
  return {
    kind: "NetworkPolicy",
    apiVersion: "networking.k8s.io/v1",
    metadata: {
      name,
      namespace: `ns-${namespace}`,
      uid: `${name}-of-${namespace}`,
      resourceVersion,
      creationTimestamp: "2026-01-01T00:00:00Z",
      generation: 1,
      managedFields: managedFields(600),
    },
    spec,
  };
}
