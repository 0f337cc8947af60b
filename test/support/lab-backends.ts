// Owns which backends packets are tried with in labs. NFTPOL_LAB_BACKEND (nft, iptables-nft, iptables-legacy) gives all labs one; without it
// tests that come in many shapes take turns.
import type { LabBackend } from "../../src/lab/node-rules-difference.ts";

const BACKENDS: Readonly<Record<string, LabBackend>> = {
  nft: { name: "nft" },
  "iptables-nft": { name: "iptables", variant: "nft" },
  "iptables-legacy": { name: "iptables", variant: "legacy" },
};

export const LAB_BACKENDS: readonly string[] = Object.keys(BACKENDS);

/** Of the labs that are told apart by this number: every third. */
export function labBackendInTurn(number: number): string {
  return process.env.NFTPOL_LAB_BACKEND ?? (LAB_BACKENDS[number % LAB_BACKENDS.length] as string);
}

/** `word`: the one of LAB_BACKENDS that a test asks for; undefined: the environment's, else nft. */
export function labBackendOf(word: string | undefined): LabBackend {
  const name = word ?? process.env.NFTPOL_LAB_BACKEND ?? "nft";
  const backend = BACKENDS[name];
  if (backend === undefined) throw new Error(`${name} is none of ${LAB_BACKENDS.join(", ")}`);
  return backend;
}
