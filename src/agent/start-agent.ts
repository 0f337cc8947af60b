// Makes the agent's real parts from its settings and runs it to its end. The only file that knows all of them.

import { setFlagsFromString } from "node:v8";
import { type Backend, BackendError, type BackendFacts } from "../backends/backend.ts";
import { NftKernelTable } from "../backends/nft/io/nft-kernel-table.ts";
import { DEFAULT_NFT } from "../backends/nft/io/nft-process.ts";
import type { KernelTable } from "../backends/nft/kernel-table.ts";
import { MemoryKernelTable } from "../backends/nft/memory-kernel-table.ts";
import { NftBackend } from "../backends/nft/nft-backend.ts";
import { TABLE } from "../backends/nft/ruleset.ts";
import { WatchedKernelTable } from "../backends/nft/watched-kernel-table.ts";
import { connectApiClient } from "../kube/api-client.ts";
import { ApiError, hintFor } from "../kube/api-error.ts";
import { reportEvent } from "../kube/events.ts";
import { type ConnectionTracker, ConnectionTrackerError } from "../netlink/connection-tracker.ts";
import { NetlinkError } from "../netlink/netlink-error.ts";
import { openConnectionTracker } from "../netlink/open-connection-tracker.ts";
import { loadTableEvents } from "../netlink/table-events.ts";
import type { ProgramOptions } from "../program/program.ts";
import { Agent } from "./agent.ts";
import { realClock } from "./clock.ts";
import type { ClusterSource } from "./cluster-change.ts";
import { type HttpServer, ListenError, serveHttp } from "./http-server.ts";
import { KubernetesSource } from "./kubernetes-source.ts";
import { createLog, type Log, type LogLevel } from "./log.ts";
import { ManifestSource } from "./manifest-source.ts";
import type { ObjectFinding } from "./object-findings.ts";
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
export async function startAgent(settings: AgentSettings, { write, signal }: AgentSurroundings): Promise<void> {
  collectGarbageSooner();
  const log = createLog(settings.logLevel, settings.nodeName, write);
  const { backend, facts } = await openBackend(settings, log);
  try {
    const input = await openSource(settings, log);
    try {
      await runAgent({ settings, log, signal, backend, facts, input });
    } finally {
      input.close();
    }
  } finally {
    await backend.close();
  }
}

/**
 * By itself V8 lets the heap grow to several times what is alive when the machine has memory to spare; a node's belongs to its
 * pods. `npm run bench -- agent` (50,000 pods, 1,000 policies) with 50 percent: peak RSS a tenth higher at the first sync and a
 * third after a flood, at the same CPU within noise; with 10 percent nothing is gained.
 */
function collectGarbageSooner(): void {
  setFlagsFromString("--heap-growing-percent=20");
}

interface RunningParts {
  readonly settings: AgentSettings;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly backend: Backend;
  readonly facts: BackendFacts;
  readonly input: Input;
}

async function runAgent({ settings, log, signal, backend, facts, input }: RunningParts): Promise<void> {
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
    backend,
    backendName: "nft",
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

/** In a dry run the kernel is read once, and then a copy of it is written. */
async function openBackend({ program, writer, dryRun }: AgentSettings, log: Log) {
  const kernel = new NftKernelTable({ program: DEFAULT_NFT, options: program, writer });
  try {
    const facts = await kernel.probe();
    for (const warning of facts.warnings) log.warn({ warning }, "nft works, but");
    if (!dryRun) return { backend: new NftBackend(await watched(kernel, log)), facts };
    const found = await kernel.read();
    await kernel.close();
    const copy = new MemoryKernelTable(found.kind === "table" ? found.ruleset : undefined);
    const onTransaction = (transaction: string) => log.info({ transaction }, "would be written");
    return { backend: new NftBackend(copy, { onTransaction }), facts };
  } catch (error) {
    await kernel.close();
    if (!(error instanceof BackendError)) throw error;
    throw new AgentStartError(error.message, error.hint, error);
  }
}

/** Without what the kernel tells, others' changes are repaired all the same, at the next verification. */
async function watched(kernel: KernelTable, log: Log): Promise<KernelTable> {
  try {
    return new WatchedKernelTable(kernel, (await loadTableEvents())(TABLE));
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    log.warn({ err: error }, "others' changes of our table are noticed at verifications only");
    return kernel;
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
