// What every connection tracker must do, on connections that are put into its table. Owns the cases; the tables are the
// kernel's (conntrack.test.ts) or in memory.

import { expect, it } from "vitest";
import { type Address, addressFamily, FAMILIES, type Family } from "../../src/net/address.ts";
import type { ConnectionTracker, TrackedConnection } from "../../src/netlink/connection-tracker.ts";
import type { InjectedEntry } from "./conntrack-inject.ts";

export interface TestedTable {
  readonly tracker: ConnectionTracker;
  put(entries: readonly InjectedEntry[]): Promise<void>;
}

export interface Tested {
  /** A tracker of an empty table, for the time of `body`. */
  withTable(body: (table: TestedTable) => Promise<void>): Promise<void>;
  /** How many connections some cases put in; a program per deletion is slow. */
  readonly many: number;
}

export const HOSTS: Readonly<Record<Family, (n: number) => Address>> = {
  4: (n) => `10.1.${n >> 8}.${n & 255}` as Address,
  6: (n) => `fd00:1::${(n + 1).toString(16)}` as Address,
};
const SERVER: Readonly<Record<Family, Address>> = { 4: "10.2.0.2" as Address, 6: "fd00:2::2" as Address };
const SERVICE: Readonly<Record<Family, Address>> = { 4: "10.96.0.1" as Address, 6: "fd00:96::1" as Address };

/** The n-th of many TCP connections, from 50 hosts. */
export function entryNumber(family: Family, n: number): InjectedEntry {
  return {
    protocol: 6,
    source: HOSTS[family](n % 50),
    sourcePort: 1024 + Math.floor(n / 50),
    destination: SERVER[family],
    destinationPort: 80,
  };
}

export function manyEntries(family: Family, count: number): InjectedEntry[] {
  return Array.from({ length: count }, (_, n) => entryNumber(family, n));
}

/** `6 10.1.0.1:1024>10.2.0.2:80 10.2.0.2:80>10.1.0.1:1024`, so that sets of connections can be compared. */
export function textOf({ protocol, original, reply, icmpType }: TrackedConnection): string {
  const [there, back] = [original, reply].map(
    (tuple) => `${tuple.source}:${tuple.sourcePort}>${tuple.destination}:${tuple.destinationPort}`,
  );
  return `${protocol} ${there} ${back}${icmpType === undefined ? "" : ` type ${icmpType}`}`;
}

/** What listing the entry gives. */
export function expectedText(entry: InjectedEntry): string {
  const { protocol, source, destination, icmpType } = entry;
  const hasPorts = icmpType === undefined;
  const [sourcePort, destinationPort] = hasPorts ? [entry.sourcePort, entry.destinationPort] : [0, 0];
  const serverPort = hasPorts ? (entry.serverPort ?? destinationPort) : 0;
  const there = `${source}:${sourcePort}>${destination}:${destinationPort}`;
  const back = `${entry.server ?? destination}:${serverPort}>${source}:${sourcePort}`;
  return `${protocol} ${there} ${back}${hasPorts ? "" : ` type ${icmpType}`}`;
}

/** Sorted, without repetition: a listing may name a connection twice. */
export function texts(connections: readonly TrackedConnection[]): readonly string[] {
  return [...new Set(connections.map(textOf))].sort();
}

/** Of a table that nothing else changes: equal ones are as many as there are. */
async function everything(tracker: ConnectionTracker): Promise<readonly string[]> {
  return [...(await tracker.list(4)), ...(await tracker.list(6))].map(textOf).sort();
}

/** One connection of each kind that conntrack tells apart. */
function everyKind(family: Family): readonly InjectedEntry[] {
  const source = HOSTS[family](1);
  const tcp = { protocol: 6, source, sourcePort: 1000, destination: SERVER[family], destinationPort: 80 };
  return [
    tcp,
    { ...tcp, destination: SERVICE[family], server: SERVER[family], serverPort: 8080, sourcePort: 1001 },
    { ...tcp, protocol: 17 },
    { ...tcp, protocol: 132 },
    { ...tcp, protocol: 136 },
    { ...tcp, protocol: family === 4 ? 1 : 58, sourcePort: 77, destinationPort: 0, icmpType: family === 4 ? 8 : 128 },
    { ...tcp, protocol: family === 4 ? 1 : 58, sourcePort: 78, destinationPort: 0, icmpType: family === 4 ? 8 : 128 },
    { ...tcp, protocol: 50, sourcePort: 0, destinationPort: 0 },
    { ...tcp, protocol: 253, sourcePort: 0, destinationPort: 0 },
  ];
}

