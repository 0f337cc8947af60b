// A finding about policies that are valid and may still not mean what was meant. Data only.

import type { Diagnostic } from "../model/diagnostic.ts";
import type { Flow } from "../model/flow.ts";
import type { Direction } from "../model/policy.ts";
import type { RuleMatch } from "../semantics/verdict.ts";

export interface LintFinding extends Diagnostic {
  /** Where it is about what happens to flows: one of them. */
  readonly example?: LintExample;
}

export interface LintExample {
  readonly direction: Direction;
  readonly flow: Flow;
  /** The rules that match it, in the order in which they are asked. */
  readonly matches: readonly RuleMatch[];
}
