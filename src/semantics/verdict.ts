// What the evaluator answers: a verdict in two halves, each with its reason. Data only.

import type { PodKey } from "../model/cluster.ts";
import type { Policy, Rule } from "../model/policy.ts";
import type { CidrBlock } from "../net/cidr.ts";

export interface Verdict {
  readonly allow: boolean;
  /** May the source pod send it? */
  readonly egress: HalfVerdict;
  /** May the destination pod receive it? */
  readonly ingress: HalfVerdict;
}

export interface HalfVerdict {
  /** A half that is not asked allows. */
  readonly allow: boolean;
  /** The pod whose policies were asked; undefined when no known pod has the address. */
  readonly subject: PodKey | undefined;
  readonly reason: Reason;
  /** The Pass rules that sent the flow on to the next tier, in order of the tiers. */
  readonly passes: readonly RuleMatch[];
}

export type Reason =
  /** The source (egress) or destination (ingress) is no pod that policies can select. */
  | { readonly kind: "not-a-pod" }
  | { readonly kind: "never-blocked"; readonly because: NeverBlocked }
  /** No known pod has the address, but it lies in a pod CIDR of that node, which closes such addresses (strict start). */
  | { readonly kind: "unknown-pod"; readonly node: string; readonly cidr: CidrBlock }
  /** No policy isolates the pod in this direction, and no rule of another tier decides. */
  | { readonly kind: "not-isolated" }
  /** A rule of the Admin or Baseline tier decided; its action says how. */
  | { readonly kind: "tier-rule"; readonly match: RuleMatch }
  /** Isolated by NetworkPolicies, and a rule of one of them matches. */
  | { readonly kind: "allowed"; readonly match: RuleMatch }
  /** Isolated, and no rule of any of the isolating policies matches. `misses` has every rule of each of them. */
  | { readonly kind: "isolated"; readonly policies: readonly Policy[]; readonly misses: readonly RuleMiss[] };

/** SEMANTICS "What is never blocked". */
export type NeverBlocked = "own-pod" | "own-node" | "neighbour-discovery" | "dhcp-answer";

/** A matching rule, with what of it matches. */
export interface RuleMatch {
  readonly policy: Policy;
  readonly rule: Rule;
  /** Index into the rule's peers; undefined when the rule names none (any peer). */
  readonly peer: number | undefined;
  /** Index into the rule's ports; undefined when the rule names none (any port). */
  readonly port: number | undefined;
}

/** How far a rule was from matching. */
export interface RuleMiss {
  readonly policy: Policy;
  readonly rule: Rule;
  readonly peerMatches: boolean;
  readonly portMatches: boolean;
}
