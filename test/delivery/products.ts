// What is delivered, made for a test in a folder of its own, and started as its users start it: without this checkout's
// Node.js in the PATH, and with an environment that holds nothing else.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll } from "vitest";

export const PROJECT = resolve(import.meta.dirname, "../..");
export const SHOP = join(PROJECT, "policies-examples/shop");

/** A folder that is removed after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nftpol-delivery-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs one of scripts/; throws with its output where it fails. */
export function runScript(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  return execFileSync(process.execPath, [join(PROJECT, "scripts", name), ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunSettings {
  /** In front of the system's folders. */
  readonly path?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const SYSTEM_PATH = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

export function run(program: string, args: readonly string[], { path = [], env = {}, cwd }: RunSettings = {}): Run {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: "utf8",
    cwd,
    env: { PATH: [...path, ...SYSTEM_PATH].join(":"), ...env },
  });
  if (error !== undefined) throw error;
  return { code: status, stdout, stderr };
}

/** The same verb, of this checkout: what a delivered program has to agree with. */
export function runCheckout(args: readonly string[]): Run {
  return run(join(PROJECT, "bin/nftpol"), args);
}

/** Whether the system has this program. */
export function isInstalled(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** Names in an archive, sorted; those of the bundle's chunks, which are made from their contents, as one. */
export function namesIn(archive: string): readonly string[] {
  const names = execFileSync("tar", ["-tzf", archive], { encoding: "utf8" }).trim().split("\n");
  return [...new Set(names.map((name) => name.replace(/chunks\/[\w-]+-[A-Z0-9]{8}\.js$/, "chunks/*.js")))].sort();
}
