// The rules that earlier versions left in a kernel, as text in test/packets/earlier-tables/: there for good, whether the version still
// runs or not. Owns which there are and how they get back into a kernel; write-earlier-tables.ts has made them.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { BEFORE_CLASS_TREE, BEFORE_PORT_RANGES, BEFORE_TIERS, type EarlierVersion } from "./earlier-version.ts";
import type { Netns } from "./netns.ts";

export const FOLDER = resolve(import.meta.dirname, "../packets/earlier-tables");
/** The folder that the agents watch holds the cluster and nothing else that they read. */
export const MANIFESTS_ARGS: readonly string[] = ["--manifests", FOLDER];

export interface EarlierTable {
  readonly file: string;
  readonly version: EarlierVersion;
  /** How the agent was told. */
  readonly by: readonly string[];
  /** What the text is made of, in order. */
  readonly listing: readonly (readonly string[])[];
}

const NFT = [["nft", "-s", "list", "table", "inet", "nftpol"]];
const IPTABLES = [
  ["ipset", "save"],
  ["iptables-nft-save", "-t", "filter"],
  ["ip6tables-nft-save", "-t", "filter"],
];

const nftTable = (file: string, version: EarlierVersion, ...by: readonly string[]): EarlierTable => ({
  file,
  version,
  by,
  listing: NFT,
});

export const EARLIER_TABLES: readonly EarlierTable[] = [
  nftTable("before-port-ranges.nft", BEFORE_PORT_RANGES),
  nftTable("before-tiers.nft", BEFORE_TIERS),
  nftTable("before-tiers-strict-start.nft", BEFORE_TIERS, "--unknown-local-pods", "drop"),
  {
    file: "before-class-tree.iptables",
    version: BEFORE_CLASS_TREE,
    by: ["--backend", "iptables", "--iptables-variant", "nft"],
    listing: IPTABLES,
  },
];

/** Puts the rules into the namespace, with the programs of one variant where they are of iptables. */
export async function loadEarlierTable(node: Netns, table: EarlierTable, variant: "nft" | "legacy"): Promise<void> {
  for (const [argv, text] of sectionsOf(table)) {
    const { code, stderr } = await node.run(loaderOf(argv, variant), { input: text });
    if (code !== 0) throw new Error(`${table.file}: ${argv}: ${stderr}`);
  }
}

/** What each program listed. */
export function sectionsOf({ file, listing }: EarlierTable): readonly (readonly [string, string])[] {
  const lines = readFileSync(join(FOLDER, file), "utf8").split("\n");
  const starts = listing.map((argv) => lines.indexOf(`# ${argv.join(" ")}`));
  return listing.map((argv, index) => [
    argv[0] ?? "",
    `${lines.slice((starts[index] ?? 0) + 1, starts[index + 1]).join("\n")}\n`,
  ]);
}

function loaderOf(program: string, variant: "nft" | "legacy"): readonly string[] {
  if (program === "nft") return ["nft", "-f", "-"];
  if (program === "ipset") return ["ipset", "restore"];
  return [program.replace("-nft-save", `-${variant}-restore`), "-w", "5"];
}
