// The process: streams, closed pipes, exit code. Everything else is in `command-line.ts`.

import { nodeManifestFiles } from "../manifests/manifest-files.ts";
import { runCommandLine } from "./command-line.ts";

const DEFAULT_COLUMNS = 100;

/** A reader that has seen enough (`| head`) is no failure; a full disk is one. */
function endWhenClosed(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
    if (stream !== process.stderr) process.stderr.write(`nftpol: cannot write the output: ${error.message}\n`);
    process.exit(3);
  });
}

function showsColour(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, TERM } = process.env;
  return stream.isTTY === true && (NO_COLOR ?? "") === "" && TERM !== "dumb";
}

/** A second signal ends the process at once. */
function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => controller.abort());
  }
  return controller.signal;
}

endWhenClosed(process.stdout);
endWhenClosed(process.stderr);
process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  colour: showsColour(process.stdout),
  columns: process.stdout.columns ?? DEFAULT_COLUMNS,
  isTerminal: process.stderr.isTTY === true,
  files: nodeManifestFiles,
  environment: process.env,
  shutdown: shutdownSignal,
});
