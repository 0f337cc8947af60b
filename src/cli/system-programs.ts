// The system's programs that rules need, as `nftpol version` lists them: each is asked for its version, no more.

import { BackendError } from "../backends/backend.ts";
import { type ChildErrors, runChild, startError } from "../backends/child-process.ts";

/** With the packages that they are from. */
const PROGRAMS = { nft: "nftables", iptables: "iptables", ipset: "ipset" } as const;
type SystemProgram = keyof typeof PROGRAMS;

/** Whoever does not answer by then has no version to tell. */
const PATIENCE_MS = 2000;

/** `1.0.6`, `1.8.9 (nf_tables)`; `unknown` of one that answers otherwise or not at all; null where it is not installed. */
export async function systemProgramVersions(): Promise<Readonly<Record<SystemProgram, string | null>>> {
  const [nft, iptables, ipset] = await Promise.all([versionOf("nft"), versionOf("iptables"), versionOf("ipset")]);
  return { nft, iptables, ipset };
}

async function versionOf(program: SystemProgram): Promise<string | null> {
  const errors: ChildErrors = {
    startError: (cause) => startError(program, PROGRAMS[program], cause),
    hungError: () => new BackendError("broken", `${program} did not answer`),
  };
  try {
    const { stdout } = await runChild({ binary: program, timeoutMs: PATIENCE_MS }, ["--version"], "", errors);
    return versionIn(stdout) ?? "unknown";
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return error.kind === "not-installed" ? null : "unknown";
  }
}

/** `iptables v1.8.9 (nf_tables)`; nft has the name of its release in brackets, which is no news. */
export function versionIn(output: string): string | undefined {
  const [, number, variant] = /\bv(\d+(?:\.\d+)+)(?: (\((?:nf_tables|legacy)\)))?/.exec(output) ?? [];
  return number === undefined ? undefined : variant === undefined ? number : `${number} ${variant}`;
}
