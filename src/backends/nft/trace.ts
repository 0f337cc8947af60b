// Walks a packet through a ruleset, as the kernel does, and names the rules that it met.

import { Untraceable } from "../node-rules.ts";
import type { Hook, Packet } from "../packet.ts";
import { findElement, keyOf, matchesElement, matchesWords } from "./lookup.ts";
import type { Chain, NamedSet, Rule, Ruleset, Statement, Verdict, VerdictMap } from "./ruleset.ts";

export interface Trace {
  readonly verdict: "accept" | "drop";
  /** Rules that matched, in order; the last one decided, unless the chain's policy did (then `byPolicy`). */
  readonly steps: readonly TraceStep[];
  readonly byPolicy: boolean;
}

export interface TraceStep {
  readonly chain: string;
  /** From 0. */
  readonly ruleIndex: number;
  readonly rule: Rule;
  /** The element of the map that gave the verdict, where a map did. */
  readonly element: string | undefined;
  readonly verdict: Verdict | undefined;
}

/** The kernel's limit (NFT_JUMP_STACK_SIZE). */
const MAX_DEPTH = 16;

/**
 * What the table does to a packet. A hook without a chain accepts. Throws Untraceable for what it does not model:
 * then nothing can be said of the packet.
 */
export function tracePacket(ruleset: Ruleset, packet: Packet): Trace {
  return traceFrom(ruleset, hookChains(ruleset, packet.hook)[0], packet);
}

/** Cost: all chains of the table. */
export function hookChains(ruleset: Ruleset, hook: Hook): Chain[] {
  return [...ruleset.chains.values()].filter((chain) => chain.hook?.name === hook);
}

/** The same for whoever knows the chain of the packet's hook. */
export function traceFrom(ruleset: Ruleset, base: Chain | undefined, packet: Packet): Trace {
  if (base === undefined) return { verdict: "accept", steps: [], byPolicy: true };
  const steps: TraceStep[] = [];
  const verdict = walk(ruleset, packet, base, steps);
  return verdict === undefined ? { verdict: "accept", steps, byPolicy: true } : { verdict, steps, byPolicy: false };
}

interface Position {
  readonly chain: Chain;
  readonly next: number;
}

/** undefined: the end of the base chain was reached. */
function walk(ruleset: Ruleset, packet: Packet, base: Chain, steps: TraceStep[]): "accept" | "drop" | undefined {
  const stack: Position[] = [];
  let position: Position | undefined = { chain: base, next: 0 };
  let moves = 0;
  while (position !== undefined) {
    const { chain, next }: Position = position;
    const rule = chain.rules[next];
    if (rule === undefined) {
      position = stack.pop();
      continue;
    }
    position = { chain, next: next + 1 };
    const outcome = applyRule(ruleset, packet, rule);
    if (outcome === undefined) continue;
    const { verdict, element } = outcome;
    steps.push({ chain: chain.name, ruleIndex: next, rule, element, verdict });
    if (verdict === undefined) continue;
    if (verdict.kind === "accept" || verdict.kind === "drop") return verdict.kind;
    if (!("chain" in verdict)) {
      position = stack.pop();
      continue;
    }
    if (verdict.kind === "jump") stack.push(position);
    if (stack.length > MAX_DEPTH || ++moves > ruleset.chains.size * MAX_DEPTH)
      throw new Untraceable("chains without end");
    position = { chain: chainNamed(ruleset, verdict.chain), next: 0 };
  }
  return undefined;
}

function chainNamed(ruleset: Ruleset, name: string): Chain {
  const chain = ruleset.chains.get(name);
  if (chain === undefined) throw new Untraceable(`chain ${name} does not exist`);
  return chain;
}

interface Outcome {
  readonly verdict: Verdict | undefined;
  readonly element: string | undefined;
}

/** undefined: the rule does not match. A rule that matches and gives no verdict lets the packet go on. */
function applyRule(ruleset: Ruleset, packet: Packet, rule: Rule): Outcome | undefined {
  for (const statement of rule.statements) {
    switch (statement.kind) {
      case "match":
        if (!matches(ruleset, packet, statement)) return undefined;
        break;
      case "vmap": {
        const found = lookUpVerdict(ruleset, packet, statement);
        if (found === undefined) return undefined;
        return found;
      }
      case "verdict":
        return { verdict: statement.verdict, element: undefined };
      case "counter":
      case "log":
      case "limit":
        break;
    }
  }
  return { verdict: undefined, element: undefined };
}

function matches(ruleset: Ruleset, packet: Packet, { left, operator, right }: Statement & { kind: "match" }): boolean {
  const key = keyOf(left, packet);
  if (key === undefined) return false;
  const found =
    right.kind === "set"
      ? findElement(setNamed(ruleset, right.name), key) !== undefined
      : matchesWords(left, key, right.values);
  return operator === "==" ? found : !found;
}

function lookUpVerdict(
  ruleset: Ruleset,
  packet: Packet,
  { key: expression, map }: Statement & { kind: "vmap" },
): Outcome | undefined {
  const key = keyOf(expression, packet);
  if (key === undefined) return undefined;
  if (map.kind === "values") {
    const entry = map.entries.find(({ element }) => matchesElement(key, element));
    return entry === undefined ? undefined : { verdict: entry.verdict, element: entry.element };
  }
  const named = setNamed(ruleset, map.name);
  if (named.kind !== "map") throw new Untraceable(`${map.name} is no map`);
  const element = findElement(named, key);
  return element === undefined ? undefined : { verdict: named.elements.get(element), element };
}

function setNamed(ruleset: Ruleset, name: string): NamedSet | VerdictMap {
  const set = ruleset.sets.get(name);
  if (set === undefined) throw new Untraceable(`set ${name} does not exist`);
  return set;
}
