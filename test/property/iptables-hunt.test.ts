// Damage that nobody thought of: random lines of rules and sets of random clusters are changed in every way that their words allow. If
// any of many packets then meets another verdict, the prover must not call the rules equal. The packets share nothing with the
// prover's own cutting into classes.

import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { iptablesRules } from "../../src/backends/iptables/provable-rules.ts";
import { firstPacket, type Packet } from "../../src/backends/packet.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import type { Traffic } from "../../src/model/flow.ts";
import { type Address, addressFamily, parseAddress } from "../../src/net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../src/program/program.ts";
import { proveNode } from "../../src/prove/prove.ts";
import { foundIn, type SavedLines, savedLines } from "../support/damaged-iptables.ts";
import { checkProperty } from "../support/property.ts";
import { cluster, crowdedCluster, NODES, storeOf, toYaml } from "../support/random-cluster.ts";

/** One rule as others would have it; several where it has several places to change. */
function changedRules(rule: string, chains: readonly string[]): string[] {
  const replaced = (pattern: RegExp, change: (found: string, ...groups: string[]) => string) =>
    [...rule.matchAll(pattern)].map((found) => {
      const [text, ...groups] = found;
      return rule.slice(0, found.index) + change(text, ...groups) + rule.slice(found.index + text.length);
    });
  return [
    ...replaced(/-j (?=NFTPOL)/g, () => "-g "),
    ...replaced(/-g /g, () => "-j "),
    ...replaced(/-j RETURN/g, () => "-j DROP"),
    ...replaced(/-j DROP/g, () => "-j RETURN"),
    ...chains.flatMap((chain) => replaced(/(-[jg]) NFTPOL-\S+/g, (_, option) => `${option} ${chain}`)),
    ...replaced(/ src /g, () => " dst "),
    ...replaced(/ dst /g, () => " src "),
    ...replaced(/(! )?--match-set/g, (text) => (text.startsWith("!") ? "--match-set" : "! --match-set")),
    ...replaced(/-m set (! )?--match-set \S+ \S+ /g, () => ""),
    ...replaced(/-p (tcp|udp|sctp) (-m \1 --dport \S+ |-m multiport --dports \S+ )?/g, () => ""),
    ...replaced(/(?<=--dports? (?:\d+[,:])*)\d+/g, (port) => String(Math.min(Number(port) + 1, 65535))),
    ...replaced(/(?<=--dports? (?:\d+[,:])*)\d+/g, (port) => String(Math.max(Number(port) - 1, 0))),
    ...replaced(/-(p|m) udp/g, (_, option) => `-${option} tcp`).map((text) => text.replace("-m udp", "-m tcp")),
    ...replaced(/-[sd] \S+ /g, () => ""),
    ...replaced(/(-[sd] \S+)\/(\d+)/g, (_, block, bits) => `${block}/${Math.max(Number(bits) - 1, 1)}`),
    ...replaced(/-([sd]) (?=\d|\w+:)/g, (_, side) => (side === "s" ? "-d " : "-s ")),
    ...replaced(/--ctstate RELATED,ESTABLISHED/g, () => "--ctstate RELATED"),
    ...replaced(/--icmpv6-type \d+/g, () => "--icmpv6-type 128"),
    ...replaced(/--sport 67/g, () => "--sport 53"),
  ];
}

/** Every way to damage one line; `at` chooses the line, `way` the way. */
function damaged(saved: SavedLines, family: 4 | 6, at: number, way: number): SavedLines | undefined {
  const lines = saved[family];
  const rules = lines.flatMap((text, index) => (text.startsWith("-A ") ? [index] : []));
  const index = rules[at % rules.length];
  if (index === undefined) return undefined;
  const rule = lines[index] as string;
  const next = lines[index + 1];
  const chain = rule.split(" ")[1];
  const chains = lines.filter((text) => text.startsWith(":")).map((text) => text.slice(1).split(" ")[0] as string);
  const results = [
    lines.toSpliced(index, 1),
    ...(next?.startsWith(`-A ${chain} `) ? [lines.with(index, next).with(index + 1, rule)] : []),
    ...["-j RETURN", "-j DROP"].map((verdict) => lines.toSpliced(index, 0, `-A ${chain} ${verdict}`)),
    ...changedRules(rule, chains).map((text) => lines.with(index, text)),
  ];
  return { ...saved, [family]: results[way % results.length] };
}

/** An element more, or one less, in one set. */
function damagedSet(saved: SavedLines, at: number, way: number): SavedLines {
  const index = at % saved.sets.length;
  const [command, name, word = ""] = (saved.sets[index] as string).split(" ");
  if (command === "add") return { ...saved, sets: saved.sets.toSpliced(index, 1) };
  const own = (saved.sets[index] as string).includes("inet6 ") ? IPV6 : IPV4;
  const address = own[way % own.length] as string;
  const element = word === "hash:ip,port" ? `${address},tcp:80` : address;
  return { ...saved, sets: [...saved.sets, `add ${name} ${element}`] };
}

