// One reason why packets of this node's pods may not cross our rules, in words and in stable fields. Owns the shape and the
// wording of lists; what is wrong when is find-problems.ts's and crossings.ts's.

import type { Address, Family } from "../../net/address.ts";
import type { SysctlPath } from "./sysctls.ts";

export type PathProblemCode =
  | "br-netfilter-missing"
  | "bridge-calls-off"
  | "forwarding-off"
  | "open-vswitch"
  | "cilium"
  | "cilium-unclear"
  | "calico-ebpf"
  | "route-leaves-node"
  | "no-route"
  | "address-of-node"
  | "ipvs-not-judged"
  | "measured-bypass"
  | "check-failed";

export interface PathProblem {
  readonly code: PathProblemCode;
  readonly family: Family | undefined;
  readonly interfaceName: string | undefined;
  /** The pods' addresses, in the order they were given; empty when it is not about certain pods. */
  readonly pods: readonly Address[];
  /** One sentence, without a full stop, that is true of this node now. */
  readonly message: string;
  /** What to do. */
  readonly hint: string;
  /** A switch of the kernel that solves it and that --manage-sysctls may set; undefined: nothing of that kind. */
  readonly fix: SysctlFix | undefined;
}

export interface SysctlFix {
  readonly path: SysctlPath;
  readonly value: string;
}

/** Equal for the same problem in two checks, whatever became of its pods. */
export function problemKey({ code, family, interfaceName }: PathProblem): string {
  return `${code} ${interfaceName ?? ""} ${family ?? ""}`;
}

/** For people who see only a line: the sentence and what to do. */
export function problemText({ message, hint }: PathProblem): string {
  return `${message}; ${hint}`;
}

const NAMED_PODS = 3;

/** `pod 10.0.0.1`, `pods 10.0.0.1, 10.0.0.2, 10.0.0.3 and 4 more`. */
export function podList(pods: readonly Address[]): string {
  const named = pods.slice(0, NAMED_PODS).join(", ");
  const more = pods.length - NAMED_PODS;
  return `${pods.length === 1 ? "pod" : "pods"} ${named}${more > 0 ? ` and ${more} more` : ""}`;
}
