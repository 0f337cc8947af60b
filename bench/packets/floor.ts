// What every rule set has to pay that looks at connections at all: one table with one chain at our hook and priority, where known
// connections are accepted. All differences are to this.

import { ACCEPT, DROP, is, rule } from "../../src/backends/nft/build.ts";
import { type Ruleset, TABLE } from "../../src/backends/nft/ruleset.ts";
import type { Outcome, Scenario } from "./variant.ts";

const KNOWN = rule([is("ct state", "established", "related")], ACCEPT);
export const FLOOR_PORT = 8000;

/** Where packets are to be denied, a drop without conditions follows. */
export function floorScenario(outcome: Outcome): Scenario {
  const rules = outcome === "allowed" ? [KNOWN] : [KNOWN, rule([], DROP)];
  const forward = { name: "forward", hook: { name: "forward", priority: -5 }, comment: undefined, rules } as const;
  const ruleset: Ruleset = {
    table: TABLE,
    counters: new Set(),
    sets: new Map(),
    chains: new Map([[forward.name, forward]]),
  };
  return { rules: ruleset, port: FLOOR_PORT, decidedBy: undefined };
}