export function itIsATracker({ withTable, many }: Tested): void {
  it("lists every connection of the family that it is asked for: ports, ICMP types, both ends of a translation", () =>
    withTable(async ({ tracker, put }) => {
      for (const family of FAMILIES) await put(everyKind(family));
      for (const family of FAMILIES) {
        const listed = await tracker.list(family);
        expect(listed.map(textOf).sort()).toEqual(everyKind(family).map(expectedText).sort());
        expect(new Set(listed.map((connection) => connection.family))).toEqual(new Set([family]));
      }
    }));

  it("lists by address those that it began and those that it answers, not those it was only asked for by name", () =>
    withTable(async ({ tracker, put }) => {
      for (const family of FAMILIES) {
        const [direct, translated] = everyKind(family) as [InjectedEntry, InjectedEntry];
        const other = { ...direct, source: HOSTS[family](7), destination: HOSTS[family](8) };
        await put([direct, translated, other]);
        const list = async (...addresses: Address[]) => texts(await tracker.list(family, new Set(addresses)));
        const both = [direct, translated].map(expectedText).sort();
        expect(await list(direct.source)).toEqual(both);
        expect(await list(SERVER[family])).toEqual(both);
        expect(await list(SERVICE[family])).toEqual([]);
        expect(await list(HOSTS[family](8))).toEqual([expectedText(other)]);
        expect(await list(HOSTS[family](9))).toEqual([]);
        expect(await list(HOSTS[family](9), HOSTS[family](7), direct.source)).toEqual(
          [...both, expectedText(other)].sort(),
        );
      }
    }));

  it("lists nothing for no addresses, nor for addresses of the other family", () =>
    withTable(async ({ tracker, put }) => {
      for (const family of FAMILIES) await put(manyEntries(family, 3));
      expect(await tracker.list(4, new Set())).toEqual([]);
      expect(await tracker.list(4, new Set([HOSTS[6](0)]))).toEqual([]);
      expect(await tracker.list(6, new Set([HOSTS[4](0)]))).toEqual([]);
    }));

  it.each(FAMILIES)("lists by address among many what it lists without, IPv%d", (family) =>
    withTable(async ({ tracker, put }) => {
      const entries = manyEntries(family, 8000);
      await put(entries);
      expect(texts(await tracker.list(family))).toEqual(entries.map(expectedText).sort());
      // Twice: a tracker may have to learn first whether a quicker way can be believed.
      for (let round = 0; round < 3; round++) {
        for (const count of [1, 2, 10]) {
          const addresses = new Set(Array.from({ length: count }, (_, n) => HOSTS[family](n)));
          const expected = entries.filter(({ source }) => addresses.has(source)).map(expectedText);
          expect(texts(await tracker.list(family, addresses))).toEqual(expected.sort());
        }
      }
    }),
  );

  it("deletes exactly what it is asked to, in both families, and nothing else", () =>
    withTable(async ({ tracker, put }) => {
      for (const family of FAMILIES) await put(manyEntries(family, many));
      const all = [...(await tracker.list(4)), ...(await tracker.list(6))];
      const chosen = new Set(all.map(textOf).filter((_, n) => n % 3 === 1));
      const doomed = all.filter((connection) => chosen.has(textOf(connection)));
      expect(await tracker.delete(doomed)).toBe(chosen.size);
      const rest = all.map(textOf).filter((text) => !chosen.has(text));
      expect(await everything(tracker)).toEqual(rest.sort());
    }));

  it("deletes one connection of each kind and leaves the others", () =>
    withTable(async ({ tracker, put }) => {
      for (const family of FAMILIES) await put(everyKind(family));
      let left = await everything(tracker);
      for (const family of FAMILIES) {
        for (const connection of await tracker.list(family)) {
          expect(await tracker.delete([connection])).toBe(1);
          left = left.toSpliced(left.indexOf(textOf(connection)), 1);
          expect(await everything(tracker)).toEqual(left);
        }
      }
      expect(left).toEqual([]);
    }));

  it("does not mind connections that have gone meanwhile, and does not count them", () =>
    withTable(async ({ tracker, put }) => {
      await put(manyEntries(4, 6));
      const [first, second, ...rest] = await tracker.list(4);
      if (first === undefined || second === undefined) throw new Error("connections were put in");
      expect(await tracker.delete([first, second])).toBe(2);
      expect(await tracker.delete([second])).toBe(0);
      expect(await tracker.delete([first, ...rest, second])).toBe(rest.length);
      expect(await tracker.list(4)).toEqual([]);
      expect(await tracker.delete([])).toBe(0);
    }));

  it("refuses to list or delete after its end", () =>
    withTable(async ({ tracker, put }) => {
      await put(manyEntries(4, 1));
      const connections = await tracker.list(4);
      tracker.close();
      await expect(tracker.list(4)).rejects.toMatchObject({ name: "ConnectionTrackerError", kind: "failed" });
      await expect(tracker.delete(connections)).rejects.toMatchObject({ name: "ConnectionTrackerError" });
    }));
}

/** The entry as connection, for a table in memory. */
export function asConnection(entry: InjectedEntry): Omit<TrackedConnection, "handle"> {
  const hasPorts = entry.icmpType === undefined;
  const [sourcePort, destinationPort] = hasPorts ? [entry.sourcePort, entry.destinationPort] : [0, 0];
  return {
    family: addressFamily(entry.source),
    protocol: entry.protocol,
    original: { source: entry.source, destination: entry.destination, sourcePort, destinationPort },
    reply: {
      source: entry.server ?? entry.destination,
      destination: entry.source,
      sourcePort: entry.serverPort ?? destinationPort,
      destinationPort: sourcePort,
    },
    icmpType: entry.icmpType,
  };
}
