// How backends, places and figures are called in tables and plots.

import type { BackendName } from "./backend.ts";
import { DISTURBED, type ReportRow } from "./report.ts";
import type { Cost } from "./statistics.ts";
import type { PacketKind, Place } from "./variant.ts";

export const OURS: BackendName = "nft";

/** The peers are not the products: the shapes of their rules, built here. */
export const BACKEND_WORDS: Readonly<Record<BackendName, string>> = {
  nft: "nftpol, nft",
  "iptables-nft": "nftpol, iptables (nf_tables)",
  "iptables-legacy": "nftpol, iptables (legacy)",
  "kube-router-nft": "shaped like kube-router, nft",
  "kube-router-iptables": "shaped like kube-router, iptables",
  "calico-nft": "shaped like Calico, nft",
  "calico-iptables": "shaped like Calico, iptables",
};

export const KIND_WORDS: Readonly<Record<PacketKind, string>> = {
  new: "first packet of a new flow",
  established: "packet of an established flow",
  denied: "denied packet",
  connection: "TCP connection",
};

export function placeWords({ family, topology }: Place): string {
  return `IPv${family} ${topology}`;
}

export type Measured = ReportRow["costs"][PacketKind];

/** Nanoseconds above the floor: `+480 [470 495]`. */
export function extraWords(cost: Measured): string {
  return words(cost, ({ extraNs: { q1, median, q3 } }) => `${signed(median)} [${signed(q1)} ${signed(q3)}]`);
}

/** The time by the floor's, and nanoseconds above it: `1.006 (+170)`. */
export function ratioWords(cost: Measured): string {
  return words(cost, ({ ratio, extraNs }) => `${ratio.toFixed(3)} (${signed(extraNs.median)})`);
}

function words(cost: Measured, ofCost: (cost: Cost) => string): string {
  if (cost === undefined) return "-";
  return cost === DISTURBED ? DISTURBED : ofCost(cost);
}

function signed(value: number): string {
  const rounded = Math.round(value);
  return rounded > 0 ? `+${rounded}` : `${rounded}`;
}
