// Whether this nft and this kernel can do what our rules need. Changes nothing: the scratch table is only checked (`nft -c`), so
// that none is left behind whenever we are killed. The kernel goes through all of it and then forgets it; it refuses there
// what it would refuse to load (tried with unsupported statements, hooks and set sizes on kernel 6.18).

import type { ProgramOptions } from "../../../program/program.ts";
import { BackendError } from "../../backend.ts";
import { excerpt } from "../nft-output.ts";
import { neededFeatures, probeText } from "../probe-rules.ts";
import { failureOf, type NftProgram, runNft } from "./nft-process.ts";

export interface NftFacts {
  /** `nftables v1.1.3 (Commodore Bullmoose #4)`. */
  readonly version: string;
  readonly warnings: readonly string[];
}

const OLDEST = [1, 0, 6];
const PEACEFUL = [1, 1, 3];

/** Throws BackendError that says what is missing and what to do. Cost: some children of nft. */
export async function probeNft(program: NftProgram, options: ProgramOptions): Promise<NftFacts> {
  const { version, numbers } = await readVersion(program);
  await tryJson(program);
  await tryFeatures(program, options);
  const warnings = isOlder(numbers, PEACEFUL)
    ? [
        `${version}: it crashes when another program on this node declares sets by type with nft >= 1.1.3 (kube-proxy may); use nft >= 1.1.3`,
      ]
    : [];
  return { version, warnings };
}

async function readVersion(program: NftProgram): Promise<{ version: string; numbers: number[] }> {
  const { code, stdout, stderr } = await runNft(program, ["--version"]);
  const found = /v(\d+(?:\.\d+)+)/.exec(stdout)?.[1];
  if (code !== 0 || found === undefined) {
    throw new BackendError("unsupported", `${program.binary} does not tell its version`, {
      hint: "install nftables >= 1.1.3",
      output: excerpt(stdout + stderr),
    });
  }
  const version = stdout.trim().split("\n")[0] as string;
  const numbers = found.split(".").map(Number);
  if (isOlder(numbers, OLDEST)) {
    throw new BackendError("unsupported", `${version} is too old`, {
      hint: "install nftables >= 1.1.3 (1.0.6 at least)",
    });
  }
  return { version, numbers };
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  for (const [index, part] of than.entries()) {
    const own = version[index] ?? 0;
    if (own !== part) return own < part;
  }
  return false;
}

async function tryJson(program: NftProgram): Promise<void> {
  const outcome = await runNft(program, ["-j", "list", "tables"]);
  const { code, stdout, stderr } = outcome;
  if (code !== 0 && !/json/i.test(stderr)) throw failureOf(outcome);
  if (code !== 0 || !stdout.includes('"nftables"')) {
    throw new BackendError("unsupported", "this nft was built without JSON, and the rules could not be read back", {
      hint: "install an nftables with JSON (nft -V says json: yes)",
      output: excerpt(stdout + stderr),
    });
  }
}

async function tryFeatures(program: NftProgram, options: ProgramOptions): Promise<void> {
  const table = `nftpol_probe_${process.pid}`;
  const features = neededFeatures(options);
  const refusal = await check(program, probeText(table, features));
  if (refusal === undefined) return;
  for (const feature of features) {
    const reason = await check(program, probeText(table, [feature]));
    if (reason === undefined) continue;
    throw new BackendError("unsupported", `kernel or nft lack ${feature.name}: ${reason.message}`, {
      hint: `needed: ${feature.needs}`,
      output: reason.output,
      cause: reason,
    });
  }
  throw new BackendError("unsupported", `kernel or nft refuse our rules: ${refusal.message}`, {
    output: refusal.output,
    cause: refusal,
  });
}

/** Why it would be refused; undefined: it would load. Throws BackendError when that cannot be found out. */
async function check(program: NftProgram, text: string): Promise<BackendError | undefined> {
  const outcome = await runNft(program, ["-c", "-f", "-"], text);
  if (outcome.code === 0) return undefined;
  const error = failureOf(outcome);
  if (error.kind === "refused") return error;
  throw error;
}
