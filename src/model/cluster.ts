// The cluster's objects as policies see them: trimmed, immutable, already decoded.
// Owns types and keys; who may be selected is decided by `src/state/`.

import type { Address } from "../net/address.ts";
import type { CidrBlock } from "../net/cidr.ts";
import type { SourcePosition } from "./diagnostic.ts";
import type { Labels } from "./labels.ts";

/** `namespace/name`. */
export type PodKey = string & { readonly __podKey: unique symbol };

/** The protocols that ports belong to (core/v1 Protocol). */
export type PortProtocol = "TCP" | "UDP" | "SCTP";

export interface ContainerPort {
  readonly name: string;
  readonly protocol: PortProtocol;
  /** 1..65535 */
  readonly port: number;
}

export interface Pod {
  readonly key: PodKey;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** undefined: not scheduled, or a manifest that does not say. */
  readonly nodeName: string | undefined;
  readonly hostNetwork: boolean;
  /** Phase Succeeded or Failed: its addresses may already belong to someone else. */
  readonly finished: boolean;
  /** `status.podIPs`, both families, in the order given. */
  readonly addresses: readonly Address[];
  /** `status.hostIPs`: addresses of the node it runs on. */
  readonly hostAddresses: readonly Address[];
  /** Named and unnamed ports of containers and of init containers with restartPolicy Always. Unnamed ports have name "". */
  readonly ports: readonly ContainerPort[];
  /** RFC 3339 `status.startTime`, else `metadata.creationTimestamp`, else "": the newer of two pods owns a shared address. */
  readonly startedAt: string;
  readonly createdAt: string;
  /** The workload that made it, `Kind/name`, for display: Deployment/web, StatefulSet/db; the pod's own name where there is none. */
  readonly workload: string;
  readonly position: SourcePosition;
}

export interface Namespace {
  readonly name: string;
  /** Always carries `kubernetes.io/metadata.name`. */
  readonly labels: Labels;
  readonly position: SourcePosition;
}

export interface Node {
  readonly name: string;
  readonly labels: Labels;
  /** Every entry of `status.addresses` that is an IP address. */
  readonly addresses: readonly Address[];
  /** `spec.podCIDRs`, else `spec.podCIDR`: where the addresses of its pods come from. Empty where something else assigns them. */
  readonly podCidrs: readonly CidrBlock[];
  readonly position: SourcePosition;
}

export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

export function podKey(namespace: string, name: string): PodKey {
  return `${namespace}/${name}` as PodKey;
}

/** The labels with the one that every namespace carries. A namespace that nobody defines has just that one. */
export function namespaceLabels(name: string, labels: Labels = {}): Labels {
  return { ...labels, [NAMESPACE_NAME_LABEL]: name };
}
