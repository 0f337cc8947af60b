// The look-up by port, walked for every port that could make a difference: it finds what asking one group after the other would find.

import { describe, expect, it } from "vitest";
import { type Address, parseAddress } from "../../net/address.ts";
import { parseCidr } from "../../net/cidr.ts";
import type { AddressMatch, ClassId, PolicyClass, PortGroup, PortRange, RuleRun } from "../../program/program.ts";
import { firstPacket } from "../packet.ts";
import { chain, DROP, jump, RETURN, rule } from "./build.ts";
import { MAX_CHAIN_NAME } from "./names.ts";
import { portTree } from "./port-tree.ts";
import { tracePacket } from "./trace.ts";

const ID = "ingress4_web_aaaaaaaaaaaaaaaa" as ClassId;
const ANY: AddressMatch = { any: true, sets: [], blocks: [] };
const address = (text: string) => parseAddress(text)?.address as Address;
const blocks = (...texts: readonly string[]): AddressMatch => ({
  any: false,
  sets: [],
  blocks: texts.flatMap((text) => parseCidr(text)?.block ?? []),
});

const tcp = (first: number, last = first): PortRange => ({ protocol: "TCP", first, last });
const udp = (first: number, last = first): PortRange => ({ protocol: "UDP", first, last });
const group = (name: string, ports: readonly PortRange[], peers = ANY): PortGroup => ({
  ports,
  peers,
  origins: [name],
});

function rulesOf(groups: readonly PortGroup[]) {
  const run: RuleRun = {
    action: "allow",
    matchesEverything: false,
    anyPort: undefined,
    ports: groups,
    disjoint: true,
    namedDestinations: undefined,
    origins: [],
  };
  const policyClass: PolicyClass = { id: ID, direction: "ingress", family: 4, policies: [], sections: [] };
  const rest = [rule([], DROP, "rest")];
  const { rules, chains } = portTree("namespace", run, RETURN, rest, policyClass, new Map());
  const section = chain("NFTPOL-X", [...rules, ...rest]);
  const all = [chain("FORWARD", [rule([], jump(section.name))]), section, ...chains];
  return {
    section,
    chains,
    ruleset: { chains: { 4: new Map(all.map((each) => [each.name, each])), 6: new Map() }, sets: new Map() },
  };
}

/** The comment of the rule that decides, and how many rules were asked. */
function decide(
  { ruleset }: ReturnType<typeof rulesOf>,
  source: string,
  protocol: "TCP" | "UDP" | "SCTP",
  port: number,
) {
  const ends = { source: address(source), destination: address("10.2.0.1") };
  const packet = firstPacket({ ...ends, traffic: { kind: "ports", protocol, port } }, "forward", false);
  const { steps } = tracePacket(ruleset, packet);
  const last = new Map(steps.slice(1).map(({ chain: name, ruleIndex }) => [name, ruleIndex + 1]));
  return { by: steps.at(-1)?.rule.comment, asked: [...last.values()].reduce((sum, count) => sum + count, 0) };
}

const inOrder = (groups: readonly PortGroup[], source: string, protocol: string, port: number) =>
  groups.find(
    ({ ports, peers }) =>
      (peers.any || source.startsWith("192.0.2.")) &&
      ports.some((range) => range.protocol === protocol && range.first <= port && port <= range.last),
  )?.origins[0] ?? "rest";

/** Disjoint, with gaps; every third with peers that take two rules. */
function manyGroups(count: number): PortGroup[] {
  return Array.from({ length: count }, (_, index) =>
    group(
      `group ${index}`,
      [
        tcp(10 * index + 1, 10 * index + (index % 2 === 0 ? 1 : 5)),
        ...(index % 4 === 0 ? [udp(7 * index, 7 * index + 3)] : []),
      ],
      index % 3 === 0 ? blocks("192.0.2.0/25", "192.0.2.128/26", "192.0.2.192/26") : ANY,
    ),
  );
}

describe.each([1, 3, 8, 9, 40, 200, 1000])("of %i groups", (count) => {
  const groups = manyGroups(count);
  const made = rulesOf(groups);
  const edges = groups.flatMap(({ ports }) => ports.flatMap(({ first, last }) => [first - 1, first, last, last + 1]));

  it("finds the group that decides, for every protocol, port and peer", () => {
    for (const port of new Set([...edges, 0, 65535].filter((each) => each >= 0))) {
      for (const protocol of ["TCP", "UDP", "SCTP"] as const) {
        for (const source of ["192.0.2.200", "198.51.100.1"]) {
          const { by } = decide(made, source, protocol, port);
          expect({ source, protocol, port, by }).toEqual({
            source,
            protocol,
            port,
            by: inOrder(groups, source, protocol, port),
          });
        }
      }
    }
  });

  it("asks few rules", () => {
    const pieces = groups.flatMap(({ ports }) => ports).length;
    const most = pieces <= 8 ? pieces + 4 : 2 * Math.sqrt(pieces) + 16;
    for (const port of edges.filter((each) => each >= 0))
      expect(decide(made, "192.0.2.200", "TCP", port).asked).toBeLessThanOrEqual(most);
  });

  it("has names that the kernel takes, each once", () => {
    const names = made.chains.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(MAX_CHAIN_NAME);
  });
});

it("few ranges with one rule each need no further chain", () => {
  expect(rulesOf([group("a", [tcp(80), udp(53)]), group("b", [tcp(443)])]).chains).toEqual([]);
});

it("a whole protocol is asked for without ports", () => {
  const made = rulesOf([group("a", [tcp(0, 65535)]), group("b", [udp(53)])]);
  expect(made.section.rules.map(({ matches }) => matches.map(({ kind }) => kind))).toEqual([
    ["protocol"],
    ["protocol", "destination-ports"],
    [],
  ]);
  expect(decide(made, "198.51.100.1", "TCP", 7).by).toBe("a");
});
