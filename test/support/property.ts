// Runs a property over random input and prints the smallest failing input as YAML.
// NFTPOL_SEED repeats a run, NFTPOL_RUNS makes it longer.

import fc from "fast-check";

/** Checks the property; a failure's message has the seed and the smallest counterexample. */
export function checkProperty<Input>(
  arbitrary: fc.Arbitrary<Input>,
  property: (input: Input) => void,
  { runs, print }: { readonly runs: number; readonly print: (input: Input) => string },
): void {
  const seed = Number(process.env.NFTPOL_SEED ?? 20261121);
  const numRuns = Math.round(runs * Number(process.env.NFTPOL_RUNS ?? 1));
  const details = fc.check(fc.property(arbitrary, property), { seed, numRuns });
  if (!details.failed) return;
  const [smallest] = details.counterexample ?? [];
  const shown = smallest === undefined ? "(no input)" : print(smallest);
  throw new Error(
    `seed ${details.seed}, after ${details.numRuns} runs and ${details.numShrinks} shrinks: ${String(details.errorInstance)}\n\n${shown}`,
    { cause: details.errorInstance },
  );
}
