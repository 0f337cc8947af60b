// Runs the command inside the test's process, with files in memory: quick, and its errors have stacks.
// Runs as a child process are in `run-nftpol.ts`.

import { runCommandLine } from "../../src/cli/command-line.ts";
import { memoryManifestFiles, nodeManifestFiles } from "../../src/manifests/manifest-files.ts";

export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface InMemoryOptions {
  /** Contents by path; without it the real file system is read. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly colour?: boolean;
  readonly columns?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly shutdown?: AbortSignal;
}

export async function runInMemory(argv: readonly string[], options: InMemoryOptions = {}): Promise<CommandRun> {
  let stdout = "";
  let stderr = "";
  const code = await runCommandLine(argv, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    colour: options.colour ?? false,
    columns: options.columns ?? 100,
    isTerminal: false,
    files: options.files === undefined ? nodeManifestFiles : memoryManifestFiles(options.files),
    environment: options.environment ?? {},
    shutdown: () => options.shutdown ?? new AbortController().signal,
  });
  return { code, stdout, stderr };
}
