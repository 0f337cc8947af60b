// Pod queries in one canonical form: equal queries have equal text, so they share selections, sets and names.

import { NAMESPACE_NAME_LABEL } from "../model/cluster.ts";
import { EVERYTHING, formatSelector, type LabelSelector } from "../model/labels.ts";
import type { NamespaceQuery, PodQuery } from "../model/policy.ts";

/** Every pod of every namespace. */
export const ALL_PODS: PodQuery = { namespaces: { kind: "selector", selector: EVERYTHING }, pods: EVERYTHING };

/** `namespaceSelector: {kubernetes.io/metadata.name: x}` is the namespace x: the API server owns that label. */
export function canonicalQuery(query: PodQuery): PodQuery {
  const namespaces = query.namespaces;
  if (namespaces.kind !== "selector" || namespaces.selector.requirements.length !== 1) return query;
  const [only] = namespaces.selector.requirements;
  if (only?.operator !== "In" || only.key !== NAMESPACE_NAME_LABEL || only.values.length !== 1) return query;
  return { namespaces: { kind: "name", name: only.values[0] as string }, pods: query.pods };
}

/** Equal for queries of equal canonical form, different for all others. */
export function queryKey(query: PodQuery): string {
  const { namespaces, pods } = query;
  const scope =
    namespaces.kind === "name" ? ["name", namespaces.name] : ["selector", namespaces.selector.requirements.map(tuple)];
  return JSON.stringify([scope, pods.requirements.map(tuple)]);
}

function tuple(requirement: PodQuery["pods"]["requirements"][number]): unknown[] {
  return [requirement.key, requirement.operator, "values" in requirement ? requirement.values : []];
}

/** For people: `shop: app=web`, `namespaces team=a: all`. */
export function formatQuery(query: PodQuery): string {
  return `${formatNamespaceQuery(query.namespaces)}: ${formatSelector(query.pods)}`;
}

export function formatNamespaceQuery(namespaces: NamespaceQuery): string {
  if (namespaces.kind === "name") return namespaces.name;
  return namespaces.selector.requirements.length === 0
    ? "all namespaces"
    : `namespaces ${formatSelector(namespaces.selector)}`;
}

/** Equal for node selectors of equal canonical form, different for all others. */
export function nodeSelectorKey(selector: LabelSelector): string {
  return JSON.stringify(["nodes", selector.requirements.map(tuple)]);
}

/** For people: `nodes role=worker`, `all nodes`. */
export function formatNodeSelector(selector: LabelSelector): string {
  return selector.requirements.length === 0 ? "all nodes" : `nodes ${formatSelector(selector)}`;
}
