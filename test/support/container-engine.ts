// A container engine of its own for tests: its daemon, images and containers live in a folder and a network namespace of the
// test's, and go with it. Containers "on the host network" are in that namespace: for them it is the node.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../../scripts/system-tools.ts";
import { findLeash } from "../../src/lab/leash.ts";
import { type Netns, type RunOptions, type RunResult, runProgram } from "./netns.ts";
import { until } from "./until.ts";

const START_MS = 60_000;
const PREFIX = "nfpt-engine-";
/** testcontainers would start a container of its own that removes others, and would ask the engine's bridge for an address. */
const WITHOUT_BRIDGE = { TESTCONTAINERS_RYUK_DISABLED: "true", TESTCONTAINERS_HOST_OVERRIDE: "127.0.0.1" };

export interface ContainerEngine {
  /** Runs `docker ARGS`; a command that fails is a result. */
  docker(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** As `docker`, and throws with what it says when it fails. */
  must(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Makes an image of one layer from a tar file. */
  import(tarFile: string, name: string, change?: readonly string[]): Promise<void>;
}

/** Calls `body` with an engine inside `node`; nothing of it remains. testcontainers finds it by the environment. */
export async function withContainerEngine<T>(node: Netns, body: (engine: ContainerEngine) => Promise<T>): Promise<T> {
  removeLeftovers();
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const host = `unix://${folder}/docker.sock`;
  const daemon = spawnDaemon(node, folder, host);
  const before = process.env;
  process.env = { ...before, DOCKER_HOST: host, ...WITHOUT_BRIDGE };
  try {
    await until("the engine listens", () => existsSync(join(folder, "docker.sock")) || daemon.hasEnded(), START_MS);
    if (daemon.hasEnded())
      throw new Error(`dockerd has ended: ${readFileSync(join(folder, "log"), "utf8").slice(-2000)}`);
    return await body(engineAt(host));
  } finally {
    await daemon.end();
    process.env = before;
    removeFolder(folder);
  }
}

/** With what the daemon has mounted in it: it leaves the namespaces of its containers. */
function removeFolder(folder: string): void {
  const places = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  const inside = places.filter((place) => place.startsWith(`${folder}/`));
  // The last mounted first.
  for (const place of inside.reverse()) spawnSync("umount", ["--lazy", place]);
  rmSync(folder, { recursive: true, force: true });
}

/** Of tests that were killed; their daemons have ended with them. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeFolder(join(tmpdir(), name));
  }
}

function spawnDaemon(node: Netns, folder: string, host: string) {
  // `ip netns exec` would hide the cgroup mounts from it.
  const argv = [`--net=/run/netns/${node.name}`, findProgram("dockerd") ?? "dockerd", "--host", host];
  const places = [
    "--data-root",
    join(folder, "data"),
    "--exec-root",
    join(folder, "exec"),
    "--pidfile",
    join(folder, "pid"),
  ];
  // The network is the test's: no bridge, no rules of the engine.
  const network = ["--bridge=none", "--iptables=false", "--ip6tables=false"];
  const script = 'exec "$@" >"$0" 2>&1';
  const command = [...findLeash()("TERM"), "nsenter", ...argv, ...places, ...network];
  const child = spawn("sh", ["-c", script, join(folder, "log"), ...command], { stdio: "ignore" });
  let ended = false;
  const closed = new Promise<void>((resolve) => {
    child.on("error", () => resolve());
    child.on("close", () => resolve());
  }).then(() => {
    ended = true;
  });
  return {
    hasEnded: () => ended,
    async end(): Promise<void> {
      child.kill("SIGTERM");
      const hung = setTimeout(() => child.kill("SIGKILL"), 20_000);
      await closed;
      clearTimeout(hung);
    },
  };
}

function engineAt(host: string): ContainerEngine {
  const program = findProgram("docker") ?? "docker";
  const docker = (args: readonly string[], options?: RunOptions) =>
    runProgram([program, "--host", host, ...args], { timeoutMs: 360_000, ...options });
  const must = async (args: readonly string[], options?: RunOptions) => {
    const { code, stdout, stderr } = await docker(args, options);
    if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${stdout.slice(-3000)}${stderr.slice(-2000)}`);
    return stdout;
  };
  return {
    docker,
    must,
    async import(tarFile, name, change = []) {
      await must(["import", ...change.flatMap((each) => ["--change", each]), tarFile, name]);
    },
  };
}
