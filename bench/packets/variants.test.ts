import { describe, expect, it } from "vitest";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { ruleText } from "../../src/backends/nft/text.ts";
import type { Address } from "../../src/net/address.ts";
import { type AdminShape, adminScenario } from "./admin-shapes.ts";
import { adminOrigin } from "./bench-cluster.ts";
import { traceScenario } from "./met-rules.ts";
import { type Ends, OUTCOMES, type Scenario } from "./variant.ts";
import { FLOOR, VARIANTS } from "./variants.ts";

const ENDS: Ends = { client: "10.244.1.10" as Address, server: "10.244.1.11" as Address };

function tableOf({ rules }: Scenario): Ruleset {
  if (typeof rules === "string") throw new Error("rules as text");
  return rules;
}

/** Rules of the first chain of the server's class that look at the number of one port. */
function portRules(scenario: Scenario): string[] {
  const chains = [...tableOf(scenario).chains.values()].filter(({ name }) => /^ingress4_.*[a-z2-7]{16}$/.test(name));
  return chains.flatMap(({ rules }) => rules.map(ruleText)).filter((text) => text.startsWith("udp dport 80"));
}

describe.each([FLOOR, ...VARIANTS])("$axis: $name", ({ scenario }) => {
  it.each(OUTCOMES)("has a flow that is %s, by the rule that it names", (outcome) => {
    const made = scenario(outcome, ENDS);
    if (made === undefined) throw new Error("no scenario");
    const { verdict } = traceScenario(tableOf(made), made, outcome, ENDS);
    expect(verdict).toBe(outcome === "allowed" ? "accept" : "drop");
  });
});

describe("admin rules", () => {
  const alternating: AdminShape = { rules: 100, actions: "alternating", ports: "own", decidedBy: "last" };

  it.each(OUTCOMES)("that alternate are one rule after the other (%s)", (outcome) => {
    expect(portRules(adminScenario(alternating, outcome, ENDS))).toHaveLength(100);
  });

  it.each(OUTCOMES)("of one action are not (%s)", (outcome) => {
    expect(portRules(adminScenario({ ...alternating, actions: "one" }, outcome, ENDS))).toHaveLength(0);
  });

  it.each([
    { decidedBy: "first", index: 0 },
    { decidedBy: "last", index: 99 },
  ] as const)("are decided by the $decidedBy", ({ decidedBy, index }) => {
    expect(adminScenario({ ...alternating, decidedBy }, "denied", ENDS).decidedBy).toBe(adminOrigin(index));
  });
});

describe("a scenario whose packets meet other rules than it says", () => {
  const scenario = adminScenario({ rules: 10, actions: "one", ports: "own", decidedBy: "last" }, "allowed", ENDS);

  it.each([
    { wrong: "the outcome", outcome: "denied", change: {}, message: /accept, not drop/ },
    { wrong: "the rule", outcome: "allowed", change: { decidedBy: adminOrigin(3) }, message: /not decided by/ },
    { wrong: "the port", outcome: "allowed", change: { port: 1 }, message: /drop, not accept/ },
  ] as const)("is refused: $wrong", ({ outcome, change, message }) => {
    expect(() => traceScenario(tableOf(scenario), { ...scenario, ...change }, outcome, ENDS)).toThrow(message);
  });
});

it("no two rows have one name", () => {
  const names = VARIANTS.map(({ axis, name }) => `${axis}: ${name}`);
  expect(new Set(names).size).toBe(names.length);
});
