// The objects of one state of a folder, and the difference from one state to the next. Pure.

import { isDeepStrictEqual } from "node:util";
import type { AgentPlacement } from "../manifests/placement.ts";
import type { RunningObjects } from "../manifests/running-objects.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { policyDisplayName } from "../model/policy.ts";
import type { ClusterEvent } from "../state/change.ts";
import type { ClusterChange } from "./cluster-change.ts";

export interface KnownObject {
  readonly event: ClusterEvent;
  readonly diagnostics: readonly Diagnostic[];
}

/** By kind and key. */
export type KnownObjects = ReadonlyMap<string, KnownObject>;

/** The objects with their findings, and the findings that belong to none of them. */
export function collectObjects(loaded: RunningObjects): { objects: KnownObjects; loose: readonly Diagnostic[] } {
  const objects = new Map<string, KnownObject>();
  const findings = new Map<string, Diagnostic[]>();
  for (const diagnostic of loaded.diagnostics) {
    const about = diagnostic.object ?? "";
    findings.set(about, [...(findings.get(about) ?? []), diagnostic]);
  }
  const add = (key: string, event: ClusterEvent, object: string) => {
    objects.set(key, { event, diagnostics: findings.get(object) ?? [] });
    findings.delete(object);
  };
  for (const namespace of loaded.namespaces) {
    const { name } = namespace;
    add(`namespace ${name}`, { kind: "namespace", name, namespace }, `Namespace ${name}`);
  }
  for (const node of loaded.nodes) {
    add(`node ${node.name}`, { kind: "node", name: node.name, node }, `Node ${node.name}`);
  }
  for (const pod of loaded.pods) add(`pod ${pod.key}`, { kind: "pod", key: pod.key, pod }, `Pod ${pod.key}`);
  for (const policy of loaded.policies) {
    const { key, kind } = policy;
    add(`policy ${key}`, { kind: "policy", key, policy }, `${kind} ${policyDisplayName(policy)}`);
  }
  return { objects, loose: [...findings.values()].flat() };
}

/** One for each pod whose node is a guess. */
export function placementFindings({ pods, doubtful }: AgentPlacement, own: string): Diagnostic[] {
  return pods
    .filter(({ key }) => doubtful.has(key))
    .map(({ key, nodeName, position }) => {
      const where = nodeName === own ? "on this node" : nodeName === undefined ? "on no node" : `on ${nodeName}`;
      return {
        code: "pod-without-node",
        severity: "warning",
        position,
        object: `Pod ${key}`,
        field: "spec.nodeName",
        message: `the pod names no node, but others name theirs: it is taken to be ${where}`,
        hint: "write spec.nodeName",
      };
    });
}

export function countPolicies(objects: KnownObjects): number {
  return [...objects.values()].filter(({ event }) => event.kind === "policy").length;
}

/** The changes that make one state of the other, removals first. */
export function differences(before: KnownObjects, after: KnownObjects): ClusterChange[] {
  const changes: ClusterChange[] = [];
  for (const [key, { event }] of before) {
    if (!after.has(key)) changes.push({ event: removal(event), diagnostics: [], uid: "" });
  }
  for (const [key, object] of after) {
    if (!isDeepStrictEqual(before.get(key), object)) changes.push({ ...object, uid: "" });
  }
  return changes;
}

function removal(event: ClusterEvent): ClusterEvent {
  switch (event.kind) {
    case "pod":
      return { ...event, pod: undefined };
    case "namespace":
      return { ...event, namespace: undefined };
    case "node":
      return { ...event, node: undefined };
    case "policy":
      return { ...event, policy: undefined };
  }
}
