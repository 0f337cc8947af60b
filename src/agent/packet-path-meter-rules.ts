// The rules that the packet path is measured with, and the reading of what they counted. Pure text. They only count: no
// packet is changed, dropped or accepted by them.
//
//   packet for a pod ─> … ─> postrouting (crossed: source, pod) ─> egress of the pod's interface (delivered: source, pod)
//
// A pair that is delivered and never crossed came past the kernel's IP stack, and so past our rules, which are in forward.

import { type Address, addressFamily, FAMILIES, type Family, parseAddress } from "../net/address.ts";

/** Both tables, `inet` and `netdev`, have this name. The kernel removes them when the nft that made them ends. */
export const METER_TABLE = "nftpol_path";

/** Pairs that a set can hold; then new ones are not counted any more. */
export const METERED_PAIRS = 8192;

export interface PairCount {
  readonly source: Address;
  readonly destination: Address;
  readonly packets: number;
}

/** `crossed4`, `delivered6`. */
export type CountSet = `${"crossed" | "delivered"}${Family}`;

/** The kernel takes at most 256 for one chain. */
const INTERFACES_PER_CHAIN = 128;

/** Interface names are given by whoever makes the interface; nft reads these as names and nothing else. */
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9_.@-]*$/;

/**
 * Lines for `nft -i`, each a transaction, in this order: first everything that crosses is counted, then what is delivered.
 * Interfaces with odd names are left out.
 */
export function meterLines(addresses: readonly Address[], interfaceNames: readonly string[]): readonly string[] {
  const names = interfaceNames.filter((name) => PLAIN_NAME.test(name));
  const families = FAMILIES.filter((family) => addresses.some((address) => addressFamily(address) === family));
  if (names.length === 0 || families.length === 0) return [];
  const postrouting = chain("postrouting", "type filter hook postrouting priority 1000", "crossed", families);
  const egress = chunks(names).map((some, index) => {
    const devices = some.map((name) => `"${name}"`).join(", ");
    return chain(
      `egress${index}`,
      `type filter hook egress devices = { ${devices} } priority 0`,
      "delivered",
      families,
    );
  });
  return [
    table("inet", [...families.map((family) => sets(family, addresses, "crossed")), postrouting]),
    table("netdev", [...families.map((family) => sets(family, addresses, "delivered")), ...egress]),
  ];
}

function table(family: "inet" | "netdev", content: readonly string[]): string {
  return `add table ${family} ${METER_TABLE} { flags owner; ${content.join(" ")} }`;
}

function sets(family: Family, addresses: readonly Address[], what: "crossed" | "delivered"): string {
  const ip = family === 4 ? "ip" : "ip6";
  const own = addresses.filter((address) => addressFamily(address) === family).join(", ");
  const pods = `set pods${family} { typeof ${ip} daddr; elements = { ${own} }; };`;
  const pairs = `set ${what}${family} { typeof ${ip} saddr . ${ip} daddr; flags dynamic; size ${METERED_PAIRS}; };`;
  return `${pods} ${pairs}`;
}

function chain(name: string, hook: string, what: "crossed" | "delivered", families: readonly Family[]): string {
  const rules = families.map((family) => {
    const ip = family === 4 ? "ip" : "ip6";
    return `${ip} daddr @pods${family} update @${what}${family} { ${ip} saddr . ${ip} daddr counter };`;
  });
  return `chain ${name} { ${hook}; policy accept; ${rules.join(" ")} };`;
}

function chunks(names: readonly string[]): readonly (readonly string[])[] {
  const some: string[][] = [];
  for (let start = 0; start < names.length; start += INTERFACES_PER_CHAIN) {
    some.push(names.slice(start, start + INTERFACES_PER_CHAIN));
  }
  return some;
}

/** From `nft -j list set`; undefined when it does not read as such a set. */
export function readPairCounts(json: string): readonly PairCount[] | undefined {
  const set = findSet(json);
  if (set === undefined) return undefined;
  const elements: unknown = set.elem ?? [];
  if (!Array.isArray(elements)) return undefined;
  const counts: PairCount[] = [];
  for (const element of elements) {
    const { val, counter } = (element as ListedElement | null)?.elem ?? {};
    const [source, destination] = (val?.concat ?? []).map((text) => parseAddress(String(text))?.address);
    const packets = counter?.packets;
    if (source === undefined || destination === undefined || typeof packets !== "number") return undefined;
    counts.push({ source, destination, packets });
  }
  return counts;
}

interface ListedElement {
  readonly elem?: {
    readonly val?: { readonly concat?: readonly unknown[] };
    readonly counter?: { readonly packets?: unknown };
  };
}

function findSet(json: string): { readonly elem?: unknown } | undefined {
  let listing: unknown;
  try {
    listing = JSON.parse(json);
  } catch {
    return undefined;
  }
  const entries = (listing as { nftables?: unknown } | null)?.nftables;
  if (!Array.isArray(entries)) return undefined;
  return entries.map((entry: { set?: { elem?: unknown } } | null) => entry?.set).find((set) => set !== undefined);
}
