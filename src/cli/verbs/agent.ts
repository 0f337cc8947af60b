// `nftpol agent`: from the words of the command line to the agent's settings, and its end in an exit code.

import { hostname } from "node:os";
import { parseListenAddress } from "../../agent/http-server.ts";
import { LOG_LEVELS, type LogLevel } from "../../agent/log.ts";
import { type AgentSettings, AgentStartError, startAgent } from "../../agent/start-agent.ts";
import { parseDuration } from "../duration.ts";
import { programOptions } from "../node-ruleset.ts";
import { CommandError, flagOption, type OptionValues, textOption, type VerbContext, type VerbRun } from "../verb.ts";
import { programVersion } from "../version.ts";

export const run: VerbRun = async (_args, options, context) => {
  const settings = await readSettings(options, context);
  try {
    await startAgent(settings, { write: (line) => context.stdout(line), signal: context.shutdown() });
  } catch (error) {
    if (!(error instanceof AgentStartError)) throw error;
    throw new CommandError(3, error.message, error.hint, { cause: error });
  }
  return 0;
};

async function readSettings(options: OptionValues, context: VerbContext): Promise<AgentSettings> {
  const manifests = textOption(options, "manifests");
  if (manifests !== undefined) await refuseMissingFolder(manifests, context);
  if (manifests !== undefined && (options.kubeconfig !== undefined || options.context !== undefined)) {
    throw new CommandError(2, "--manifests needs no cluster", "leave --kubeconfig and --context out");
  }
  const level = textOption(options, "logLevel") as LogLevel;
  return {
    nodeName: nodeName(options, context),
    version: programVersion(),
    manifests,
    kubeconfig: textOption(options, "kubeconfig"),
    context: textOption(options, "context"),
    program: programOptions(options),
    existingConnections: textOption(options, "existingConnections") === "keep" ? "keep" : "recheck",
    manageSysctls: flagOption(options, "manageSysctls"),
    sysctlRoot: textOption(options, "sysctlRoot") as string,
    healthAddress: listenAddress(options, "healthAddress", "--health-address"),
    metricsAddress: listenAddress(options, "metricsAddress", "--metrics-address"),
    logLevel: LOG_LEVELS.includes(level) ? level : "info",
    dryRun: flagOption(options, "dryRun"),
    ...backendChoice(options),
    nftWriter: textOption(options, "nftWriter") as AgentSettings["nftWriter"],
    netlink: textOption(options, "netlink") as AgentSettings["netlink"],
    times: {
      minIntervalMs: parseDuration("--min-sync-interval", textOption(options, "minSyncInterval") as string),
      verifyEveryMs: verifyInterval(textOption(options, "verifyInterval") as string),
    },
  };
}

/** Of `--backend` and `--iptables-variant`. Throws CommandError for a variant of what is not asked for. */
function backendChoice(options: OptionValues): Pick<AgentSettings, "backend" | "iptablesVariant"> {
  const backend = textOption(options, "backend") as AgentSettings["backend"];
  const variant = textOption(options, "iptablesVariant");
  if (backend === "nft" && variant !== "auto")
    throw new CommandError(2, "--iptables-variant means nothing with --backend=nft", "leave one of the two out");
  return { backend, iptablesVariant: variant === "auto" ? undefined : (variant as AgentSettings["iptablesVariant"]) };
}

function nodeName(options: OptionValues, context: VerbContext): string {
  const name = textOption(options, "nodeName") ?? context.environment.NODE_NAME;
  // Node names are lower case, hosts' names need not be; the kubelet does the same.
  return name === undefined || name === "" ? hostname().toLowerCase() : name;
}

/** Reading a large table back takes a good part of a second, and changes wait for it. */
const SHORTEST_VERIFY_INTERVAL_MS = 1_000;

function verifyInterval(text: string): number {
  const ms = parseDuration("--verify-interval", text);
  if (ms === 0 || ms >= SHORTEST_VERIFY_INTERVAL_MS) return ms;
  throw new CommandError(2, `--verify-interval ${text} is too short`, "write 1s at least, or 0: never");
}

/** Empty or `off`: not served. A port that the system chooses would be known to nobody. */
function listenAddress(options: OptionValues, name: string, flag: string): string | undefined {
  const text = textOption(options, name) ?? "";
  if (text === "" || text === "off") return undefined;
  const port = parseListenAddress(text)?.port ?? 0;
  if (port === 0) {
    const hint = "write host:port, [IPv6]:port, :port for all addresses (a port from 1 to 65535), or off";
    throw new CommandError(2, `${flag} ${JSON.stringify(text)} is no address`, hint);
  }
  return text;
}

async function refuseMissingFolder(folder: string, context: VerbContext): Promise<void> {
  const status = await context.files.status(folder).catch(() => undefined);
  if (status?.kind === "folder") return;
  throw new CommandError(2, `--manifests ${folder} is no folder`, "name a folder with *.yaml, *.yml or *.json files");
}
