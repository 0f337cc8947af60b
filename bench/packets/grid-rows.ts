// The rows of the grid: on each axis one number varies. Owns the points, and which of them are measured in other places and over TCP.

import type { BenchBackend } from "./backend.ts";
import { BASE, type GridShape, gridScenario } from "./grid-shapes.ts";
import { type Outcome, type Place, UDP_OUTCOMES, type Variant } from "./variant.ts";

interface GridPoint {
  readonly name: string;
  readonly shape: GridShape;
  readonly x?: number;
  readonly isConnected: boolean;
}

interface GridAxis {
  readonly axis: string;
  readonly points: readonly GridPoint[];
}

/** `connected`: values that are measured over TCP, too. */
function axisOf(
  axis: string,
  values: readonly number[],
  shapeOf: (value: number) => Partial<GridShape>,
  connected: readonly number[],
): GridAxis {
  const points = values.map((value) => ({
    name: value.toLocaleString("en"),
    shape: { ...BASE, ...shapeOf(value) },
    x: value,
    isConnected: connected.includes(value),
  }));
  return { axis, points };
}

function besides(name: string, shape: Partial<GridShape>): GridPoint {
  return { name, shape: { ...BASE, ...shape }, isConnected: false };
}

const POLICIES = axisOf("policies", [1, 10, 50, 200], (policies) => ({ policies }), [1, 10, 50, 200]);
const PEERS = axisOf("peers", [10, 100, 1_000, 10_000, 40_000], (peersPerPolicy) => ({ peersPerPolicy }), [10, 10_000]);
const PORTS = axisOf("ports", [1, 10, 50], (ports) => ({ ports }), [50]);
const LOCAL_PODS = axisOf("local pods", [10, 50, 110, 250], (localPods) => ({ localPods }), [110, 250]);
const CIDRS = axisOf("CIDRs", [1, 10, 100, 1_000, 10_000], (cidrs) => ({ cidrs }), [1_000]);
const ADMIN_RULES = axisOf("Admin rules", [1, 10, 100], (adminRules) => ({ adminRules }), [100]);

export const GRID_AXES: readonly GridAxis[] = [
  POLICIES,
  PEERS,
  PORTS,
  LOCAL_PODS,
  { ...CIDRS, points: [...CIDRS.points, besides("1,000 with excepts", { cidrs: 1_000, withExcepts: true })] },
  {
    ...ADMIN_RULES,
    points: [
      besides("0", {}),
      ...ADMIN_RULES.points,
      besides("100 on one port", { adminRules: 100, adminPorts: "shared" }),
    ],
  },
];

/** Measured in every place. */
const EVERYWHERE: readonly (readonly [GridAxis, number])[] = [
  [POLICIES, 1],
  [POLICIES, 200],
  [PORTS, 50],
  [CIDRS, 1_000],
  [ADMIN_RULES, 100],
];

const OTHER_PLACES: readonly (Place & { readonly axis: string })[] = [
  { axis: "IPv6 routed", family: 6, topology: "routed" },
  { axis: "IPv4 bridged", family: 4, topology: "bridged" },
  { axis: "IPv6 bridged", family: 6, topology: "bridged" },
];

export const GRID_ROWS: readonly Variant[] = [
  ...GRID_AXES.flatMap(({ axis, points }) => points.map((point) => rowOf(axis, point.name, point))),
  ...OTHER_PLACES.flatMap(({ axis: place, ...where }) =>
    EVERYWHERE.flatMap(([{ axis, points }, x]) =>
      points.filter((point) => point.x === x).map((point) => rowOf(place, `${axis}: ${point.name}`, point, where)),
    ),
  ),
];

/** Calico finds a pod by its link: behind a bridge, rules see none. */
function needsLinks({ name }: BenchBackend): boolean {
  return name === "calico-nft" || name === "calico-iptables";
}

function rowOf(axis: string, name: string, { shape, x, isConnected }: GridPoint, place?: Place): Variant {
  const outcomes: readonly Outcome[] = isConnected ? [...UDP_OUTCOMES, "connected"] : UDP_OUTCOMES;
  return {
    axis,
    name,
    outcomes,
    scenario: (outcome, ends, backend) =>
      place?.topology === "bridged" && needsLinks(backend) ? undefined : gridScenario(shape, outcome, ends, backend),
    ...(place === undefined ? (x === undefined ? {} : { x }) : { place }),
  };
}
