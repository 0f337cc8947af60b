// Makes the agent's real parts from its settings and runs it to its end. The only file that knows all of them.

import { BackendError } from "../backends/backend.ts";
import { connectApiClient } from "../kube/api-client.ts";
import { ApiError } from "../kube/api-error.ts";
import type { ProgramOptions } from "../program/program.ts";
import { Agent } from "./agent.ts";
import { realClock } from "./clock.ts";
import type { ClusterSource } from "./cluster-change.ts";
import { type HttpServer, ListenError, serveHttp } from "./http-server.ts";
import { KubernetesSource } from "./kubernetes-source.ts";
import { createLog, type Log, type LogLevel } from "./log.ts";
import { ManifestSource } from "./manifest-source.ts";
import type { SyncTimes } from "./sync-loop.ts";

export interface AgentSettings {
  readonly nodeName: string;
  readonly version: string;
  /** A folder instead of an API server. */
  readonly manifests: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly program: ProgramOptions;
  readonly existingConnections: "recheck" | "keep";
  readonly manageSysctls: boolean;
  /** `/proc/sys`, or where the host's is mounted. */
  readonly sysctlRoot: string;
  /** undefined: not served. */
  readonly healthAddress: string | undefined;
  readonly metricsAddress: string | undefined;
  readonly logLevel: LogLevel;
  readonly dryRun: boolean;
  readonly writer: "auto" | "session" | "child";
  readonly times: Partial<SyncTimes>;
}

export interface AgentSurroundings {
  /** Where log lines go. */
  write(line: string): void;
  /** Aborted: the agent ends and leaves the rules. */
  readonly signal: AbortSignal;
}

/** The agent could not begin; the message is for people. */
export class AgentStartError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint: string | undefined, cause: unknown) {
    super(message, { cause });
    this.name = "AgentStartError";
    this.hint = hint;
  }
}

/** Runs until the signal is aborted. Throws AgentStartError when this node or these settings cannot work. */
export async function startAgent(_settings: AgentSettings, _surroundings: AgentSurroundings): Promise<void> {
  throw new AgentStartError("not wired yet", undefined, undefined);
}
