// A cluster as it is, but with only some of its policies.

import type { Policy } from "../model/policy.ts";
import type { ClusterView } from "./view.ts";

/** Everything of `view` except its policies, which are exactly these. */
export function restrictPolicies(view: ClusterView, policies: Iterable<Policy>): ClusterView {
  const kept = new Set(policies);
  return {
    pods: () => view.pods(),
    pod: (key) => view.pod(key),
    selectablePods: () => view.selectablePods(),
    selectablePod: (key) => view.selectablePod(key),
    selectablePodsOf: (namespace) => view.selectablePodsOf(namespace),
    ownerOf: (address) => view.ownerOf(address),
    namespaceNames: () => view.namespaceNames(),
    namespaceLabels: (name) => view.namespaceLabels(name),
    nodes: () => view.nodes(),
    nodeAddresses: (name) => view.nodeAddresses(name),
    nodeAt: (address) => view.nodeAt(address),
    policies: () => kept,
  };
}
