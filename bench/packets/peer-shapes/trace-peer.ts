// Walks a packet through rules in other engines' shapes, as the kernel does, and names the rules that it met.

import { type Packet, TCP, UDP } from "../../../src/backends/packet.ts";
import type { Address } from "../../../src/net/address.ts";
import { blockMembership } from "../../../src/net/block-membership.ts";
import { parseCidr } from "../../../src/net/cidr.ts";
import type { Match, PeerRule, PeerRuleset, PeerSet, Protocol } from "./peer-ruleset.ts";

export interface PeerTrace {
  readonly verdict: "accept" | "drop";
  /** Rules that matched, in order. */
  readonly steps: readonly PeerStep[];
}

export interface PeerStep {
  readonly chain: string;
  /** From 0. */
  readonly ruleIndex: number;
  readonly rule: PeerRule;
}

/** What chains do: `back` to whoever jumped there. */
type Outcome = "accept" | "drop" | "back";

/** Throws for packets that the shapes are not made for: ICMP. */
export function tracePeerRules(ruleset: PeerRuleset, packet: Packet): PeerTrace {
  const walk = new Walk(ruleset, packet);
  const outcome = walk.chain(ruleset.base);
  return { verdict: outcome === "drop" ? "drop" : "accept", steps: walk.steps };
}

class Walk {
  readonly steps: PeerStep[] = [];
  readonly #ruleset: PeerRuleset;
  readonly #packet: Packet;
  #mark = 0;

  constructor(ruleset: PeerRuleset, packet: Packet) {
    this.#ruleset = ruleset;
    this.#packet = packet;
  }

  chain(name: string): Outcome {
    const rules = this.#ruleset.chains.get(name);
    if (rules === undefined) throw new Error(`no chain ${name}`);
    for (const [ruleIndex, rule] of rules.entries()) {
      if (!rule.matches.every((match) => this.#matches(match))) continue;
      this.steps.push({ chain: name, ruleIndex, rule });
      const outcome = this.#act(rule);
      if (outcome !== undefined) return outcome;
    }
    return "back";
  }

  /** undefined: on to the next rule. */
  #act({ actions }: PeerRule): Outcome | undefined {
    for (const action of actions) {
      switch (action.kind) {
        case "accept":
        case "drop":
          return action.kind;
        case "return":
          return "back";
        case "log":
          break;
        case "mark":
          this.#mark = ((this.#mark & ~action.mask) ^ action.value) >>> 0;
          break;
        case "goto":
          return this.chain(action.chain);
        case "goto by link": {
          const map = this.#ruleset.maps.find(({ name }) => name === action.map);
          const chain = map?.chains.get(this.#link(action.way) ?? "");
          if (chain !== undefined) return this.chain(chain);
          break;
        }
        case "jump": {
          const outcome = this.chain(action.chain);
          if (outcome !== "back") return outcome;
        }
      }
    }
    return undefined;
  }

  #matches(match: Match): boolean {
    const packet = this.#packet;
    switch (match.kind) {
      case "connection":
        return match.states.some((state) => state === packet.state);
      case "mark":
        return ((this.#mark & match.mask) >>> 0 === match.value) !== match.negated;
      case "block":
        return inBlocks([match.cidr], this.#address(match.side));
      case "set":
        return isMember(this.#set(match.name), this.#address(match.side));
      case "protocol":
        return match.number === packet.protocol;
      case "port":
        return numberOf(match.protocol) === packet.protocol && match.port === packet.destinationPort;
      case "ports": {
        const port = packet.destinationPort ?? Number.NaN;
        return match.ranges.some(({ first, last }) => first <= port && port <= last);
      }
      case "icmp":
        if (packet.destinationPort === undefined) throw new Error("no packets without ports are traced");
        return false;
      case "link": {
        const link = this.#link(match.way);
        return link !== undefined && (match.isPrefix ? link.startsWith(match.name) : link === match.name);
      }
      case "from node":
        return packet.sourceIsLocal;
      case "bridged":
        return this.#ruleset.isBridged;
      case "limit":
        return true;
    }
  }

  #address(side: "src" | "dst"): Address {
    return side === "src" ? this.#packet.source : this.#packet.destination;
  }

  #link(way: "in" | "out"): string | undefined {
    return this.#ruleset.links.get(way === "in" ? this.#packet.source : this.#packet.destination);
  }

  #set(name: string): PeerSet {
    const set = this.#ruleset.sets.find((each) => each.name === name);
    if (set === undefined) throw new Error(`no set ${name}`);
    return set;
  }
}

function isMember({ kind, elements, excepts }: PeerSet, address: Address): boolean {
  if (elements.includes(address)) return true;
  return kind === "blocks" && inBlocks(elements, address) && !inBlocks(excepts, address);
}

function inBlocks(elements: readonly string[], address: Address): boolean {
  const blocks = elements.flatMap((element) => parseCidr(element)?.block ?? []);
  return blockMembership(blocks)(address);
}

function numberOf(protocol: Protocol): number {
  return protocol === "tcp" ? TCP : UDP;
}
