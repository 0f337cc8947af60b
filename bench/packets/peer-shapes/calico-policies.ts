// Policies in Calico's shape: a chain of rules for each, and the sets that those look up. The facts, from its source (2026, felix/rules/
// policy.go): an allowing rule marks and returns, a denying one marks and drops; the last rule's return is left out
// (CombineMatchAndActionsForProtoRule, ProtoRulesToIptablesRules). Protocol, addresses, then at most 15 ports in one comparison; more
// ports, or blocks with exceptions, are rules of their own before, which leave their answer in the mark (ProtoRuleToIptablesRules,
// SplitPortList, matchBlockBuilder). One rule for each peer and protocol, with ports that follow each other as ranges
// (libcalico-go/lib/backend/k8s/conversion/conversion.go k8sRuleToCalico, SimplifyPorts). Every selector's set may hold blocks
// (felix/calc/rule_scanner.go DataplaneProtocolType), and equal selectors share one.

import { PROTOCOL_NUMBER } from "../../../src/model/flow.ts";
import { addressFamily, type Family } from "../../../src/net/address.ts";
import type { ResolvedRule } from "./node-policies.ts";
import {
  clearMark,
  DROP,
  inSet,
  type Match,
  marked,
  type PeerRule,
  type PeerSet,
  type PortRange,
  type Protocol,
  RETURN,
  rule,
  setMark,
} from "./peer-ruleset.ts";

export const MARK = {
  accept: 0x10000,
  pass: 0x20000,
  /** All of a rule's comparisons that were made before it. */
  allMatch: 0x40000,
  scratch: 0x80000,
  drop: 0x100000,
} as const;

/** The hash of each rule is one. */
export const HASHED = { comments: 1 };

const MOST_PORTS = 15;

export interface CalicoRule extends ResolvedRule {
  readonly action: "Accept" | "Deny" | "Pass";
  readonly origin: string;
}

/** The sets of all rules that were made with it. */
export class SelectorSets {
  readonly #family: Family;
  readonly #byMembers = new Map<string, PeerSet>();

  constructor(family: Family) {
    this.#family = family;
  }

  get all(): PeerSet[] {
    return [...this.#byMembers.values()];
  }

  /** Of these members, the same for the same ones. */
  named(addresses: ResolvedRule["addresses"]): string {
    const key = addresses.join();
    const known = this.#byMembers.get(key);
    if (known !== undefined) return known.name;
    const elements = addresses.filter((address) => addressFamily(address) === this.#family);
    const name = `cali${this.#family}0s-${this.#byMembers.size}`;
    this.#byMembers.set(key, { name, kind: "blocks", elements, excepts: [] });
    return name;
  }
}

/** The chain of a policy. */
export function policyRules(rules: readonly CalicoRule[], sets: SelectorSets, family: Family): PeerRule[] {
  const all = rules.flatMap((each) => peerRules(each, sets, family));
  const last = all.at(-1);
  return last?.actions[0]?.kind === "return" ? all.slice(0, -1) : all;
}

interface Block {
  readonly cidr: string;
  readonly excepts: readonly string[];
}

function peerRules(each: CalicoRule, sets: SelectorSets, family: Family): PeerRule[] {
  const blocks = each.blocks.filter(({ cidr }) => cidr.includes(":") === (family === 6));
  const hasPods = each.addresses.length > 0 || each.blocks.length === 0;
  return byProtocol(each).flatMap((ports) => [
    ...(hasPods ? matchingRules(each, inSet("src", sets.named(each.addresses)), [], ports) : []),
    ...blocks.flatMap(({ cidr, excepts }: Block) =>
      matchingRules(each, { kind: "block", side: "src", cidr }, excepts, ports),
    ),
  ]);
}

/** undefined: all ports of all protocols. */
type Ports = { readonly protocol: Protocol; readonly ranges: readonly PortRange[] } | undefined;

function byProtocol({ ports }: ResolvedRule): Ports[] {
  if (ports.length === 0) return [undefined];
  return (["tcp", "udp"] as const).flatMap((protocol) => {
    const numbers = ports.filter((each) => each.protocol === protocol).map(({ port }) => port);
    return numbers.length === 0 ? [] : [{ protocol, ranges: portRanges(numbers) }];
  });
}

export function portRanges(numbers: readonly number[]): PortRange[] {
  const ranges: { first: number; last: number }[] = [];
  for (const port of [...new Set(numbers)].sort((a, b) => a - b)) {
    const before = ranges.at(-1);
    if (before !== undefined && port === before.last + 1) before.last = port;
    else ranges.push({ first: port, last: port });
  }
  return ranges;
}

/** Parts that one comparison can hold: a range takes the room of two ports. */
export function portParts(ranges: readonly PortRange[]): PortRange[][] {
  const parts: PortRange[][] = [];
  let room = 0;
  for (const range of ranges) {
    const needed = range.first === range.last ? 1 : 2;
    if (room < needed) {
      parts.push([]);
      room = MOST_PORTS;
    }
    parts.at(-1)?.push(range);
    room -= needed;
  }
  return parts;
}

function matchingRules(each: CalicoRule, source: Match, excepts: readonly string[], ports: Ports): PeerRule[] {
  const protocol: Match[] = ports === undefined ? [] : [{ kind: "protocol", number: numberOf(ports.protocol) }];
  const parts: Match[] =
    ports === undefined
      ? []
      : portParts(ports.ranges).map((ranges) => ({ kind: "ports", protocol: ports.protocol, ranges }));
  const portsBefore = parts.length > 1 ? parts : [];
  const isAskedBefore = portsBefore.length > 0 || excepts.length > 0;
  const before = isAskedBefore
    ? [
        rule([], firstAnswer(portsBefore.length === 0), HASHED),
        ...portsBefore.map((part) => rule([...protocol, part], setMark(MARK.allMatch), HASHED)),
        ...excepts.map((cidr) => rule([{ kind: "block", side: "src", cidr }], clearMark(MARK.allMatch), HASHED)),
      ]
    : [];
  const matches = [
    ...protocol,
    source,
    ...(parts.length > 1 ? [] : parts),
    ...(isAskedBefore ? [marked(MARK.allMatch)] : []),
  ];
  return [...before, ...doneRules(matches, each)];
}

function firstAnswer(isYes: boolean) {
  return { kind: "mark", mask: MARK.allMatch | MARK.scratch, value: isYes ? MARK.allMatch : 0 } as const;
}

function doneRules(matches: readonly Match[], { action, origin }: CalicoRule): PeerRule[] {
  const mark = { Accept: MARK.accept, Pass: MARK.pass, Deny: MARK.drop }[action];
  return [
    rule(matches, setMark(mark), { ...HASHED, origin }),
    rule([marked(mark)], action === "Deny" ? DROP : RETURN, HASHED),
  ];
}

function numberOf(protocol: Protocol): number {
  return protocol === "tcp" ? PROTOCOL_NUMBER.TCP : PROTOCOL_NUMBER.UDP;
}
