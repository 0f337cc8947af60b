// Rows beside the grid: what our own rules cost in more detail than any other engine's can be compared with. docs/data-plane.md and
// docs/iptables.md quote them.

import { type AdminShape, adminScenario } from "./admin-shapes.ts";
import { type LocalPodShape, localPodScenario } from "./local-pod-shapes.ts";
import { onePolicyScenario, policiesScenario, portsScenario } from "./network-policy-shapes.ts";
import type { Variant } from "./variant.ts";

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

export const DETAIL_ROWS: readonly Variant[] = [
  ...rows("NetworkPolicy", [["1 policy with 1 rule", onePolicyScenario]]),
  ...rows(
    "policy unions",
    [1, 10, 100].map((count): [string, MakeScenario] => [
      `${count}, last decides`,
      (outcome, ends, backend) => policiesScenario(count, outcome, ends, backend),
    ]),
  ),
  ...rows(
    "port groups",
    [1, 10, 50].map((count): [string, MakeScenario] => [
      `${count} groups, last decides`,
      (outcome, ends, backend) => portsScenario(count, outcome, ends, backend),
    ]),
  ),
  ...rows(
    "local pod classes",
    LOCAL_POD_SHAPES.map((shape): [string, MakeScenario] => [
      localPodName(shape),
      (outcome, ends, backend) => localPodScenario(shape, outcome, ends, backend),
    ]),
  ),
  ...rows(
    "Admin rule shapes",
    ADMIN_SHAPES.map((shape): [string, MakeScenario] => [
      adminName(shape),
      (outcome, ends, backend) => adminScenario(shape, outcome, ends, backend),
    ]),
  ),
];

function rows(axis: string, scenarios: readonly (readonly [string, MakeScenario])[]): Variant[] {
  return scenarios.map(([name, scenario]) => ({ axis, name, scenario }));
}
