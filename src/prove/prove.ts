// The proof: for every class of packets that policies or rules can tell apart, the rules give what the policies mean.
//
//   addresses --cut by the constants of both sides--> atoms --equal identity--> source classes x destination classes
//   for each pair: the answers that matter to that pair split them further; times the traffic classes that matter
//
// Exhaustive: two packets in one class get the same answers from every rule they can meet and from every policy that is
// asked, so one stands for all. Nothing is taken over from the compiler: constants are read from policies and rules.

import { type NodeRules, type RuleStep, UnprovableRule, Untraceable } from "../backends/node-rules.ts";
import type { Packet } from "../backends/packet.ts";
import type { Policy } from "../model/policy.ts";
import { FAMILIES, type Family } from "../net/address.ts";
import type { EvaluateOptions } from "../semantics/evaluate.ts";
import { restrictPolicies } from "../state/restricted-view.ts";
import type { ClusterView } from "../state/view.ts";
import { AddressSides } from "./address-sides.ts";
import { type Expected, expectedVerdict, type JudgingNode, judgingNode } from "./expected.ts";
import { type ComparePackets, type HookPath, provePath } from "./path-proof.ts";
import type { TrafficClass } from "./traffic-classes.ts";

export interface ProveOptions extends EvaluateOptions {
  readonly serviceProxy: "netfilter" | "ipvs";
  /** Stop after so many packets and say so; undefined: no bound. */
  readonly maxPackets?: number | undefined;
  readonly onProgress?: ((packets: number) => void) | undefined;
}

export type Proof =
  | {
      readonly outcome: "equal";
      /** Packets compared: one per class. */
      readonly packetClasses: number;
      /** Pairs of address classes. */
      readonly pairs: number;
      /** false: `maxPackets` was reached, the rest was not compared. */
      readonly exhaustive: boolean;
    }
  | { readonly outcome: "different"; readonly counterexample: Counterexample }
  /** A rule does something that is not ours to understand; nothing is claimed. */
  | { readonly outcome: "unknown"; readonly reason: string };

export interface Counterexample {
  readonly packet: Packet;
  readonly traffic: TrafficClass["traffic"];
  readonly expected: Expected;
  readonly rules: TracedRules;
}

/** What the rules do to the packet. */
export interface TracedRules {
  /** As in `NodeRules`. */
  readonly language: string;
  readonly verdict: "accept" | "drop";
  /** As in `RuleTrace`. */
  readonly byPolicy: boolean;
  readonly steps: readonly RuleStep[];
}

/** Compares the policies' meaning with the rules of one node. Cost: packet classes times rules met; see docs/prove.md. */
export function proveNode(view: ClusterView, nodeName: string, rules: NodeRules, options: ProveOptions): Proof {
  const run: Run = { view, node: judgingNode(view, nodeName), rules, options, packets: 0, pairs: 0 };
  try {
    for (const family of FAMILIES) {
      const counterexample = proveFamily(run, family);
      if (counterexample !== undefined) return { outcome: "different", counterexample };
    }
  } catch (error) {
    if (error instanceof BoundReached)
      return { outcome: "equal", packetClasses: run.packets, pairs: run.pairs, exhaustive: false };
    if (error instanceof Untraceable || error instanceof UnprovableRule)
      return { outcome: "unknown", reason: error.message };
    throw error;
  }
  return { outcome: "equal", packetClasses: run.packets, pairs: run.pairs, exhaustive: true };
}

class BoundReached extends Error {}

interface Run {
  readonly view: ClusterView;
  readonly node: JudgingNode;
  readonly rules: NodeRules;
  readonly options: ProveOptions;
  packets: number;
  pairs: number;
}

function proveFamily(run: Run, family: Family): Counterexample | undefined {
  const sides = new AddressSides(run.view, run.node.name, run.rules, family, run.options);
  for (const path of pathsOf(run, sides)) {
    const counterexample = provePath(sides, run.rules, path, comparison(run, path));
    if (counterexample !== undefined) return counterexample;
  }
  return undefined;
}

/** Which packets pass which hook (docs/data-plane.md "Hooks"). */
function pathsOf(run: Run, sides: AddressSides): HookPath[] {
  const own = sides.ownNodeAtoms();
  const others = sides.atoms.filter((atom) => !own.includes(atom));
  // A node has more addresses than it tells (those of bridges): any that no pod has may be its own.
  const nodes = sides.atoms.filter((atom) => sides.owner(atom) === undefined);
  const any = () => true;
  const asks = asksTowardsNode(run.options);
  const paths: HookPath[] = [
    { hook: "forward", sourceIsLocal: false, sources: others, destinations: others, asks: any },
    { hook: "output", sourceIsLocal: true, sources: own, destinations: others, asks: any },
  ];
  // Where neither side says anything of packets to the node, both let all of them pass.
  const hasRules = run.rules.hookChains("input", sides.family).length > 0;
  const hasMeaning = [...run.view.policies()].some((policy) => asks(policy) && mayJudgeEgress(policy));
  if (hasRules || hasMeaning)
    paths.push({ hook: "input", sourceIsLocal: false, sources: others, destinations: nodes, asks });
  if (run.options.serviceProxy === "ipvs")
    paths.push({ hook: "output", sourceIsLocal: false, sources: others, destinations: others, asks: any });
  return paths;
}

function asksTowardsNode({ podToOwnNode }: ProveOptions): HookPath["asks"] {
  return ({ tier }) => tier !== "namespace" || podToOwnNode === "enforce";
}

function mayJudgeEgress(policy: Policy): boolean {
  return policy.tier === "namespace" ? policy.isolates.egress : policy.rules.egress.length > 0;
}

/** Compares one pair of addresses, one packet per traffic class. */
function comparison(run: Run, path: HookPath): ComparePackets {
  const { view, node, rules, options } = run;
  return (source, destination, policies, classes) => {
    run.pairs++;
    const narrow = restrictPolicies(view, policies);
    for (const { traffic, transport, state } of classes) {
      countPacket(run);
      const flow = { source: source.address, destination: destination.address, traffic };
      const packet: Packet = {
        hook: path.hook,
        family: source.family,
        source: flow.source,
        destination: flow.destination,
        ...transport,
        state,
        sourceIsLocal: path.sourceIsLocal,
      };
      const expected = expectedVerdict(narrow, node, packet, flow, options);
      const trace = rules.trace(packet);
      if (trace.verdict === expected.verdict) continue;
      const { verdict, byPolicy } = trace;
      const traced = { language: rules.language, verdict, byPolicy, steps: trace.steps() };
      return { packet, traffic, expected, rules: traced };
    }
    return undefined;
  };
}

function countPacket(run: Run): void {
  const { maxPackets, onProgress } = run.options;
  if (maxPackets !== undefined && run.packets >= maxPackets) throw new BoundReached();
  run.packets++;
  if ((run.packets & 0xffff) === 0) onProgress?.(run.packets);
}
