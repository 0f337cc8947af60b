// What goes into the cluster state and what comes out of it when something changes.

import type { Namespace, Node, Pod, PodKey } from "../model/cluster.ts";
import type { Labels } from "../model/labels.ts";
import type { Policy, PolicyKey } from "../model/policy.ts";
import type { SelectablePod } from "./view.ts";

/** One object set or removed. Setting an equal object is allowed and changes nothing. */
export type ClusterEvent =
  | { readonly kind: "pod"; readonly key: PodKey; readonly pod: Pod | undefined }
  | { readonly kind: "namespace"; readonly name: string; readonly namespace: Namespace | undefined }
  | { readonly kind: "node"; readonly name: string; readonly node: Node | undefined }
  | { readonly kind: "policy"; readonly key: PolicyKey; readonly policy: Policy | undefined };

/** What an event means for those who keep something of the state. One pod event may change two pods: address ownership moves. */
export type StateChange =
  | { readonly kind: "pod"; readonly before: SelectablePod | undefined; readonly after: SelectablePod | undefined }
  | { readonly kind: "namespace"; readonly name: string; readonly before: Labels; readonly after: Labels }
  /** Its labels, addresses or pod CIDRs. The addresses that only its pods report are asked for when they matter and are no change. */
  | { readonly kind: "node"; readonly before: Node | undefined; readonly after: Node | undefined }
  | { readonly kind: "policy"; readonly before: Policy | undefined; readonly after: Policy | undefined };
