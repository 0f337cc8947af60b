// The process: streams, closed pipes, signals. Everything else is in `command-line.ts`.

import { nodeManifestFiles } from "../manifests/manifest-files.ts";
import { runCommandLine } from "./command-line.ts";
import type { ExitCode, ProgramExit } from "./verb.ts";

const DEFAULT_COLUMNS = 100;

/** A reader that has seen enough (`| head`) is no failure, but for a verb that was to run on; a full disk is one. */
function endWhenClosed(stream: NodeJS.WriteStream, shutdown: Shutdown): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" && !shutdown.isAwaited) process.exit(process.exitCode ?? 0);
    if (stream !== process.stderr) process.stderr.write(`nftpol: cannot write the output: ${error.message}\n`);
    process.exit(3);
  });
}

function showsColour(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, TERM } = process.env;
  return stream.isTTY === true && (NO_COLOR ?? "") === "" && TERM !== "dumb";
}

class Shutdown {
  /** Whether the verb works until it is told to end. */
  isAwaited = false;

  /** Aborted by the first SIGTERM or SIGINT; a second one ends the process at once. */
  await(): AbortSignal {
    this.isAwaited = true;
    const controller = new AbortController();
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      process.once(name, () => controller.abort());
    }
    return controller.signal;
  }
}

/** Runs what the process was started for; answers with its exit code. Once in a process. */
export async function runProcess(): Promise<ExitCode | ProgramExit> {
  const shutdown = new Shutdown();
  endWhenClosed(process.stdout, shutdown);
  endWhenClosed(process.stderr, shutdown);
  return runCommandLine(process.argv.slice(2), {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    colour: showsColour(process.stdout),
    columns: process.stdout.columns ?? DEFAULT_COLUMNS,
    isTerminal: process.stderr.isTTY === true,
    files: nodeManifestFiles,
    environment: process.env,
    shutdown: () => shutdown.await(),
  });
}
