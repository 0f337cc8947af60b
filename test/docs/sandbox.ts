// Where the commands of one page run: a scratch folder that looks like the root of the repository to them, a PATH with few programs,
// and, as root, a network namespace with an API server and, where a command asks for one, an agent. Owns all of it until the end.

import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { findProgram } from "../../scripts/system-tools.ts";
import { PROJECT, type RunResult } from "../cli/run-nftpol.ts";
import { type Netns, withNetns } from "../support/netns.ts";
import { type PacketApiServer, withApiServer } from "../support/packet-api-server.ts";
import type { ApiObject } from "../support/random-cluster.ts";
import { putObject } from "../support/server-objects.ts";
import { OPTIONS } from "./call.ts";
import { NodeAgent, type ShellProcess } from "./node-agent.ts";

/** What commands of the pages, and nftpol's launcher, may call. Nothing that installs or reaches another machine. */
const PROGRAMS = [
  ...[
    "bash",
    "sh",
    "cat",
    "cp",
    "mkdir",
    "rm",
    "ls",
    "sed",
    "grep",
    "find",
    "head",
    "hostname",
    "uname",
    "readlink",
    "dirname",
  ],
  ...["env", "true", "sleep", "ip", "nft", "unshare", "setpriv", "mount", "id", "tee", "sysctl"],
];
/** Of the repository, as they are. */
const LINKED = ["bin", "policies-examples", "deploy", "docs", "package.json"];
const FIXTURES = join(import.meta.dirname, "fixtures");
const LONGEST_MS = 60_000;

export class Sandbox {
  readonly folder: string;
  readonly #netns: Netns | undefined;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #agent: NodeAgent;

  constructor(folder: string, netns: Netns | undefined, kubeconfig: string | undefined) {
    this.folder = folder;
    this.#netns = netns;
    this.#environment = environmentOf(folder, kubeconfig);
    this.#agent = new NodeAgent((script) => this.#start(script));
  }

  /** Runs to the end. An agent has no end: it is waited for until its rules are in force, and goes on. */
  async run(script: string): Promise<RunResult> {
    if (/\bnftpol agent\b/.test(script)) return await this.#agent.replace(script);
    const asksAgent = /--live|\bnftpol status|^nft list/.test(script);
    if (asksAgent && !this.#agent.isRunning) {
      const folder = / -f (\S+)/.exec(script)?.[1];
      const source = folder === undefined ? "" : ` --manifests ${folder}`;
      await this.#agent.replace(`nftpol agent --node-name worker-1${source}`);
    }
    return await endOf(this.#start(script));
  }

  /** Ends the agent, if there is one, as systemd and the kubelet do; its exit code. */
  stop(): Promise<number | null> {
    return this.#agent.stop();
  }

  #start(script: string): ShellProcess {
    const shell = ["bash", "--norc", "--noprofile", "-c", script];
    const [program = "", ...args] =
      this.#netns === undefined ? shell : ["ip", "netns", "exec", this.#netns.name, ...shell];
    return spawn(findProgram(program) ?? program, args, {
      cwd: this.folder,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
}

/** Calls `body` with a scratch folder, and with a node's network where `needsNode`; nothing of it remains. */
export async function withSandbox<T>(needsNode: boolean, body: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  const folder = makeScratch();
  const play = async (netns?: Netns, api?: PacketApiServer) => {
    if (api !== undefined) for (const object of clusterObjects()) putObject(api.store, object);
    const sandbox = new Sandbox(folder, netns, api?.kubeconfig);
    try {
      return await body(sandbox);
    } finally {
      await sandbox.stop();
    }
  };
  try {
    return needsNode ? await withNetns((netns) => withApiServer(netns, (api) => play(netns, api))) : await play();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Which lines of the stand-ins' table the commands of this folder came to. */
export function usedStandIns(folder: string): readonly string[] {
  return readFileSync(join(folder, ".used"), "utf8").trim().split("\n");
}

function makeScratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "nftpol-docs-"));
  for (const name of LINKED) symlinkSync(join(PROJECT, name), join(folder, name));
  cpSync(join(FIXTURES, "manifests"), join(folder, "manifests"), { recursive: true });
  // The same without a node: an agent with any node's name is the one of all pods.
  mkdirSync(join(folder, "policies"));
  const cluster = readFileSync(join(FIXTURES, "manifests/cluster.yaml"), "utf8");
  const [, ...namespaceAndPods] = cluster.split("---\n");
  writeFileSync(
    join(folder, "policies/cluster.yaml"),
    namespaceAndPods.join("---\n").replaceAll(/^ *nodeName: .*\n/gm, ""),
  );
  for (const name of ["policies.yaml", "shop.expect.yaml"]) {
    cpSync(join(FIXTURES, "manifests", name), join(folder, "policies", name));
  }
  // Where the recipes for CI have their clone of nftpol.
  for (const name of ["chart", "overlays/production", "home", "nftpol"])
    mkdirSync(join(folder, name), { recursive: true });
  symlinkSync(join(PROJECT, "bin"), join(folder, "nftpol/bin"));
  writeFileSync(join(folder, ".used"), "");
  makePath(folder);
  return folder;
}

/** Stand-ins first; then the few programs, nftpol and the runtime; nothing else. */
function makePath(folder: string): void {
  const programs = join(folder, ".programs");
  mkdirSync(programs);
  for (const name of PROGRAMS) {
    const path = findProgram(name);
    if (path !== undefined) symlinkSync(path, join(programs, name));
  }
  symlinkSync(process.execPath, join(programs, "node"));
  symlinkSync(join(PROJECT, "bin/nftpol"), join(programs, "nftpol"));
  writeProgram(join(programs, "sudo"), 'exec "$@"');
  for (const name of Object.keys(OPTIONS)) {
    const standIn = join(import.meta.dirname, "stand-in.ts");
    writeProgram(
      join(programs, name),
      `exec '${process.execPath}' '${standIn}' '${join(folder, ".used")}' ${name} "$@"`,
    );
  }
}

function writeProgram(path: string, line: string): void {
  writeFileSync(path, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
}

function environmentOf(folder: string, kubeconfig: string | undefined): Readonly<Record<string, string>> {
  return {
    PATH: join(folder, ".programs"),
    HOME: join(folder, "home"),
    SHELL: join(folder, ".programs/bash"),
    TMPDIR: tmpdir(),
    LANG: "C.UTF-8",
    GITHUB_STEP_SUMMARY: join(folder, "summary.md"),
    KUBECONFIG: kubeconfig ?? join(folder, "no-kubeconfig"),
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(folder, "home/compiled"),
  };
}

/** What the API server has: the folder `manifests`, a node of this machine's name, and the pods of the first try with kind. */
function clusterObjects(): readonly ApiObject[] {
  const files = ["manifests/cluster.yaml", "manifests/policies.yaml", "kind.yaml"];
  const objects = files.flatMap((file) => loadAll(readFileSync(join(FIXTURES, file), "utf8"))) as ApiObject[];
  return [...objects, { apiVersion: "v1", kind: "Node", metadata: { name: hostname() } }];
}

function endOf(child: ShellProcess): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), LONGEST_MS);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject).on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}
