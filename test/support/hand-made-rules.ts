// Rules of no backend, small enough to write by hand: chains over sets of addresses. `forward` is where forwarded packets begin.

import type { AddressTest, ChainFacts, NodeRules, RuleStep, Side } from "../../src/backends/node-rules.ts";
import type { Packet } from "../../src/backends/packet.ts";
import { addressValue, type Family } from "../../src/net/address.ts";
import { type CidrBlock, cidrContains, cidrRange, parseCidr } from "../../src/net/cidr.ts";

export interface HandMadeRule {
  /** Blocks, one of which holds the packet's address; undefined: any address. */
  readonly source?: readonly string[];
  readonly destination?: readonly string[];
  /** Destination port of whatever protocol. */
  readonly port?: number;
  /** Only of what every proof tells apart: states of known connections, first packets of TCP, what stays on a link, DHCP, an address and itself. */
  readonly when?: (packet: Packet) => boolean;
  readonly verdict: "accept" | "drop" | "return" | `jump ${string}` | `goto ${string}`;
}

export type HandMadeChains = Readonly<Record<string, readonly HandMadeRule[]>>;

/** What asks for both addresses and leads to a chain is a link guarded by the source. */
export function handMadeRules(chains: HandMadeChains): NodeRules {
  const rulesOf = (chain: string) => chains[chain] ?? [];
  return {
    language: "hand-made",
    hookChains: (hook) => (hook === "forward" ? ["forward"] : []),
    chainNames: () => Object.keys(chains),
    chainFacts: (chain, family) => factsOf(chain, rulesOf(chain), family),
    addConstants: (chain, _family, constants) => {
      for (const { port } of rulesOf(chain)) if (port !== undefined) constants.addPorts(port, port);
    },
    trace: (packet) => {
      const steps: RuleStep[] = [];
      const verdict = packet.hook === "forward" ? walk(chains, "forward", packet, steps) : undefined;
      return { verdict: verdict ?? "accept", byPolicy: verdict === undefined, steps: () => steps };
    },
  };
}

function factsOf(chain: string, rules: readonly HandMadeRule[], family: Family): ChainFacts {
  const tests: AddressTest[] = [];
  const always: string[] = [];
  for (const [index, rule] of rules.entries()) {
    let target = chainOf(rule);
    for (const side of ["source", "destination"] as const) {
      if (rule[side] === undefined) continue;
      tests.push(
        testOf(
          `${side} of ${chain} ${index}`,
          side,
          rule[side].map(parse).filter((block) => block.family === family),
          target,
        ),
      );
      target = undefined;
    }
    if (target !== undefined) always.push(target);
  }
  return { tests, pairs: [], comparesEnds: false, always };
}

function testOf(id: string, side: Side, blocks: readonly CidrBlock[], target: string | undefined): AddressTest {
  const entries = blocks.map((block) => ({ range: cidrRange(block), answer: "yes", ports: [], target }));
  return { id, side, entries };
}

function chainOf({ verdict }: HandMadeRule): string | undefined {
  return verdict.split(" ")[1];
}

/** undefined: the end of the chain was reached, or a return. */
function walk(chains: HandMadeChains, chain: string, packet: Packet, steps: RuleStep[]): "accept" | "drop" | undefined {
  for (const [ruleIndex, rule] of (chains[chain] ?? []).entries()) {
    if (!matches(rule, packet)) continue;
    steps.push({ chain, ruleIndex, rule: JSON.stringify(rule), element: undefined, verdict: rule.verdict });
    if (rule.verdict === "return") return undefined;
    if (rule.verdict === "accept" || rule.verdict === "drop") return rule.verdict;
    const verdict = walk(chains, chainOf(rule) as string, packet, steps);
    if (verdict !== undefined || rule.verdict.startsWith("goto")) return verdict;
  }
  return undefined;
}

function matches({ source, destination, port, when }: HandMadeRule, packet: Packet): boolean {
  const holds = (blocks: readonly string[] | undefined, side: Side) =>
    blocks === undefined ||
    blocks.some((block) => cidrContains(parse(block), packet.family, addressValue(packet[side])));
  return (
    holds(source, "source") &&
    holds(destination, "destination") &&
    (port === undefined || port === packet.destinationPort) &&
    (when === undefined || when(packet))
  );
}

/** An address is a block, too. */
function parse(text: string): CidrBlock {
  const parsed = parseCidr(text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`);
  if (parsed === undefined) throw new Error(`${text} is no block`);
  return parsed.block;
}
