// The rules that the packet path is measured with, and the reading of what they counted. Pure text. They only count: no
// packet is changed, dropped or accepted by them.
//
//   packet for a pod ─> our rules ─> postrouting (crossed) ─> egress of the pod's interface (delivered) ─> pod
//
// A pair of addresses that is delivered at a bridge's port and never crossed came past the kernel's IP stack, and so past our
// rules. Packets that tc or eBPF redirect meet neither hook: on a pod's own interface they show as more sent than was seen.

import { type Address, addressFamily, FAMILIES, type Family, parseAddress } from "../../net/address.ts";
import type { PodPorts } from "./places.ts";

/** Both tables, `inet` and `netdev`, have this name. The kernel removes them when the nft that made them ends. */
export const METER_TABLE = "nftpol_path";

/** Pairs that a set can hold; then new ones are not counted any more. */
export const METERED_PAIRS = 8192;

export interface PairCount {
  readonly source: Address;
  readonly destination: Address;
  readonly packets: number;
}

/** Sets of the tables: pairs by family, bytes by interface. */
export type PairSet = `pairs${Family}`;
export const PORT_SET = "ports";

/** The kernel takes at most 256 for one chain. */
const INTERFACES_PER_CHAIN = 128;

/** Interface names are given by whoever makes the interface; nft reads these as names and nothing else. */
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9_.@-]*$/;

/**
 * Lines for `nft -i`, each a transaction, in this order: first everything that crosses is counted, then what is delivered.
 * Interfaces with odd names are left out. Empty: there is nothing to measure at.
 */
export function meterLines(addresses: readonly Address[], ports: PodPorts): readonly string[] {
  const switched = ports.switched.filter((name) => PLAIN_NAME.test(name));
  const own = [...ports.own.keys()].filter((name) => PLAIN_NAME.test(name));
  const families = meteredFamilies(addresses);
  if (families.length === 0 || switched.length + own.length === 0) return [];
  const sets = [...families.map((family) => pairSets(family, addresses)), portSet()].join(" ");
  const postrouting = chain("postrouting", "postrouting", [...families.map(countPair), COUNT_PORT]);
  const egress = [
    ...chunks(switched).map((names, index) => egressChain(`switched${index}`, names, families.map(countPair))),
    ...chunks(own).map((names, index) => egressChain(`own${index}`, names, [COUNT_PORT])),
  ];
  return [
    `add table inet ${METER_TABLE} { flags owner; ${sets} ${postrouting} }`,
    `add table netdev ${METER_TABLE} { flags owner; ${sets} ${egress.join(" ")} }`,
  ];
}

/** The families of the addresses: those that have sets. */
export function meteredFamilies(addresses: readonly Address[]): readonly Family[] {
  return FAMILIES.filter((family) => addresses.some((address) => addressFamily(address) === family));
}

function pairSets(family: Family, addresses: readonly Address[]): string {
  const ip = family === 4 ? "ip" : "ip6";
  const pods = addresses.filter((address) => addressFamily(address) === family).join(", ");
  return (
    `set pods${family} { typeof ${ip} daddr; elements = { ${pods} }; }; ` +
    `set pairs${family} { typeof ${ip} saddr . ${ip} daddr; flags dynamic; size ${METERED_PAIRS}; };`
  );
}

function portSet(): string {
  return `set ${PORT_SET} { typeof meta oifname; flags dynamic; size ${METERED_PAIRS}; };`;
}

function countPair(family: Family): string {
  const ip = family === 4 ? "ip" : "ip6";
  return `${ip} daddr @pods${family} update @pairs${family} { ${ip} saddr . ${ip} daddr counter };`;
}

const COUNT_PORT = `update @${PORT_SET} { meta oifname counter };`;

function egressChain(name: string, interfaceNames: readonly string[], rules: readonly string[]): string {
  const devices = interfaceNames.map((each) => `"${each}"`).join(", ");
  return chain(name, `egress devices = { ${devices} }`, rules);
}

/** After source translation (100): what leaves is counted as it leaves. */
function chain(name: string, hook: string, rules: readonly string[]): string {
  return `chain ${name} { type filter hook ${hook} priority 1000; policy accept; ${rules.join(" ")} };`;
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
  return readElements(json, (val, { packets }) => {
    const concat = (val as { concat?: unknown } | null)?.concat;
    const [source, destination] = (Array.isArray(concat) ? concat : []).map((text) => parseAddress(`${text}`)?.address);
    return source === undefined || destination === undefined ? undefined : { source, destination, packets };
  });
}

/** Bytes by interface; undefined when it does not read as such a set. */
export function readPortBytes(json: string): ReadonlyMap<string, number> | undefined {
  const entries = readElements(json, (val, { bytes }) =>
    typeof val === "string" ? ([val, bytes] as const) : undefined,
  );
  return entries === undefined ? undefined : new Map(entries);
}

interface Counter {
  readonly packets: number;
  readonly bytes: number;
}

function readElements<T>(json: string, read: (val: unknown, counter: Counter) => T | undefined): T[] | undefined {
  const elements = findSet(json)?.elem ?? [];
  if (findSet(json) === undefined || !Array.isArray(elements)) return undefined;
  const found: T[] = [];
  for (const element of elements as ({ elem?: { val?: unknown; counter?: Partial<Counter> } } | null)[]) {
    const { val, counter } = element?.elem ?? {};
    const { packets, bytes } = counter ?? {};
    const one = typeof packets === "number" && typeof bytes === "number" ? read(val, { packets, bytes }) : undefined;
    if (one === undefined) return undefined;
    found.push(one);
  }
  return found;
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
