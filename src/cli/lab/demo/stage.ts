// What the demo's story is told with: real packets, or the evaluator where there can be none.

import type { Ruleset } from "../../../backends/nft/ruleset.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../../program/program.ts";
import { evaluate } from "../../../semantics/evaluate.ts";
import { nodeRuleset } from "../../node-ruleset.ts";
import type { LabInput } from "../lab-input.ts";
import { asFlow, type DemoFlow } from "./flows.ts";
import type { Answers } from "./reach.ts";
import type { DemoScreen } from "./screen.ts";

export const PROGRAM: ProgramOptions = DEFAULT_PROGRAM_OPTIONS;

export interface Sight {
  readonly answers: Answers;
  /** How that is known. */
  readonly how: string;
}

/** Two flows of one pod: what a tightened policy does to the connections that are open. */
export interface OpenPair {
  readonly cut: DemoFlow;
  readonly kept: DemoFlow;
}

export interface DemoStage {
  /** Whether packets answer. */
  readonly isLive: boolean;
  /** Puts a state in force and finds out which flows get through. */
  see(state: LabInput, flows: readonly DemoFlow[]): Promise<Sight>;
  /** Shows what happens to open connections while the state comes into force. Returns what contradicts the story. */
  tighten(state: LabInput, pair: OpenPair, screen: DemoScreen): Promise<readonly string[]>;
  /** A node's rules; live: those in its kernel. */
  ruleset(state: LabInput, node: string): Promise<Ruleset>;
}

/** What the policies mean. */
export function meantAnswers({ store }: LabInput, flows: readonly DemoFlow[]): Answers {
  return flows.map((flow) => evaluate(store, asFlow(flow), PROGRAM).allow);
}

export const computedStage: DemoStage = {
  isLive: false,
  async see(state, flows) {
    return { answers: meantAnswers(state, flows), how: "computed" };
  },
  async tighten(_state, { cut, kept }, screen) {
    const words = ({ from, to, traffic }: DemoFlow) => `${from.label} → ${to.label}:${traffic.port}`;
    screen.text(
      `With packets, the demo holds two TCP connections open here, ${words(cut)} and ${words(kept)}, and shows which of them is cut.`,
    );
    return [];
  },
  async ruleset({ store }, node) {
    return nodeRuleset(store, node, PROGRAM);
  },
};