const addresses = (...texts: readonly string[]) => texts.map((text) => parseAddress(text)?.address as Address);
const IPV4 = addresses(
  ...["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.1.1", "10.0.1.2", "10.0.2.9", "192.0.2.7"],
  ...["192.0.2.200", "8.8.8.8", "224.0.0.5", "239.1.1.1", "255.255.255.255"],
);
const IPV6 = addresses("fd00::1", "fd00::2", "fd00::3", "fd00::1:1", "2001:db8::1", "fe80::1", "ff02::1", "ff05::2");
const PORTS = {
  TCP: [0, 52, 53, 54, 59, 60, 61, 79, 80, 81, 82, 83, 99, 100, 101, 443, 444, 8079, 8080, 8081, 65535],
  UDP: [0, 52, 53, 54, 67, 68, 80, 81, 100, 546, 8080],
  SCTP: [0, 53, 80, 100, 8080],
} as const;

const TRAFFIC: readonly Traffic[] = [
  ...(["TCP", "UDP", "SCTP"] as const).flatMap((protocol) =>
    PORTS[protocol].map((port): Traffic => ({ kind: "ports", protocol, port })),
  ),
  { kind: "ports", protocol: "UDP", port: 68, sourcePort: 67 },
  { kind: "ports", protocol: "UDP", port: 546, sourcePort: 547 },
  { kind: "other", protocol: 47 },
];
const ICMPV6: readonly Traffic[] = [128, 134, 135, 143].map(
  (type) => ({ kind: "icmp", protocol: 58, type }) as Traffic,
);

/** Of the node n1. */
const NODE: Readonly<Record<4 | 6, Address>> = { 4: "10.9.0.1" as Address, 6: "fd09::1" as Address };

/** With the node at one end, or between others. */
const PACKETS: readonly Packet[] = [IPV4, IPV6].flatMap((ends) => {
  const forwarded = ends.flatMap((source) => ends.flatMap((destination) => packetsBetween(source, destination)));
  const own = NODE[addressFamily(ends[0] as Address)];
  const received = ends.flatMap((source) => packetsBetween(source, own));
  return [...forwarded, ...received.map((packet) => ({ ...packet, hook: "input" as const }))];
});

function packetsBetween(source: Address, destination: Address): Packet[] {
  const traffic = addressFamily(source) === 6 ? [...TRAFFIC, ...ICMPV6] : TRAFFIC;
  const packets = traffic.map((each) => firstPacket({ source, destination, traffic: each }, "forward", false));
  const [first, ...others] = packets as [Packet, ...Packet[]];
  const middle: Packet = { ...first, tcpFlags: new Set(["ack"]) };
  return [first, ...others, middle, { ...first, state: "established" }, { ...middle, state: "related" }];
}

function changeText(before: SavedLines, after: SavedLines): string {
  const all = ({ 4: four, 6: six, sets }: SavedLines) => [...four, ...six, ...sets];
  const without = (lines: readonly string[], others: readonly string[]) =>
    lines.filter((text) => !others.includes(text));
  return `"${without(all(before), all(after)).join()}" now "${without(all(after), all(before)).join()}"`;
}

function packetText({ hook, source, destination, protocol, destinationPort, state }: Packet): string {
  return `${source} -> ${destination}, protocol ${protocol}, port ${destinationPort}, ${state}, ${hook}`;
}

const input = fc.record({
  objects: fc.oneof(cluster, crowdedCluster),
  strict: fc.boolean(),
  family: fc.constantFrom(4 as const, 4 as const, 4 as const, 6 as const),
  isSet: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  at: fc.nat(10_000),
  way: fc.nat(10_000),
});

test("damage that any of many packets notices is noticed by the prover", () => {
  const told = { equal: 0, different: 0, unknown: 0, notOurs: 0 };
  checkProperty(
    input,
    ({ objects, strict, family, isSet, at, way }) => {
      const options: ProgramOptions = { ...DEFAULT_PROGRAM_OPTIONS, unknownLocalPods: strict ? "drop" : "allow" };
      const store = storeOf(objects);
      const ruleset = compileRuleset(new RuleGraph(store, NODES[0], options).program());
      const saved = savedLines(ruleset);
      const other = (isSet ? damagedSet(saved, at, way) : damaged(saved, family, at, way)) ?? saved;
      const found = foundIn(other);
      if (found.unknown.length > 0) {
        told.notOurs++;
        return;
      }
      const after = iptablesRules(found.ruleset);
      const { outcome } = proveNode(store, NODES[0], after, options);
      told[outcome]++;
      if (outcome !== "equal") return;
      const own = store.nodeAddresses(NODES[0]);
      const before = iptablesRules(ruleset);
      for (const packet of PACKETS) {
        if (packet.hook === "forward" && (own.includes(packet.source) || own.includes(packet.destination))) continue;
        if (after.trace(packet).verdict !== before.trace(packet).verdict)
          expect.unreachable(
            `called equal with ${changeText(saved, other)}: another verdict for ${packetText(packet)}`,
          );
      }
    },
    { runs: 200, print: ({ objects, ...rest }) => `# ${JSON.stringify(rest)}\n${toYaml(objects)}` },
  );
  // Many lines are met by no packet at all: chains of a family without pods, the drop of strict start.
  expect(told.different).toBeGreaterThan(40);
});
