// What an agent is made of, real or in memory. Owns the list only; start-agent.ts makes the real ones.

import type { Backend, BackendFacts } from "../backends/backend.ts";
import type { ConnectionTracker } from "../netlink/connection-tracker.ts";
import type { ProgramOptions } from "../program/program.ts";
import type { Clock } from "./clock.ts";
import type { ClusterSource } from "./cluster-change.ts";
import type { Log } from "./log.ts";
import type { ObjectFinding } from "./object-findings.ts";
import type { SyncTimes } from "./sync-loop.ts";

export interface AgentParts {
  readonly nodeName: string;
  readonly version: string;
  readonly program: ProgramOptions;
  readonly source: ClusterSource;
  readonly backend: Backend;
  readonly backendName: string;
  readonly backendFacts: BackendFacts;
  readonly dryRun: boolean;
  /** undefined: existing connections are kept. */
  readonly tracker: ConnectionTracker | undefined;
  /** Reasons why pod traffic may not cross our rules, as last found. */
  readonly pathProblems: () => readonly string[];
  /** Told about objects whose findings are new: Kubernetes Events. Returns at once. */
  readonly reportFindings: (findings: readonly ObjectFinding[], onOutcome: (outcome: string) => void) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly times?: Partial<SyncTimes>;
}
