// Owns getting promtool, which judges the alert rules and the dashboard's expressions: the system's one, else that of Debian's package
// prometheus, unpacked to .tools/promtool without installing anything. apt verifies the signatures.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { findProgram, isCi, isRoot } from "./system-tools.ts";

const toolsFolder = resolve(import.meta.dirname, "../.tools");
const unpacked = join(toolsFolder, "promtool");

/** The program's path, or why there is none. Fetches it the first time, which takes some seconds. */
export function providePromtool(): { readonly path: string } | { readonly problem: string } {
  const path = findProgram("promtool") ?? (existsSync(unpacked) ? unpacked : undefined);
  if (path !== undefined) return { path };
  const missing = ["apt-get", "dpkg-deb"].find((program) => findProgram(program) === undefined);
  if (missing !== undefined) return { problem: `there is no promtool, and no ${missing} to get it with` };
  const work = join(toolsFolder, `promtool-work-${process.pid}`);
  try {
    fetchInto(work);
    renameSync(join(work, "usr/bin/promtool"), unpacked);
    return { path: unpacked };
  } catch (error) {
    return { problem: `there is no promtool, and ${error instanceof Error ? error.message : error}` };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function fetchInto(work: string): void {
  mkdirSync(work, { recursive: true });
  const download = () => run("apt-get", ["-q", "-o", "APT::Sandbox::User=root", "download", "prometheus"], work);
  try {
    download();
  } catch (error) {
    // The machine may not have read its package lists yet, or long ago.
    if (!isRoot()) throw error;
    run("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=120", "update"], work);
    download();
  }
  const archive = readdirSync(work).find((name) => name.endsWith(".deb"));
  if (archive === undefined) throw new Error("apt-get download prometheus left no package");
  run("dpkg-deb", ["--extract", archive, "."], work);
}

function run(program: string, args: readonly string[], folder: string): void {
  const { status, stderr, error } = spawnSync(program, args, {
    cwd: folder,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${program} ${args.at(-1)}: ${error?.message ?? stderr.trim().slice(-2000)}`);
}

function main(): number {
  const promtool = providePromtool();
  if ("path" in promtool) return 0;
  console.error(`promtool: ${promtool.problem}, so: alerts and dashboard are not tried`);
  return isCi() ? 1 : 0;
}

if (import.meta.main) process.exitCode = main();
