// Owns an nft that works in a namespace: a launcher that takes the place of the program, and can be told to stop before it begins.
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Netns } from "./netns.ts";

export interface NftInNetns {
  /** Give this path to whoever wants an nft. It becomes the process of nft itself: ending its pid ends nft. */
  readonly launcher: string;
  /** Gone after the test, with all that is in it. */
  readonly folder: string;
  /** Processes in the namespace: nft's, if nothing else runs there. */
  pids(): Promise<readonly number[]>;
  /** From now on each new nft stops (SIGSTOP) before it does anything; with false no more. */
  stopNew(stop: boolean): void;
  /** Runs nft with this input and expects it to be content. */
  load(text: string): Promise<void>;
  list(...argv: readonly string[]): Promise<string>;
}

/** Calls `body` with the nft of `path` inside the namespace; its files are gone afterwards. */
export async function withNftIn<T>(ns: Netns, path: string, body: (nft: NftInNetns) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "nfpt-nft-"));
  const launcher = join(folder, "nft");
  const stopFile = join(folder, "stop");
  const script = [
    "#!/bin/sh",
    `[ -e '${stopFile}' ] && kill -STOP $$`,
    `exec ip netns exec '${ns.name}' '${path}' "$@"`,
  ];
  writeFileSync(launcher, `${script.join("\n")}\n`);
  chmodSync(launcher, 0o755);
  const run = async (argv: readonly string[], input?: string): Promise<string> => {
    const result = await ns.run([path, ...argv], input === undefined ? {} : { input });
    if (result.code !== 0) throw new Error(`nft ${argv.join(" ")}: ${result.stderr}`);
    return result.stdout;
  };
  try {
    return await body({
      launcher,
      folder,
      pids: async () =>
        (await ns.run(["ip", "netns", "pids", ns.name])).stdout.split("\n").filter(Boolean).map(Number).filter(isAlive),
      stopNew: (stop) => (stop ? writeFileSync(stopFile, "") : rmSync(stopFile, { force: true })),
      load: async (text) => {
        await run(["-f", "-"], text);
      },
      list: (...argv) => run(argv),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}
