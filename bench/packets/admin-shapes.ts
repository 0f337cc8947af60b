// Shapes of Admin rules: how many, which actions follow each other, what tells them apart, which of them decides. Owns what a shape
// means as rules. Behind them always stands one NetworkPolicy: alone, rules that allow would change nothing and not be asked.

import type { BenchBackend } from "./backend.ts";
import { adminOrigin, networkPolicyOrigin, SERVER_GROUP, type TierRule } from "./bench-cluster.ts";
import type { Ends, Outcome, Scenario } from "./variant.ts";

/** Every rule has a selection of pods of its own. */
export interface AdminShape {
  readonly rules: number;
  /** `one`: neighbours are merged; `alternating`: Accept and Deny take turns, so none are. */
  readonly actions: "one" | "alternating";
  /** `own`: every rule has another one; `shared`: the same for all. */
  readonly ports: "own" | "shared";
  /**
   * `pass`: the last one matches and says so; `none`: the client is in no rule's selection, and sends to a port of no rule. In both
   * cases the NetworkPolicy decides.
   */
  readonly decidedBy: "first" | "last" | "pass" | "none";
}

const FIRST_PORT = 8000;
const UNNAMED_PORT = 7000;
/** What the NetworkPolicy opens where it is to deny, or is not asked. */
const OTHER_PORT = 7001;
const ACTION_FOR = { allowed: "Accept", denied: "Deny" } as const;

export function adminScenario(
  shape: AdminShape,
  outcome: Outcome,
  ends: Ends,
  backend: BenchBackend,
): Scenario | undefined {
  const { rules: count, decidedBy } = shape;
  const matching = decidedBy === "none" ? undefined : decidedBy === "first" ? 0 : count - 1;
  const port = matching === undefined ? UNNAMED_PORT : portOf(shape, matching);
  const networkPolicyDecides = decidedBy === "none" || decidedBy === "pass";
  const open = networkPolicyDecides && outcome !== "denied" ? port : OTHER_PORT;
  const networkPolicy = { name: "server", subject: SERVER_GROUP, rules: [{ from: "client", ports: [open] }] } as const;
  const adminRules = Array.from({ length: count }, (_, index): TierRule => {
    const isPass = decidedBy === "pass" && index === matching;
    return {
      action: isPass ? "Pass" : actionOf(shape, outcome, index - (matching ?? 0)),
      crowd: index,
      port: portOf(shape, index),
    };
  });
  const rules = backend.compile(
    { crowdsOfClient: matching === undefined ? [] : [matching], adminRules, networkPolicies: [networkPolicy] },
    ends,
  );
  if (rules === undefined) return undefined;
  return {
    rules,
    port,
    decidedBy: originOf(shape, outcome, matching),
  };
}

function portOf({ ports }: AdminShape, index: number): number {
  return ports === "own" ? FIRST_PORT + index : FIRST_PORT;
}

/** `distance`: from the rule that has the outcome. */
function actionOf({ actions }: AdminShape, outcome: Outcome, distance: number): TierRule["action"] {
  const isTurn = actions === "one" || distance % 2 === 0;
  return isTurn === (outcome !== "denied") ? ACTION_FOR.allowed : ACTION_FOR.denied;
}

function originOf(shape: AdminShape, outcome: Outcome, matching: number | undefined): string | undefined {
  if (matching === undefined || shape.decidedBy === "pass")
    return outcome !== "denied" ? networkPolicyOrigin("server", 0) : undefined;
  // The union of all rules' peers: its comment names the first few.
  return shape.actions === "one" && shape.ports === "shared" ? undefined : adminOrigin(matching);
}
