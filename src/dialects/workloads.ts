// Workload objects (Deployment, StatefulSet, DaemonSet, Job, ...) as far as they say which pods will exist.
// Owns their decoding; making pods of them is up to `src/manifests/`.

import type { ContainerPort } from "../model/cluster.ts";
import type { Diagnostic, SourcePosition } from "../model/diagnostic.ts";
import type { Labels } from "../model/labels.ts";
import { type Field, rootField } from "./field-reader.ts";
import { type Owner, readLabels, readObjectMeta } from "./object-meta.ts";
import type { ObjectSource } from "./object-source.ts";
import { readPodSpec } from "./pod-spec.ts";

export type WorkloadKind =
  | "Deployment"
  | "ReplicaSet"
  | "StatefulSet"
  | "DaemonSet"
  | "Job"
  | "CronJob"
  | "ReplicationController";

export interface Workload {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  /** The workload that controls this one: a Deployment's ReplicaSet, a CronJob's Job. */
  readonly owner: Owner | undefined;
  /** How many pods; for a DaemonSet one per node that matches `nodeSelector`. */
  readonly replicas: number | "per node";
  readonly template: PodTemplate;
  readonly position: SourcePosition;
}

export interface PodTemplate {
  readonly labels: Labels;
  readonly ports: readonly ContainerPort[];
  readonly hostNetwork: boolean;
  readonly nodeName: string | undefined;
  readonly nodeSelector: Labels;
}

export interface DecodedWorkload {
  readonly object?: Workload;
  readonly diagnostics: readonly Diagnostic[];
}

export function decodeWorkload(kind: WorkloadKind, value: unknown, source: ObjectSource): DecodedWorkload {
  const root = rootField(value, source);
  const diagnostics = root.findings.diagnostics;
  const meta = readObjectMeta(root, kind, "namespaced");
  const spec = root.mapping("spec");
  const podOwner = kind === "CronJob" ? spec.mapping("jobTemplate").mapping("spec") : spec;
  const replicas = readReplicas(kind, podOwner);
  const template = podOwner.mapping("template");
  const podSpec = readPodSpec(template.mapping("spec"));
  const labels = readLabels(template.mapping("metadata").mapping("labels"));
  if (meta === undefined) return { diagnostics };
  return {
    object: {
      kind,
      namespace: meta.namespace,
      name: meta.name,
      owner: meta.owner,
      replicas,
      template: { labels, ...podSpec },
      position: source.positionOf([]),
    },
    diagnostics,
  };
}

function readReplicas(kind: WorkloadKind, spec: Field): number | "per node" {
  if (kind === "DaemonSet") return "per node";
  if (kind === "Job" && spec.boolean("suspend") === true) return 0;
  const field = kind === "Job" || kind === "CronJob" ? "parallelism" : "replicas";
  const count = spec.integer(field) ?? 1;
  if (count >= 0) return count;
  spec.member(field).error({ code: "negative-replicas", message: `${field} must not be negative, but is ${count}` });
  return 0;
}
