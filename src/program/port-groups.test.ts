// Grouped ports mean the same as the entries they come from: checked port by port against the entries themselves.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PortProtocol } from "../model/cluster.ts";
import type { AddressUnion } from "./address-union.ts";
import { type GroupedPorts, groupPorts, MAX_INLINE_GROUPS, type PortEntry } from "./port-groups.ts";

/** The union of single addresses, by number. */
function addresses(values: readonly number[], origins: readonly string[] = ["x/p[0]"]): AddressUnion {
  const ranges = [...new Set(values)]
    .sort((a, b) => a - b)
    .map((value) => ({ first: BigInt(value), last: BigInt(value) }));
  return { any: false, queries: new Map(), nodes: new Map(), ranges, origins };
}

const entry = (protocol: PortProtocol, first: number, last: number, ...values: number[]): PortEntry => ({
  range: { protocol, first, last },
  union: addresses(values),
});

const holds = (union: AddressUnion, value: number) =>
  union.any || union.ranges.some(({ first, last }) => first <= BigInt(value) && BigInt(value) <= last);

const covers = (range: { protocol: PortProtocol; first: number; last: number }, protocol: PortProtocol, port: number) =>
  range.protocol === protocol && range.first <= port && port <= range.last;

/** As the compiled rules decide: any group for inline groups, the one group of the port for disjoint ones. */
function allows(grouped: GroupedPorts, protocol: PortProtocol, port: number, value: number): boolean {
  const groups = grouped.groups.filter((group) => group.ports.some((range) => covers(range, protocol, port)));
  if (grouped.disjoint) expect(groups.length).toBeLessThanOrEqual(1);
  return groups.some((group) => holds(group.union, value));
}

const MAX_PORT = 14;
const anyEntry: fc.Arbitrary<PortEntry> = fc
  .record({
    protocol: fc.constantFrom<PortProtocol>("TCP", "UDP", "SCTP"),
    first: fc.integer({ min: 0, max: MAX_PORT }),
    more: fc.integer({ min: 0, max: 5 }),
    values: fc.array(fc.constantFrom(10, 20, 30, 40, 50), { maxLength: 3 }),
  })
  .map(({ protocol, first, more, values }) => entry(protocol, first, Math.min(first + more, MAX_PORT), ...values));

describe("groups", () => {
  it("allow exactly what their entries allow, whatever the order of the entries", () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 9 }), (entries) => {
        const grouped = groupPorts(4, entries);
        expect(groupPorts(4, [...entries].reverse())).toEqual(grouped);
        for (const protocol of ["TCP", "UDP", "SCTP"] as const) {
          for (let port = 0; port <= MAX_PORT; port++) {
            for (const value of [10, 20, 30, 40, 50]) {
              const expected = entries.some(({ range, union }) => covers(range, protocol, port) && holds(union, value));
              expect(allows(grouped, protocol, port, value)).toBe(expected);
            }
          }
        }
      }),
      { seed: 1, numRuns: 150 },
    );
  });

  it("stay as written while they are few", () => {
    const entries = [entry("TCP", 80, 90, 10), entry("TCP", 85, 95, 20), entry("UDP", 53, 53, 30)];
    expect(entries).toHaveLength(MAX_INLINE_GROUPS);
    expect(groupPorts(4, entries)).toMatchObject({ disjoint: false, groups: [{}, {}, {}] });
  });

  it("are cut into disjoint pieces when they are many", () => {
    const entries = [
      entry("TCP", 80, 90, 10),
      entry("TCP", 85, 95, 20),
      entry("UDP", 53, 53, 30),
      entry("SCTP", 1, 1, 40),
    ];
    const { groups, disjoint } = groupPorts(4, entries);
    expect(disjoint).toBe(true);
    const texts = groups.flatMap(({ ports }) => ports.map((range) => `${range.protocol} ${range.first}-${range.last}`));
    expect(texts).toEqual(["TCP 80-84", "TCP 85-90", "TCP 91-95", "UDP 53-53", "SCTP 1-1"]);
  });

  it.each<[string, PortEntry[], string[]]>([
    [
      "neighbouring ports with equal peers become one range",
      [entry("TCP", 80, 80, 1), entry("TCP", 81, 90, 1)],
      ["80-90"],
    ],
    [
      "overlapping ranges with equal peers become one range",
      [entry("TCP", 80, 85, 1), entry("TCP", 83, 90, 1)],
      ["80-90"],
    ],
    [
      "equal ranges with different peers unite their peers",
      [entry("TCP", 80, 80, 1), entry("TCP", 80, 80, 2)],
      ["80-80"],
    ],
    ["entries without peers are left out", [entry("TCP", 80, 80)], []],
    ["no entries are no groups", [], []],
    ["ranges with a gap stay two", [entry("TCP", 80, 80, 1), entry("TCP", 82, 82, 1)], ["80-80", "82-82"]],
  ])("%s", (_, entries, expected) => {
    const { groups } = groupPorts(4, entries);
    expect(groups.flatMap(({ ports }) => ports.map(({ first, last }) => `${first}-${last}`))).toEqual(expected);
  });

  it("name the rules of all their entries, once and sorted", () => {
    const entries = ["b", "a", "b"].map((name) => ({
      range: { protocol: "TCP" as const, first: 1, last: 1 },
      union: addresses([1], [name]),
    }));
    expect(groupPorts(4, entries).groups[0]?.union.origins).toEqual(["a", "b"]);
  });
});
