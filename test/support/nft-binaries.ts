// Owns the list of nft programs that tests run with: the system's one and those of newer Debian releases that
// scripts/newer-nft.ts unpacked under .tools/.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { findProgram } from "../../scripts/system-tools.ts";

export interface NftBinary {
  /** Where it comes from, for test names: "system" or "nft-trixie". */
  readonly origin: string;
  readonly path: string;
  /** As numbers, e.g. [1, 0, 6]; compare with {@link isAtLeast}. */
  readonly version: readonly number[];
}

const toolsFolder = resolve(import.meta.dirname, "../../.tools");

/** Every nft that runs on this machine, oldest version first; empty when there is none. */
export function nftBinaries(): readonly NftBinary[] {
  const system = findProgram("nft");
  const unpacked = globSync("nft-*/nft", { cwd: toolsFolder }).map((path) => ({
    origin: path.slice(0, path.indexOf("/")),
    path: join(toolsFolder, path),
  }));
  const candidates = [...(system === undefined ? [] : [{ origin: "system", path: system }]), ...unpacked];
  return candidates
    .flatMap((candidate) => {
      const version = versionOf(candidate.path);
      return version === undefined ? [] : [{ ...candidate, version }];
    })
    .sort((a, b) => compareVersions(a.version, b.version));
}

/** The newest nft at hand. */
export function newestNft(): NftBinary | undefined {
  return nftBinaries().at(-1);
}

export function isAtLeast(binary: NftBinary, version: readonly number[]): boolean {
  return compareVersions(binary.version, version) >= 0;
}

export function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function versionOf(path: string): readonly number[] | undefined {
  const result = spawnSync(path, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const version = /v(\d+(?:\.\d+)*)/.exec(result.stdout ?? "")?.[1];
  return result.status === 0 && version !== undefined ? version.split(".").map(Number) : undefined;
}
