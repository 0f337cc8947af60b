// All variants again and again, in another order in each round. Owns the rounds, and what is kept of them.

import { renderText } from "../../src/backends/nft/text.ts";
import type { BenchNetwork } from "./bench-network.ts";
import type { BurstPlan } from "./measured-node.ts";
import { checkMetRules } from "./met-rules.ts";
import { measureScenario, type Pair } from "./pairs.ts";
import { KINDS_OF, OUTCOMES, type Outcome, type PacketKind, type Scenario, type Variant } from "./variant.ts";
import { FLOOR } from "./variants.ts";

/** Of one variant and kind of packets: the pairs of each round. */
export interface MeasuredRounds {
  readonly variant: Variant;
  readonly kind: PacketKind;
  readonly rounds: (readonly Pair[])[];
}

export interface RoundSettings {
  readonly rounds: number;
  readonly plan: BurstPlan;
  readonly onRound: (round: number) => void;
}

/** A scenario with its rules as text: made once. */
interface Ready {
  readonly variant: Variant;
  readonly outcome: Outcome;
  readonly scenario: Scenario;
  readonly text: string;
}

/** In the order of the variants. Checks first that every scenario's packets meet the rules that they should; throws where they do not. */
export async function measureRounds(
  network: BenchNetwork,
  variants: readonly Variant[],
  { rounds, plan, onRound }: RoundSettings,
): Promise<MeasuredRounds[]> {
  await loadFloors(network);
  const ready = variants.flatMap((variant) =>
    OUTCOMES.flatMap((outcome): Ready[] => {
      const scenario = variant.scenario(outcome, network.variant.ends);
      return scenario === undefined ? [] : [{ variant, outcome, scenario, text: textOf(scenario) }];
    }),
  );
  for (const each of ready) await check(network, each);
  const measured = ready.flatMap(({ variant, outcome }): MeasuredRounds[] =>
    KINDS_OF[outcome].map((kind) => ({ variant, kind, rounds: [] })),
  );
  for (let round = 0; round < rounds; round++) {
    for (const { variant, outcome, scenario, text } of shuffled(ready)) {
      const pairs = await measureScenario(network, outcome, scenario, text, plan);
      for (const own of measured) {
        const ofKind = own.variant === variant ? pairs.get(own.kind) : undefined;
        if (ofKind !== undefined) own.rounds.push(ofKind);
      }
    }
    onRound(round);
  }
  return measured;
}

async function loadFloors({ floor }: BenchNetwork): Promise<void> {
  for (const outcome of OUTCOMES) {
    const scenario = FLOOR.scenario(outcome, floor[outcome].ends);
    if (scenario !== undefined) await floor[outcome].load(textOf(scenario));
  }
}

async function check({ variant: node }: BenchNetwork, { variant, outcome, scenario }: Ready): Promise<void> {
  if (typeof scenario.rules === "string") return;
  try {
    await checkMetRules(node, scenario.rules, scenario, outcome);
  } catch (cause) {
    throw new Error(`${variant.axis}, ${variant.name}, ${outcome}: ${(cause as Error).message}`, { cause });
  }
}

function textOf({ rules }: Scenario): string {
  return typeof rules === "string" ? rules : renderText(rules);
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
