// Runs the nft program once. Owns starting it, its time-out and its end; what it says is read by `nft-output.ts`.

import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { BackendError } from "../../backend.ts";
import { errorFromOutput, errorFromSignal } from "../nft-output.ts";

/** How to run nft: the program's name or path, and how long it may take. */
export interface NftProgram {
  readonly binary: string;
  readonly timeoutMs: number;
}

/** Long enough for the largest tables on a busy node; who hangs longer is ended. */
export const DEFAULT_NFT: NftProgram = { binary: "nft", timeoutMs: 30_000 };

export interface NftOutcome {
  /** undefined: ended by a signal. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs nft in the current network namespace, `input` on its standard input. A failing nft is an outcome (`failureOf`); BackendError:
 * it could not be started ("not-installed", "broken"), or hung and was ended ("broken").
 */
export function runNft(program: NftProgram, argv: readonly string[], input = ""): Promise<NftOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program.binary, argv, { stdio: ["pipe", "pipe", "pipe"], ...spawnOptions() });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child);
    }, program.timeoutMs);
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // nft that does not read to the end closes the pipe: its exit code tells the story.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", (cause: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(startError(program.binary, cause));
    });
    // After "close" nothing of the process is left: what it did to the kernel can be read back.
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const said = Buffer.concat(stderr).toString();
      if (timedOut) reject(hungError(program.timeoutMs, said));
      else resolve({ ...endOf(code, signal), stdout: Buffer.concat(stdout).toString(), stderr: said });
    });
  });
}

/** A shell between us and nft reports nft's signal as 128 and its number. */
function endOf(code: number | null, signal: NodeJS.Signals | null): Pick<NftOutcome, "code" | "signal"> {
  if (code === null) return { code: undefined, signal: signal ?? "a signal" };
  if (code <= 128) return { code, signal: undefined };
  const name = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return { code: undefined, signal: name ?? `signal ${code - 128}` };
}

/** What went wrong in a run that did not end with code 0. */
export function failureOf({ signal, stderr }: NftOutcome): BackendError {
  return signal === undefined ? errorFromOutput(stderr) : errorFromSignal(signal, stderr);
}

/**
 * A process group of its own: the terminal's Ctrl-C does not end nft in the middle of its work, and a wrapper script is ended
 * together with its nft. English messages, no history file, and a terminal that every terminfo knows: nft -i says something about others.
 * Not every user has the folders of nft in PATH; they come after it.
 */
export function spawnOptions(): { readonly detached: true; readonly env: NodeJS.ProcessEnv } {
  const PATH = `${process.env.PATH ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`;
  return { detached: true, env: { ...process.env, PATH, LC_ALL: "C", HOME: "/dev/null", TERM: "dumb" } };
}

/** Ends the process and what it started; fine if it ended by itself. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

export function startError(binary: string, cause: NodeJS.ErrnoException): BackendError {
  const missing = cause.code === "ENOENT";
  return missing
    ? new BackendError("not-installed", `the program ${binary} is not installed`, {
        cause,
        hint: "install the package nftables",
      })
    : new BackendError("broken", `${binary} could not be started: ${cause.message}`, { cause });
}

export function hungError(timeoutMs: number, output: string): BackendError {
  return new BackendError("broken", `nft did not answer within ${timeoutMs / 1000} s and was ended`, {
    output,
    hint: "look for a process that holds the kernel's nftables lock, or for a node without CPU time",
  });
}
