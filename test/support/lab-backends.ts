// Owns which backends packets are tried with in labs. NFTPOL_LAB_BACKEND (nft, iptables-nft, iptables-legacy) gives all labs one.
import type { LabBackend } from "../../src/lab/node-rules-difference.ts";

const BACKENDS: Readonly<Record<string, LabBackend>> = {
  nft: { name: "nft" },
  "iptables-nft": { name: "iptables", variant: "nft" },
  "iptables-legacy": { name: "iptables", variant: "legacy" },
};

export const LAB_BACKENDS: readonly string[] = Object.keys(BACKENDS);

/** `word`: the one of LAB_BACKENDS that a test asks for; undefined: the environment's, else nft. */
export function labBackendOf(word: string | undefined): LabBackend {
  const name = word ?? process.env.NFTPOL_LAB_BACKEND ?? "nft";
  const backend = BACKENDS[name];
  if (backend === undefined) throw new Error(`${name} is none of ${LAB_BACKENDS.join(", ")}`);
  return backend;
}
