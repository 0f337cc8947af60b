// Short constructors for rules, so that the compiler reads like iptables.

import { type CidrBlock, parseCidr } from "../../net/cidr.ts";
import { type Chain, MATCH_ORDER, type Match, type Ports, type Protocol, type Rule, type Target } from "./ruleset.ts";

/** The matches may come in any order. */
export function rule(matches: readonly Match[], target: Target, comment?: string): Rule {
  return { matches: inOrder(matches), target, comment };
}

/** As rules hold them. Stable: several sets stay as they are. */
export function inOrder(matches: readonly Match[]): readonly Match[] {
  return [...matches].sort((a, b) => MATCH_ORDER.indexOf(a.kind) - MATCH_ORDER.indexOf(b.kind));
}

export function chain(name: string, rules: readonly Rule[]): Chain {
  return { name, rules };
}

export const RETURN: Target = { kind: "return" };
export const DROP: Target = { kind: "drop" };

export function jump(name: string): Target {
  return { kind: "jump", chain: name };
}

export function goto(name: string): Target {
  return { kind: "goto", chain: name };
}

/** Which end of the packet. */
export type Side = "src" | "dst";

export function inBlock(side: Side, block: CidrBlock): Match {
  return { kind: side === "src" ? "source" : "destination", block };
}

/** `text` is a constant of ours. */
export function inConstantBlock(side: Side, text: string): Match {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`${text} is no block`);
  return inBlock(side, parsed.block);
}

export function inSet(set: string, ...sides: readonly Side[]): Match {
  return { kind: "set", set, sides, negated: false };
}

export function notInSet(set: string, ...sides: readonly Side[]): Match {
  return { kind: "set", set, sides, negated: true };
}

export function protocol(name: Protocol): Match {
  return { kind: "protocol", protocol: name };
}

export function destinationPorts(ports: readonly Ports[]): Match {
  return { kind: "destination-ports", ports };
}

export function singlePorts(ports: readonly number[]): Ports[] {
  return ports.map((port) => ({ first: port, last: port }));
}

export function sideWord(direction: "egress" | "ingress", of: "subject" | "peer"): Side {
  return (direction === "egress") === (of === "subject") ? "src" : "dst";
}
