// Workloads -> the pods that they will have, for workloads whose pods are not in the input themselves.
// Names are deterministic; addresses are given elsewhere.

import type { Workload } from "../dialects/workloads.ts";
import { type Node, type Pod, podKey } from "../model/cluster.ts";
import type { Diagnostic } from "../model/diagnostic.ts";

export const MAX_PODS_PER_WORKLOAD = 1000;

export interface MadeUpPods {
  readonly pods: readonly Pod[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Pods for each workload that neither has pods in the input nor belongs to another workload in it. */
export function makeUpPods(workloads: readonly Workload[], pods: readonly Pod[], nodes: readonly Node[]): MadeUpPods {
  const present = new Set(workloads.map((workload) => ref(workload.namespace, workload.kind, workload.name)));
  const owners = new Map<string, string>();
  for (const { namespace, kind, name, owner } of workloads) {
    if (owner !== undefined) owners.set(ref(namespace, kind, name), ref(namespace, owner.kind, owner.name));
  }
  const populated = populatedWorkloads(pods, owners);
  const taken = new Set<string>(pods.map((pod) => pod.key));
  const made: Pod[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const workload of [...workloads].sort(byReference)) {
    const reference = ref(workload.namespace, workload.kind, workload.name);
    const owner = owners.get(reference);
    if (populated.has(reference) || (owner !== undefined && present.has(owner))) continue;
    made.push(...podsOf(workload, nodes, taken, diagnostics));
  }
  return { pods: made, diagnostics };
}

function ref(namespace: string, kind: string, name: string): string {
  return `${namespace}/${kind}/${name}`;
}

function byReference(a: Workload, b: Workload): number {
  const textA = ref(a.namespace, a.kind, a.name);
  const textB = ref(b.namespace, b.kind, b.name);
  return textA < textB ? -1 : textA > textB ? 1 : 0;
}

/** Every workload that a pod belongs to, directly or through other workloads. */
function populatedWorkloads(pods: readonly Pod[], owners: ReadonlyMap<string, string>): ReadonlySet<string> {
  const populated = new Set<string>();
  for (const pod of pods) {
    let reference: string | undefined = `${pod.namespace}/${pod.workload}`;
    // A CronJob's Jobs are named after it and the scheduled minute.
    const cronJob = /^Job\/(.+)-\d+$/.exec(pod.workload);
    if (cronJob !== null) populated.add(ref(pod.namespace, "CronJob", cronJob[1] as string));
    while (reference !== undefined && !populated.has(reference)) {
      populated.add(reference);
      reference = owners.get(reference);
    }
  }
  return populated;
}

function podsOf(workload: Workload, nodes: readonly Node[], taken: Set<string>, diagnostics: Diagnostic[]): Pod[] {
  const places = placesOf(workload, nodes);
  const count = workload.replicas === "per node" ? places.length : workload.replicas;
  if (count > MAX_PODS_PER_WORKLOAD) {
    diagnostics.push({
      code: "too-many-replicas",
      severity: "warning",
      position: workload.position,
      object: `${workload.kind} ${workload.namespace}/${workload.name}`,
      message: `only ${MAX_PODS_PER_WORKLOAD} of its ${count} pods are considered: they are all alike`,
    });
  }
  return places.slice(0, MAX_PODS_PER_WORKLOAD).map((nodeName, index) => {
    const name = freeName(workload, index, taken);
    return podFromTemplate(workload, name, index, nodeName);
  });
}

/** One entry per pod: the node it runs on, where that is known. */
function placesOf(workload: Workload, nodes: readonly Node[]): (string | undefined)[] {
  const { template, replicas } = workload;
  // One more than the limit is enough to notice the rest; `replicas` may be any number.
  if (replicas !== "per node")
    return new Array<string | undefined>(Math.min(replicas, 1_000_000)).fill(template.nodeName);
  if (nodes.length === 0) return [template.nodeName];
  const wanted = Object.entries(template.nodeSelector);
  return nodes
    .filter((node) => wanted.every(([key, value]) => node.labels[key] === value))
    .filter((node) => template.nodeName === undefined || node.name === template.nodeName)
    .map((node) => node.name)
    .sort();
}

/** `web-0`; with the kind in it when another pod has that name. */
function freeName(workload: Workload, index: number, taken: Set<string>): string {
  const candidates = [`${workload.name}-${index}`, `${workload.name}-${workload.kind.toLowerCase()}-${index}`];
  let name = candidates.find((candidate) => !taken.has(podKey(workload.namespace, candidate)));
  for (let attempt = 0; name === undefined; attempt++) {
    const candidate = `${candidates[1]}-${attempt}`;
    if (!taken.has(podKey(workload.namespace, candidate))) name = candidate;
  }
  taken.add(podKey(workload.namespace, name));
  return name;
}

function podFromTemplate(workload: Workload, name: string, index: number, nodeName: string | undefined): Pod {
  const { template, owner } = workload;
  const shown = workload.kind === "ReplicaSet" && owner !== undefined ? owner : workload;
  return {
    key: podKey(workload.namespace, name),
    namespace: workload.namespace,
    name,
    labels: { ...template.labels, ...controllerLabels(workload, name, index) },
    nodeName,
    hostNetwork: template.hostNetwork,
    finished: false,
    addresses: [],
    hostAddresses: [],
    ports: template.ports,
    startedAt: "",
    createdAt: "",
    workload: `${shown.kind}/${shown.name}`,
    position: workload.position,
  };
}

/** Labels that the controllers add themselves and whose values are known beforehand. */
function controllerLabels(workload: Workload, name: string, index: number): Readonly<Record<string, string>> {
  if (workload.kind === "Job") return { "job-name": workload.name, "batch.kubernetes.io/job-name": workload.name };
  if (workload.kind !== "StatefulSet") return {};
  return { "statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": String(index) };
}
