// Makes the agent's real parts from its settings and runs it to its end. The only file that knows all of them.

import { setFlagsFromString } from "node:v8";
import { BackendError } from "../backends/backend.ts";
import { connectApiClient } from "../kube/api-client.ts";
import { ApiError, hintFor } from "../kube/api-error.ts";
import { reportEvent } from "../kube/events.ts";
import { type ConnectionTracker, ConnectionTrackerError } from "../netlink/connection-tracker.ts";
import { openConnectionTracker } from "../netlink/open-connection-tracker.ts";
import type { ProgramOptions } from "../program/program.ts";
import { Agent } from "./agent.ts";
import { realClock } from "./clock.ts";
import type { ClusterSource } from "./cluster-change.ts";
import { type HttpServer, ListenError, serveHttp } from "./http-server.ts";
import { KubernetesSource } from "./kubernetes-source.ts";
import { createLog, type Log, type LogLevel } from "./log.ts";
import { ManifestSource } from "./manifest-source.ts";
import type { ObjectFinding } from "./object-findings.ts";
import { type BackendChoice, type OpenedBackend, openBackend } from "./open-backend.ts";
import { removeOtherRules, replacingOthers } from "./other-backends.ts";
import { watchThisNode } from "./packet-path/this-node.ts";
import { PolicyEvents } from "./policy-events.ts";
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
  readonly backend: BackendChoice["backend"];
  readonly iptablesVariant: BackendChoice["iptablesVariant"];
  readonly nftWriter: BackendChoice["nftWriter"];
  readonly netlink: BackendChoice["netlink"];
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
export async function startAgent(settings: AgentSettings, { write, signal }: AgentSurroundings): Promise<void> {
  collectGarbageSooner();
  const log = createLog(settings.logLevel, settings.nodeName, write);
  const opened = await openProbed(settings, log);
  try {
    const input = await openSource(settings, log);
    try {
      await runAgent({ settings, log, signal, opened, input });
    } finally {
      input.close();
    }
  } finally {
    await opened.backend.close();
  }
}

/**
 * By itself V8 lets the heap grow to several times what is alive when the machine has memory to spare; a node's belongs to its
 * pods. With 50 percent (50,000 pods, 1,000 policies; `npm run bench -- scale` measures it): peak RSS a tenth higher at the first
 * sync and a third after a flood, at the same CPU within noise; with 10 percent nothing is gained.
 */
function collectGarbageSooner(): void {
  setFlagsFromString("--heap-growing-percent=20");
}

interface RunningParts {
  readonly settings: AgentSettings;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly opened: OpenedBackend;
  readonly input: Input;
}

async function runAgent({ settings, log, signal, opened, input }: RunningParts): Promise<void> {
  const { name: backendName, facts } = opened;
  const { nodeName, version, program, dryRun, times } = settings;
  const tracker = dryRun ? undefined : await openTracker(settings, log);
  const path = watchThisNode({
    localPodAddresses: () => agent.localPodAddresses(),
    manageSysctls: settings.manageSysctls,
    sysctlRoot: settings.sysctlRoot,
    judgesIpvs: program.serviceProxy === "ipvs",
    dryRun,
    clock: realClock,
    log,
  });
  const agent: Agent = new Agent({
    nodeName,
    version,
    program,
    source: input.source,
    backend: dryRun ? opened.backend : replacingOthers(opened.backend, () => removeOtherRules(opened, log)),
    backendName,
    backendFacts: facts,
    dryRun,
    tracker,
    pathProblems: () => path.problems(),
    reportFindings: input.reportFindings,
    clock: realClock,
    log,
    times,
  });
  const servers = await serve(settings, agent, log);
  log.info(
    { version, backend: facts.version, writer: facts.writer, dryRun, source: input.name, server: input.server },
    "nftpol agent started",
  );
  const ended = new AbortController();
  const watching = path.run(AbortSignal.any([signal, ended.signal]));
  try {
    await agent.run(signal).catch((error: unknown) => {
      log.error({ err: error }, "a bug ends the agent: its rules stay in the kernel");
      throw error;
    });
    log.info({}, dryRun ? "nftpol agent ends" : "nftpol agent ends: its rules stay in the kernel");
  } finally {
    ended.abort();
    await watching;
    tracker?.close();
    for (const server of servers) await server.close();
  }
}

async function openProbed(settings: AgentSettings, log: Log): Promise<OpenedBackend> {
  try {
    return await openBackend(settings, log);
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    throw new AgentStartError(error.message, error.hint, error);
  }
}

interface Input {
  readonly name: string;
  /** `https://10.96.0.1:443`; undefined: a folder. */
  readonly server: string | undefined;
  readonly source: ClusterSource;
  readonly reportFindings: (findings: readonly ObjectFinding[], onOutcome: (outcome: string) => void) => void;
  close(): void;
}

async function openSource(
  { manifests, nodeName, kubeconfig, context, dryRun }: AgentSettings,
  log: Log,
): Promise<Input> {
  if (manifests !== undefined) {
    const source = new ManifestSource({ folder: manifests, nodeName, clock: realClock, log });
    return { name: manifests, server: undefined, source, reportFindings: () => {}, close: () => {} };
  }
  let client: Awaited<ReturnType<typeof connectApiClient>>;
  try {
    client = await connectApiClient({ kubeconfig, context, userAgent: "nftpol-agent" });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new AgentStartError(error.message, hintFor(error, "watch a folder with --manifests"), error);
  }
  const ended = new AbortController();
  const events = new PolicyEvents({
    nodeName,
    log,
    report: (report) => reportEvent(client, report, ended.signal),
  });
  return {
    name: client.contextName,
    server: client.serverOrigin,
    source: new KubernetesSource({ client, clock: realClock, log }),
    reportFindings: dryRun ? () => {} : (findings, onOutcome) => events.add(findings, onOutcome),
    close() {
      ended.abort();
      client.close();
    },
  };
}

/** Without connection tracking policies are enforced all the same; connections that begin before they tighten then go on. */
async function openTracker({ existingConnections }: AgentSettings, log: Log): Promise<ConnectionTracker | undefined> {
  if (existingConnections === "keep") return undefined;
  try {
    return await openConnectionTracker();
  } catch (error) {
    if (!(error instanceof ConnectionTrackerError)) throw error;
    log.error({ err: error }, "existing connections cannot be checked: they are kept");
    return undefined;
  }
}

async function serve({ healthAddress, metricsAddress }: AgentSettings, agent: Agent, log: Log): Promise<HttpServer[]> {
  const servers: HttpServer[] = [];
  const onError = (error: unknown) => log.error({ err: error }, "an HTTP request failed");
  try {
    if (healthAddress !== undefined) servers.push(await serveHttp(healthAddress, agent.report.healthRoutes, onError));
    if (metricsAddress !== undefined)
      servers.push(await serveHttp(metricsAddress, agent.report.metricsRoutes, onError));
    return servers;
  } catch (error) {
    for (const server of servers) await server.close();
    if (!(error instanceof ListenError)) throw error;
    const hint = `${error.hint} (--health-address, --metrics-address; off: not served)`;
    throw new AgentStartError(error.message, hint, error);
  }
}
