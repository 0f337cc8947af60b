// What a source of cluster objects (API server, watched folder) hands to the agent.

import type { Diagnostic } from "../model/diagnostic.ts";
import type { ClusterEvent } from "../state/change.ts";

/** One object set or removed, and what is wrong with it. */
export interface ClusterChange {
  readonly event: ClusterEvent;
  /** Of the decoder; an object with errors is there all the same, closed as far as it can be read. */
  readonly diagnostics: readonly Diagnostic[];
  /** Of the API object; empty where there is none. */
  readonly uid: string;
}

/** The agent's side. Calls return at once and never throw. */
export interface ClusterSink {
  /** One batch: all of it appears in the kernel in one transaction (pods that are new on this node may come before the rest). */
  changed(changes: readonly ClusterChange[]): void;
  /** Everything that exists has been handed over once; nothing is enforced before. Later calls mean nothing. */
  synced(): void;
}

export interface ClusterSource {
  /** Resolves when the signal is aborted; what fails is tried again inside. */
  run(sink: ClusterSink, signal: AbortSignal): Promise<void>;
  /** One entry for each stream of objects. Cheap. */
  status(): readonly SourceStatus[];
  /** Kinds of policies that are there and not enforced, by kubectl's names. */
  unenforcedKinds(): readonly string[];
  /** What is wrong now with what is no object of the cluster. Left out by sources that have nothing but objects. */
  findings?(): readonly StandingFinding[];
}

export interface StandingFinding {
  /** `CiliumNetworkPolicy shop/api`, or the place where it stands. */
  readonly object: string;
  readonly diagnostics: readonly Diagnostic[];
}

export interface SourceStatus {
  /** `pods`, `networkpolicies.networking.k8s.io`, `manifests`, ... */
  readonly resource: string;
  /** false: the cluster does not have it, and need not; undefined: that is not known yet. */
  readonly installed: boolean | undefined;
  /** Everything of it that is there has been read. */
  readonly synced: boolean;
  /** Since the last sign of life (event or bookmark); undefined before the first. */
  readonly lastEventAgeSeconds: number | undefined;
  readonly relists: number;
  readonly watches: number;
  readonly failures: number;
  /** What goes wrong now, one sentence; undefined while all is well. */
  readonly lastFailure: string | undefined;
}
