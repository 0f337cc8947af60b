// Runs a program that talks to the kernel, once and to its end. Owns starting it, its time-out and its end; what it says is read by
// who called it.

import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { BackendError } from "./backend.ts";

/** How to run it: the program's name or path, and how long it may take. */
export interface ChildProgram {
  readonly binary: string;
  readonly timeoutMs: number;
}

export interface ChildOutcome {
  /** undefined: ended by a signal. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is said where there is no outcome. */
export interface ChildErrors {
  /** It could not be started. */
  startError(cause: NodeJS.ErrnoException): BackendError;
  /** It did not end in time, and was ended. */
  hungError(stderr: string): BackendError;
}

/**
 * Runs the program in the current network namespace, `input` on its standard input. A failing program is an outcome; BackendError, one
 * of `errors`: there is none. Nothing of the process is left when this resolves or rejects.
 */
export function runChild(
  program: ChildProgram,
  argv: readonly string[],
  input: string,
  errors: ChildErrors,
): Promise<ChildOutcome> {
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
    // A program that does not read to the end closes the pipe: its exit code tells the story.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", (cause: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(errors.startError(cause));
    });
    // After "close" nothing of the process is left: what it did to the kernel can be read back.
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const said = Buffer.concat(stderr).toString();
      if (timedOut) reject(errors.hungError(said));
      else resolve({ ...endOf(code, signal), stdout: Buffer.concat(stdout).toString(), stderr: said });
    });
  });
}

/** A shell between us and the program reports its signal as 128 and the signal's number. */
function endOf(code: number | null, signal: NodeJS.Signals | null): Pick<ChildOutcome, "code" | "signal"> {
  if (code === null) return { code: undefined, signal: signal ?? "a signal" };
  if (code <= 128) return { code, signal: undefined };
  const name = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return { code: undefined, signal: name ?? `signal ${code - 128}` };
}

/**
 * A process group of its own: the terminal's Ctrl-C does not end the program in the middle of its work, and a wrapper script is ended
 * together with its program. English messages, no history file, and a terminal that every terminfo knows: nft -i says something about
 * others. Not every user has the folders of such programs in PATH; they come after it.
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

/** `debianPackage`: where the program is from. */
export function startError(binary: string, debianPackage: string, cause: NodeJS.ErrnoException): BackendError {
  const missing = cause.code === "ENOENT";
  return missing
    ? new BackendError("not-installed", `the program ${binary} is not installed`, {
        cause,
        hint: `install the package ${debianPackage}`,
      })
    : new BackendError("broken", `${binary} could not be started: ${cause.message}`, { cause });
}
