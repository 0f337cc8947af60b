// All rules of nftpol in a namespace as the system's own programs list them, in a text in which equal rules look equal whoever wrote
// them and in whatever order: no counters, no declared sizes, no tags of set names, no comments of sets and chains (one that stays keeps
// that of the version that made it). Knows nothing of how this version reads rules back.

import { splitName } from "../../src/backends/iptables/set-tags.ts";
import type { Netns } from "./netns.ts";

const VARIANTS = ["nft", "legacy"] as const;
const SAVES = ["iptables", "ip6tables"].flatMap((family) => VARIANTS.map((variant) => `${family}-${variant}-save`));

/** Empty: there is nothing. */
export async function listedRules(node: Netns): Promise<string> {
  const said = async (...argv: readonly string[]) => (await node.run(argv)).stdout;
  const parts = [comparableTable(await said("nft", "-s", "list", "table", "inet", "nftpol"))];
  for (const save of SAVES) {
    const lines = comparableSaved(await said(save, "-t", "filter"));
    if (lines !== "") parts.push(`${save}\n${lines}`);
  }
  parts.push(comparableSets(await said("ipset", "save")));
  return parts.filter((part) => part !== "").join("\n");
}

/** Of nft: the objects of the table, and the elements of a set, in an order of their own; the rules of a chain in theirs. */
export function comparableTable(text: string): string {
  const objects = text.replace(/^table .*\n|^\}\n/gm, "").split("\n\n");
  return objects
    .map((object) => withSortedElements(object.trim().replace(/^\s*(size \d+|comment "[^"]*")\n/gm, "")))
    .sort()
    .join("\n");
}

function withSortedElements(object: string): string {
  return object.replace(/elements = \{([^}]*)\}/, (_, elements: string) => {
    const sorted = elements.split(",").map((element) => element.trim());
    return `elements = { ${sorted.sort().join(", ")} }`;
  });
}

/** Of iptables-save: our chains and the jumps to them; the rules of a chain in their order. */
export function comparableSaved(text: string): string {
  const lines = text.split("\n").filter((line) => /NFTPOL-/.test(line) && !line.startsWith("#"));
  const chainOf = (line: string) => /^(?::|-A )(\S+)/.exec(line)?.[1] ?? "";
  return lines
    .map((line) => withoutTags(line.replace(/ \[\d+:\d+\]$/, "")))
    .sort((a, b) => (chainOf(a) < chainOf(b) ? -1 : chainOf(a) > chainOf(b) ? 1 : 0))
    .join("\n");
}

export function comparableSets(text: string): string {
  const lines = text.split("\n").filter((line) => / NFTPOL-/.test(line));
  return lines
    .map((line) => withoutTags(line.replace(/ (hashsize|maxelem|bucketsize|initval) \S+/g, "")))
    .sort()
    .join("\n");
}

function withoutTags(line: string): string {
  return line.replace(/NFTPOL-[\w.-]+/g, (name) => splitName(name).name);
}
