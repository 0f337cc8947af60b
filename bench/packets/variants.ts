// The rows of the packet benchmark. To measure something else, add rows: an axis is a name and a list of scenarios.

import { type AdminShape, adminScenario } from "./admin-shapes.ts";
import type { BenchBackend } from "./backend.ts";
import { type LocalPodShape, localPodScenario } from "./local-pod-shapes.ts";
import { onePolicyScenario, policiesScenario, portsScenario } from "./network-policy-shapes.ts";
import { FLOOR_PORT } from "./pairs.ts";
import type { Ends, Outcome, Scenario, Variant } from "./variant.ts";

export function floorScenario(outcome: Outcome, _ends: Ends, backend: BenchBackend): Scenario {
  return { rules: backend.floor(outcome), port: FLOOR_PORT, decidedBy: undefined };
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

/** `100 alternating on one port, last decides`. */
function adminName({ rules, actions, ports, decidedBy }: AdminShape): string {
  const words = [
    ...(rules === 1 ? [] : [actions === "one" ? "of one action" : "alternating"]),
    ...(ports === "shared" ? ["on one port"] : []),
  ];
  return `${[rules, ...words].join(" ")}, ${DECIDES[decidedBy]}`;
}

const MANY_PODS = [10, 50, 110, 250];

const LOCAL_POD_SHAPES: readonly LocalPodShape[] = [
  { pods: 1, classes: "own", position: "last", dispatch: "own" },
  ...MANY_PODS.flatMap((pods): LocalPodShape[] => [
    { pods, classes: "own", position: "last", dispatch: "own" },
    { pods, classes: "own", position: "middle", dispatch: "own" },
    { pods, classes: "shared", position: "last", dispatch: "own" },
  ]),
  ...MANY_PODS.slice(-2).flatMap((pods): LocalPodShape[] => [
    { pods, classes: "own", position: "last", dispatch: "linear" },
    { pods, classes: "own", position: "middle", dispatch: "linear" },
  ]),
];

/** `110 in classes of their own, one after the other, the last`. */
function localPodName({ pods, classes, position, dispatch }: LocalPodShape): string {
  if (pods === 1) return "1";
  if (classes === "shared") return `${pods} in one class`;
  const words = [`${pods} in classes of their own`, ...(dispatch === "linear" ? ["one rule after the other"] : [])];
  return [...words, position === "last" ? "the last" : "one in the middle"].join(", ");
}

type MakeScenario = Variant["scenario"];

export const VARIANTS: readonly Variant[] = [
  { axis: "floor", name: "the floor again", scenario: floorScenario },
  {
    axis: "floor",
    name: "beside nft's floor",
    floorOf: "nft",
    scenario: (outcome, ends, backend) => (backend.name === "nft" ? undefined : floorScenario(outcome, ends, backend)),
  },
  ...rows("NetworkPolicy", [["1 policy with 1 rule", onePolicyScenario]]),
  ...rows(
    "policies",
    [1, 10, 100].map((count): [string, MakeScenario] => [
      `${count}, last decides`,
      (outcome, ends, backend) => policiesScenario(count, outcome, ends, backend),
    ]),
  ),
  ...rows(
    "ports",
    [1, 10, 50].map((count): [string, MakeScenario] => [
      `${count} groups, last decides`,
      (outcome, ends, backend) => portsScenario(count, outcome, ends, backend),
    ]),
  ),
  ...rows(
    "local pods",
    LOCAL_POD_SHAPES.map((shape): [string, MakeScenario] => [
      localPodName(shape),
      (outcome, ends, backend) => localPodScenario(shape, outcome, ends, backend),
    ]),
  ),
  ...rows(
    "Admin rules",
    ADMIN_SHAPES.map((shape): [string, MakeScenario] => [
      adminName(shape),
      (outcome, ends, backend) => adminScenario(shape, outcome, ends, backend),
    ]),
  ),
];

function rows(axis: string, scenarios: readonly (readonly [string, MakeScenario])[]): Variant[] {
  return scenarios.map(([name, scenario]) => ({ axis, name, scenario }));
}

export const AXES: readonly string[] = [...new Set(VARIANTS.map(({ axis }) => axis))];
