// Random runs of the whole agent (random-run.ts), from seeds. NFTPOL_SEED chooses another first one, NFTPOL_RUNS how many.

import { expect, it } from "vitest";
import { addFigures, NO_FIGURES, type RunFigures, randomRun } from "./random-run.ts";

const RUNS = 12;
/** Side by side: most of a run's time is spent waiting. */
const AT_ONCE = 3;
const first = Number(process.env.NFTPOL_SEED ?? 20261121);
const count = Number(process.env.NFTPOL_RUNS ?? RUNS);

async function run(seed: number): Promise<RunFigures> {
  const steps: string[] = [];
  try {
    return await randomRun(seed, steps);
  } catch (error) {
    const repeat = `NFTPOL_SEED=${seed} NFTPOL_RUNS=1 npm run test:scenarios -- random`;
    throw new Error(`${repeat}\n${(error as Error).message}\n\nsteps:\n${steps.join("\n")}`, { cause: error });
  }
}

const seeds = Array.from({ length: count }, (_, index) => first + index);
const groups = Array.from({ length: Math.ceil(count / AT_ONCE) }, (_, index) =>
  seeds.slice(index * AT_ONCE, (index + 1) * AT_ONCE),
);

it.each(groups.map((group) => [group[0], group.at(-1), group] as const))(
  "seeds %d to %d: the table follows the server through every fault, and is never more open than a state the server had",
  async (_first, _last, group) => {
    const figures = (await Promise.all(group.map(run))).reduce(addFigures, NO_FIGURES);
    console.log(`seeds ${group.join(", ")}: ${JSON.stringify(figures)}`);
    // Runs in which nothing was checked would pass, too.
    expect(figures.judged).toBeGreaterThan(3 * group.length);
    expect(figures.flows - figures.passed).toBeGreaterThan(100 * group.length);
    expect(figures.passed).toBeGreaterThan(100 * group.length);
  },
);
