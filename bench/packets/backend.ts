// What the packet benchmark asks of a backend: rules for a node, loaded there, traced, and counted. Owns the types and the names; our
// backends are nft-rules.ts and iptables-rules.ts, the others have other engines' shapes of rules (peer-shapes/).

import type { Packet } from "../../src/backends/packet.ts";
import type { BenchPolicies } from "./bench-cluster.ts";
import type { Ends, Outcome } from "./variant.ts";

/** The two variants of iptables are two backends here: the kernel asks their rules in different ways. */
export const OUR_BACKENDS = ["nft", "iptables-nft", "iptables-legacy"] as const;
/** Rules that are shaped like theirs, made here: not the products. */
export const PEER_BACKENDS = ["kube-router-nft", "kube-router-iptables", "calico-nft", "calico-iptables"] as const;
export const BACKEND_NAMES = [...OUR_BACKENDS, ...PEER_BACKENDS] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

export interface BenchBackend {
  readonly name: BackendName;
  /** Programs without which nothing can be loaded. */
  readonly programs: readonly string[];
  /** What every rule set has to pay that looks at connections at all: known ones are accepted; where packets are to be denied, all others are dropped. */
  floor(outcome: Outcome): BenchRules;
  /** undefined: rules of this shape have no such policies. */
  compile(policies: BenchPolicies, ends: Ends): BenchRules | undefined;
  /**
   * The same with a rule for each judged pod that leads to its class, one after the other, in place of the way that `compile` takes;
   * undefined: the backend has no use for the comparison.
   */
  readonly compileLinear: BenchBackend["compile"] | undefined;
}

/** Runs a program in the node's namespace. What it printed; rejects where it fails. */
export type RunInNode = (argv: readonly string[], input?: string) => Promise<string>;

/** Rules of one backend, ready to be loaded again and again. */
export interface BenchRules {
  /** These rules and no others. `counted`: with a counter in each rule, wherever there is none anyway. */
  load(run: RunInNode, options?: { readonly counted: boolean }): Promise<void>;
  /** What the tracer says. */
  trace(packet: Packet): MetRules;
  /** All that counts once `load` was asked for it. */
  readonly counters: readonly RuleCounter[];
  /** Packets since it was asked last, or the rules were loaded, by the names of the counters. */
  takeCounters(run: RunInNode): Promise<ReadonlyMap<string, number>>;
}

export interface RuleCounter {
  readonly name: string;
  /** Counts whether or not something is found. */
  readonly isLookUp: boolean;
}

export interface MetRules {
  readonly verdict: "accept" | "drop";
  /** How often each counter counts the packet: rules of chains that several others jump to may meet it again. */
  readonly counters: ReadonlyMap<string, number>;
  readonly comments: readonly string[];
  /** How many rules it is compared with, matching or not, in the chains where one matches. */
  readonly rulesAsked: number;
}

/** How often each name is there. */
export function timesOf(names: readonly string[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const name of names) times.set(name, (times.get(name) ?? 0) + 1);
  return times;
}

/** Of a trace: in each chain those up to the last that matches. */
export function rulesAsked(steps: readonly { readonly chain: string; readonly ruleIndex: number }[]): number {
  const last = new Map(steps.map(({ chain, ruleIndex }) => [chain, ruleIndex + 1]));
  return [...last.values()].reduce((sum, count) => sum + count, 0);
}
