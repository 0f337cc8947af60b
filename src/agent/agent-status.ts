// What the agent answers to `nftpol status`: the document's shape, and how it is made from the agent's parts. Pure.

import type { BackendFacts, DropCounts, ProgramSize } from "../backends/backend.ts";
import type { RuleGraph } from "../graph/rule-graph.ts";
import type { Severity } from "../model/diagnostic.ts";
import type { Dispatch } from "../program/program.ts";
import type { SourceStatus } from "./cluster-change.ts";

export interface AgentStatus {
  readonly apiVersion: "nftpol/v1";
  readonly kind: "AgentStatus";
  readonly node: string;
  readonly version: string;
  readonly backend: BackendFacts & { readonly name: string };
  readonly dryRun: boolean;
  readonly sources: readonly SourceStatus[];
  readonly sync: SyncState;
  readonly verification: VerificationState;
  readonly existingConnections: ConnectionState;
  readonly packetPath: readonly string[];
  readonly dropped: DropCounts | undefined;
  readonly size: ProgramSize;
  readonly policies: number;
  /** Kinds of policies that the cluster has and this agent does not enforce. */
  readonly unenforcedKinds: readonly string[];
  readonly pods: readonly PodStatus[];
  readonly findings: readonly FindingStatus[];
}

export interface FindingStatus {
  readonly object: string;
  readonly severity: Severity;
  /** `spec.ingress[0].from[1].ipBlock.cidr`; undefined: the whole object. */
  readonly field?: string | undefined;
  readonly message: string;
  /** What would be right. */
  readonly hint?: string | undefined;
}

export interface SyncState {
  readonly inForce: boolean;
  /** Why not; undefined while everything known is in force. */
  readonly reason: string | undefined;
  /** RFC 3339, repairs included; undefined before the first commit. */
  readonly lastCommitAt: string | undefined;
  readonly commits: number;
  readonly failures: number;
  readonly lastFailure: string | undefined;
}

export interface VerificationState {
  readonly lastAt: string | undefined;
  /** All differences that were found and repaired since start. */
  readonly repairedDifferences: number;
  /** The first ones of the last verification; empty when all was well. */
  readonly lastDifferences: readonly string[];
}

export interface ConnectionState {
  readonly mode: "recheck" | "keep";
  /** `ctnetlink`, `conntrack`; undefined where nothing is rechecked. */
  readonly tracker: string | undefined;
  readonly cut: number;
}

/** A pod of this node that policies can select. */
export interface PodStatus {
  readonly pod: string;
  readonly addresses: readonly string[];
  /** The policies that judge it (`policyReference`), in the order in which they are asked; null: nothing can deny it anything in this direction. */
  readonly ingress: readonly string[] | null;
  readonly egress: readonly string[] | null;
  /** Those that judge what it sends to this node itself. */
  readonly toOwnNode: readonly string[] | null;
  /** Names of its chains in the kernel. */
  readonly classes: readonly string[];
}

/** Local pods with what judges them, by name. Cost: local pods. */
export function podStatuses(graph: RuleGraph): PodStatus[] {
  const { dispatch, classes } = graph.program();
  const statuses: PodStatus[] = [];
  for (const { key, addresses } of graph.localPods()) {
    const entries = addresses.map((address) => dispatch.get(address));
    const judging = (way: keyof Dispatch) => {
      const id = entries.map((entry) => entry?.[way]).find((each) => each !== undefined);
      return id === undefined ? null : (classes.get(id)?.policies ?? []);
    };
    const ids = entries.flatMap((entry) => [entry?.egress, entry?.ingress, entry?.toOwnNode]);
    statuses.push({
      pod: key,
      addresses,
      ingress: judging("ingress"),
      egress: judging("egress"),
      toOwnNode: judging("toOwnNode"),
      classes: [...new Set(ids)].filter((id) => id !== undefined),
    });
  }
  return statuses.sort((a, b) => (a.pod < b.pod ? -1 : 1));
}
