// The cluster with fewer policies: the evaluator is asked about one pair of pods and need not look at all the others.

import type { Policy } from "../../model/policy.ts";
import type { Address } from "../../net/address.ts";
import type { ClusterView } from "../../state/view.ts";

/** The same objects, and only these policies. */
export class NarrowedView implements ClusterView {
  readonly #view: ClusterView;
  readonly #policies: readonly Policy[];

  constructor(view: ClusterView, policies: readonly Policy[]) {
    this.#view = view;
    this.#policies = policies;
  }

  policies(): Iterable<Policy> {
    return this.#policies;
  }
  pods(): ReturnType<ClusterView["pods"]> {
    return this.#view.pods();
  }
  pod(...args: Parameters<ClusterView["pod"]>): ReturnType<ClusterView["pod"]> {
    return this.#view.pod(...args);
  }
  selectablePods(): ReturnType<ClusterView["selectablePods"]> {
    return this.#view.selectablePods();
  }
  selectablePod(...args: Parameters<ClusterView["selectablePod"]>): ReturnType<ClusterView["selectablePod"]> {
    return this.#view.selectablePod(...args);
  }
  selectablePodsOf(namespace: string): ReturnType<ClusterView["selectablePodsOf"]> {
    return this.#view.selectablePodsOf(namespace);
  }
  ownerOf(address: Address): ReturnType<ClusterView["ownerOf"]> {
    return this.#view.ownerOf(address);
  }
  namespaceNames(): Iterable<string> {
    return this.#view.namespaceNames();
  }
  namespaceLabels(name: string): ReturnType<ClusterView["namespaceLabels"]> {
    return this.#view.namespaceLabels(name);
  }
  nodes(): ReturnType<ClusterView["nodes"]> {
    return this.#view.nodes();
  }
  nodeAddresses(name: string): readonly Address[] {
    return this.#view.nodeAddresses(name);
  }
  nodeAt(address: Address): string | undefined {
    return this.#view.nodeAt(address);
  }
}
