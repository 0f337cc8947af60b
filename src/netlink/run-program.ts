// Runs a program of the operating system without a shell, and reads what it prints line by line. What the lines and a
// failure mean is its callers' business.

import { spawn } from "node:child_process";

export interface ProgramResult {
  readonly code: number | null;
  readonly stderr: string;
}

/** The program could not be started. */
export class ProgramError extends Error {
  readonly isMissing: boolean;

  constructor(program: string, cause: NodeJS.ErrnoException) {
    super(`${program} could not be started: ${cause.message}`, { cause });
    this.name = "ProgramError";
    this.isMissing = cause.code === "ENOENT";
  }
}

const TIMEOUT_MS = 60_000;

/**
 * Calls `onLine` with each line of the standard output. A failing program is a result. Rejects with ProgramError, and with
 * what `onLine` throws; the program is then ended. Ends it after a minute as well: exit code null.
 */
export function runProgram(command: readonly string[], onLine: (line: string) => void): Promise<ProgramResult> {
  const [program = "", ...argv] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TIMEOUT_MS,
      // Messages in the language that is understood here.
      env: { ...process.env, LC_ALL: "C" },
    });
    let rest = "";
    let stderr = "";
    const takeLines = (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      try {
        for (const line of lines) onLine(line);
      } catch (error) {
        reject(error);
        child.stdout.removeListener("data", takeLines).resume();
        child.kill();
      }
    };
    child.stdout.setEncoding("utf8").on("data", takeLines);
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", (cause: NodeJS.ErrnoException) => reject(new ProgramError(program, cause)));
    child.on("close", (code) => {
      if (rest !== "") takeLines("\n");
      resolve({ code, stderr });
    });
  });
}
