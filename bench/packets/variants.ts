// The rows of the packet benchmark: the floor beside itself, the grid, and rows about our own rules alone. To measure something else,
// add rows to grid-rows.ts or detail-rows.ts: an axis is a name and a list of scenarios.

import type { BenchBackend } from "./backend.ts";
import { DETAIL_ROWS } from "./detail-rows.ts";
import { GRID_ROWS } from "./grid-rows.ts";
import { FLOOR_PORT } from "./pairs.ts";
import { type Ends, OUTCOMES, type Outcome, type Scenario, type Variant } from "./variant.ts";

export function floorScenario(outcome: Outcome, _ends: Ends, backend: BenchBackend): Scenario {
  return { rules: backend.floor(outcome), port: FLOOR_PORT, decidedBy: undefined };
}

export const VARIANTS: readonly Variant[] = [
  { axis: "floor", name: "the floor again", scenario: floorScenario, outcomes: OUTCOMES },
  {
    axis: "floor",
    name: "beside nft's floor",
    floorOf: "nft",
    scenario: (outcome, ends, backend) => (backend.name === "nft" ? undefined : floorScenario(outcome, ends, backend)),
  },
  ...GRID_ROWS,
  ...DETAIL_ROWS,
];

export const AXES: readonly string[] = [...new Set(VARIANTS.map(({ axis }) => axis))];
