// Whether strict start closes anything: without the Node object, or without its pod CIDRs, it does not. Owns that question, and its
// lines in the log.

import type { RuleGraph } from "../graph/rule-graph.ts";
import type { ProgramDelta, ProgramOptions } from "../program/program.ts";
import type { Log } from "./log.ts";

export interface StrictStartEffectOptions {
  readonly nodeName: string;
  readonly graph: RuleGraph;
  readonly options: ProgramOptions;
  readonly log: Log;
}

export class StrictStartEffect {
  readonly #options: StrictStartEffectOptions;
  #problem: string | undefined;

  constructor(options: StrictStartEffectOptions) {
    this.#options = options;
  }

  /** As of the last commit; undefined: it closes something, was not asked for, or nothing is known yet. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The graph's program is in force; `delta`: what of it changed, where that is known. */
  committed(delta: ProgramDelta | undefined): void {
    if (delta !== undefined && delta.closed === undefined) return;
    const { nodeName, graph, options, log } = this.#options;
    const closesNothing = options.unknownLocalPods === "drop" && graph.program().closed?.blocks.length === 0;
    if (closesNothing === (this.#problem !== undefined)) return;
    if (closesNothing) {
      this.#problem = `--unknown-local-pods=drop closes nothing: Node ${nodeName} has no pod CIDRs (spec.podCIDRs)`;
      log.warn({ problem: this.#problem }, "--unknown-local-pods=drop closes nothing: the Node has no pod CIDRs");
    } else {
      this.#problem = undefined;
      log.info({}, "--unknown-local-pods=drop closes the node's pod CIDRs");
    }
  }
}
