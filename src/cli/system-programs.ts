// The system's programs that rules need, as `nftpol version` lists them: each is asked for its version, no more.

import { execFile } from "node:child_process";
import { programEnvironment } from "../lab/program-environment.ts";

export const SYSTEM_PROGRAMS = ["nft", "iptables", "ipset"] as const;
export type SystemProgram = (typeof SYSTEM_PROGRAMS)[number];

/** Whoever does not answer by then has no version to tell. */
const PATIENCE_MS = 2000;

/** `1.0.6`, `1.8.9 (nf_tables)`; `unknown` of one that answers otherwise or not at all; null where it is not installed. */
export async function systemProgramVersions(): Promise<Readonly<Record<SystemProgram, string | null>>> {
  const [nft, iptables, ipset] = await Promise.all(SYSTEM_PROGRAMS.map(versionOf));
  return { nft: nft ?? null, iptables: iptables ?? null, ipset: ipset ?? null };
}

function versionOf(program: SystemProgram): Promise<string | null> {
  return new Promise((resolve) => {
    const options = { env: programEnvironment(), timeout: PATIENCE_MS, killSignal: "SIGKILL" } as const;
    execFile(program, ["--version"], options, (error, stdout) => {
      if (error?.code === "ENOENT") resolve(null);
      else resolve(versionIn(stdout) ?? "unknown");
    });
  });
}

/** `iptables v1.8.9 (nf_tables)`; nft has the name of its release in brackets, which is no news. */
export function versionIn(output: string): string | undefined {
  const [, number, variant] = /\bv(\d+(?:\.\d+)+)(?: (\((?:nf_tables|legacy)\)))?/.exec(output) ?? [];
  return number === undefined ? undefined : variant === undefined ? number : `${number} ${variant}`;
}
