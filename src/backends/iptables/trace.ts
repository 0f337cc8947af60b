// Walks a packet through our chains, as the kernel does, and names the rules that it met.

import { Untraceable } from "../node-rules.ts";
import type { Hook, Packet } from "../packet.ts";
import { passes } from "./lookup.ts";
import type { BuiltInChain, Chain, ChainsOfFamily, IptablesRuleset, Rule } from "./ruleset.ts";

export interface Trace {
  /** Dropped by us; or left to whatever rules stand behind ours. */
  readonly verdict: "accept" | "drop";
  /** Rules that matched, in order; the last one decided, unless the built-in chain's end was reached (then `byPolicy`). */
  readonly steps: readonly TraceStep[];
  readonly byPolicy: boolean;
}

export interface TraceStep {
  readonly chain: string;
  /** From 0. */
  readonly ruleIndex: number;
  readonly rule: Rule;
}

export const CHAIN_OF_HOOK: Readonly<Record<Hook, BuiltInChain>> = {
  forward: "FORWARD",
  input: "INPUT",
  output: "OUTPUT",
};

interface Position {
  readonly chain: Chain;
  readonly next: number;
}

/** What our chains do to a packet. Throws Untraceable for what it does not model: then nothing can be said of the packet. */
export function tracePacket({ chains, sets }: IptablesRuleset, packet: Packet): Trace {
  const own = chains[packet.family];
  const steps: TraceStep[] = [];
  const base = own.get(CHAIN_OF_HOOK[packet.hook]);
  const stack: Position[] = [];
  let position: Position | undefined = base && { chain: base, next: 0 };
  let moves = 0;
  while (position !== undefined) {
    const { chain, next }: Position = position;
    const rule = chain.rules[next];
    if (rule === undefined) {
      position = stack.pop();
      continue;
    }
    position = { chain, next: next + 1 };
    if (!rule.matches.every((match) => passes(match, packet, sets))) continue;
    steps.push({ chain: chain.name, ruleIndex: next, rule });
    const { target } = rule;
    if (target.kind !== "log" && rule.matches.at(-1)?.kind === "limit")
      throw new Untraceable(`rule ${next + 1} of ${chain.name} decides about so many packets a second only`);
    if (target.kind === "drop") return { verdict: "drop", steps, byPolicy: false };
    if (target.kind === "log") continue;
    if (target.kind === "return") {
      position = stack.pop();
      continue;
    }
    if (target.kind === "jump") stack.push(position);
    if (++moves > own.size * own.size) throw new Untraceable("chains without end");
    position = { chain: chainNamed(own, target.chain), next: 0 };
  }
  return { verdict: "accept", steps, byPolicy: true };
}

function chainNamed(chains: ChainsOfFamily, name: string): Chain {
  const chain = chains.get(name);
  if (chain === undefined) throw new Untraceable(`chain ${name} does not exist`);
  return chain;
}
