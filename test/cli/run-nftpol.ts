// Runs bin/nftpol the way people do: as a child process, with an environment of its own.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
export const NFTPOL = join(PROJECT, "bin", "nftpol");

export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  /** On top of the environment of the test run. */
  readonly env?: Readonly<Record<string, string>>;
}

export function runNftpol(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runCommand(NFTPOL, args, options);
}

/** With pipefail off: the exit code is that of the last command. `nftpol` is on the PATH. */
export function runBash(script: string, options: RunOptions = {}): Promise<RunResult> {
  const path = `${dirname(NFTPOL)}:${process.env.PATH ?? ""}`;
  return runCommand("bash", ["--norc", "--noprofile", "-c", script], {
    ...options,
    env: { PATH: path, ...options.env },
  });
}

function runCommand(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? PROJECT,
      env: { ...process.env, ...options.env },
      stdio: "pipe",
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
    // Who does not read standard input may close it first.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}

/** A folder with these files, removed when the test ends. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "nftpol-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

export function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
