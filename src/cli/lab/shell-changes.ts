// Manifests that were edited while a lab shell runs: what of them comes into force, and what takes a new lab. Pure.

import type { LabCluster } from "../../lab/cluster-objects.ts";
import type { LoadedManifests } from "../../manifests/load-manifests.ts";
import type { Pod, PodKey } from "../../model/cluster.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";
import type { ClusterStore } from "../../state/store.ts";
import { fillStore } from "../input.ts";
import { countOf } from "../terminal-text.ts";
import type { LabInput, LabManifests } from "./lab-input.ts";

export interface EditedCluster {
  /** Of the lab's pods those that the manifests still have, where they were, with the labels and ports of now. */
  readonly cluster: LabCluster;
  readonly store: ClusterStore;
  readonly diagnostics: readonly Diagnostic[];
  /** Pods that need a new lab, or that the manifests no longer have. */
  readonly added: readonly PodKey[];
  readonly removed: readonly PodKey[];
  readonly moved: readonly PodKey[];
}

/** The lab's namespaces stay as they are: pods keep the nodes and addresses that they began with. */
export function keepPods({ cluster: first, plan }: LabInput, { loaded, policyObjects }: LabManifests): EditedCluster {
  const begun = new Map(first.pods.map((pod) => [pod.key, pod]));
  const namespaced = new Set(plan.pods.map(({ key }) => key));
  const isNew = (pod: Pod) => !begun.has(pod.key) || !(namespaced.has(pod.key) || pod.hostNetwork || pod.finished);
  const pods = loaded.pods
    .filter((pod) => !isNew(pod))
    .map((pod) => {
      const { nodeName, hostNetwork, addresses, hostAddresses } = begun.get(pod.key) as Pod;
      return { ...pod, nodeName, hostNetwork, addresses, hostAddresses };
    });
  const { input, diagnostics } = fillStore({ ...loaded, nodes: first.nodes, pods });
  const now = new Set(loaded.pods.map(({ key }) => key));
  const madeUp = podsWithMadeUpAddresses(loaded);
  const isElsewhere = ({ key, addresses, hostNetwork }: Pod) =>
    !madeUp.has(key) && !hostNetwork && addresses.some((address) => !begun.get(key)?.addresses.includes(address));
  return {
    cluster: { namespaces: loaded.namespaces, nodes: first.nodes, pods, policies: policyObjects },
    store: input.store,
    diagnostics,
    added: loaded.pods.filter(isNew).map(({ key }) => key),
    removed: plan.pods.map(({ key }) => key).filter((key) => !now.has(key)),
    moved: loaded.pods.filter((pod) => !isNew(pod) && isElsewhere(pod)).map(({ key }) => key),
  };
}

/** They are the last ones, beside those on the host network, which have their node's. */
function podsWithMadeUpAddresses({ pods, madeUpAddresses }: LoadedManifests): ReadonlySet<PodKey> {
  const own = pods.filter(({ hostNetwork }) => !hostNetwork);
  return new Set(own.slice(own.length - madeUpAddresses).map(({ key }) => key));
}

/** `policies changed: 2 → 3 (shop/db)`; undefined: nothing that the rules could depend on is different. */
export function describeChange(before: LabCluster, after: LabCluster): string | undefined {
  const changed = changedPolicies(before.policies, after.policies);
  if (changed.length > 0) {
    const [was, is] = [before.policies.length, after.policies.length];
    return `policies changed: ${was === is ? is : `${was} → ${is}`} (${listed(changed)})`;
  }
  const pods = changedNames(before.pods, after.pods, ({ key }) => key, withoutPlace);
  if (pods.length > 0) return `${countOf(pods.length, "pod")} changed (${listed(pods)})`;
  const namespaces = changedNames(before.namespaces, after.namespaces, ({ name }) => name, withoutPlace);
  return namespaces.length === 0 ? undefined : `namespaces changed (${listed(namespaces)})`;
}

function withoutPlace(object: object): unknown {
  return { ...object, position: undefined };
}

function changedPolicies(before: readonly unknown[], after: readonly unknown[]): string[] {
  return changedNames(before, after, policyName, (policy) => policy);
}

function policyName(value: unknown): string {
  const { kind, metadata } = value as {
    readonly kind?: unknown;
    readonly metadata?: { readonly namespace?: unknown; readonly name?: unknown };
  };
  const { namespace = kind === "NetworkPolicy" ? undefined : kind, name } = metadata ?? {};
  return [namespace, name].filter((part) => typeof part === "string").join("/");
}

function changedNames<T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (each: T) => string,
  content: (each: T) => unknown,
): string[] {
  const texts = (all: readonly T[]) => new Map(all.map((each) => [nameOf(each), JSON.stringify(content(each))]));
  const [was, is] = [texts(before), texts(after)];
  return [...new Set([...was.keys(), ...is.keys()])].filter((name) => was.get(name) !== is.get(name)).sort();
}

const MOST_NAMES = 4;

/** `a, b, c, d and 3 more`. */
export function listed(names: readonly string[], most = MOST_NAMES): string {
  const more = names.length - most;
  return `${names.slice(0, most).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
