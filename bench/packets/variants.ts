// The rows of the packet benchmark. To measure something else, add rows: an axis is a name and a list of scenarios.

import { type AdminShape, adminScenario } from "./admin-shapes.ts";
import { NETWORK_POLICY_ORIGIN, rulesetOf } from "./bench-cluster.ts";
import { floorScenario } from "./floor.ts";
import type { Ends, Outcome, Scenario, Variant } from "./variant.ts";

/** Measured again and again between the others; all differences are to it. */
export const FLOOR: Variant = { axis: "floor", name: "floor", scenario: floorScenario };

const ALLOWED_PORT = 8000;
const DENIED_PORT = 8001;

function networkPolicyScenario(outcome: Outcome, ends: Ends): Scenario {
  const isAllowed = outcome === "allowed";
  return {
    rules: rulesetOf({ crowdOfClient: undefined, openPorts: [ALLOWED_PORT] }, ends),
    port: isAllowed ? ALLOWED_PORT : DENIED_PORT,
    decidedBy: isAllowed ? NETWORK_POLICY_ORIGIN : undefined,
  };
}

const ADMIN_SHAPES: readonly AdminShape[] = [
  { rules: 1, actions: "one", ports: "own", decidedBy: "last" },
  ...[10, 100].flatMap((rules) => [
    ...(["one", "alternating"] as const).flatMap((actions) => [
      { rules, actions, ports: "own", decidedBy: "first" } as const,
      { rules, actions, ports: "own", decidedBy: "last" } as const,
      { rules, actions, ports: "shared", decidedBy: "last" } as const,
    ]),
  ]),
  ...(["one", "alternating"] as const).flatMap((actions) => [
    { rules: 100, actions, ports: "own", decidedBy: "none" } as const,
    { rules: 100, actions, ports: "own", decidedBy: "pass" } as const,
  ]),
];

const DECIDES: Readonly<Record<AdminShape["decidedBy"], string>> = {
  first: "first decides",
  last: "last decides",
  none: "none matches, NetworkPolicy decides",
  pass: "last passes, NetworkPolicy decides",
};

/** `100 alternating of one port, last decides`. */
function shapeName({ rules, actions, ports, decidedBy }: AdminShape): string {
  const words = [
    ...(rules === 1 ? [] : [actions === "one" ? "of one action" : "alternating"]),
    ...(ports === "shared" ? ["on one port"] : []),
  ];
  return `${[rules, ...words].join(" ")}, ${DECIDES[decidedBy]}`;
}

export const VARIANTS: readonly Variant[] = [
  { axis: "floor", name: "the floor again", scenario: floorScenario },
  { axis: "NetworkPolicy", name: "1 policy with 1 rule", scenario: networkPolicyScenario },
  ...ADMIN_SHAPES.map((shape) => ({
    axis: "Admin rules",
    name: shapeName(shape),
    scenario: (outcome: Outcome, ends: Ends) => adminScenario(shape, outcome, ends),
  })),
];
