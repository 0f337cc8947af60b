// All variants of all backends again and again, in another order in each round. Owns the rounds, and what is kept of them.

import type { BackendName, BenchBackend } from "./backend.ts";
import type { BenchNetwork } from "./bench-network.ts";
import { checkMetRules } from "./met-rules.ts";
import { measureScenario, type Pair, type PairPlan } from "./pairs.ts";
import {
  IPV4_ROUTED,
  KINDS_OF,
  OUTCOMES,
  type Outcome,
  type PacketKind,
  type Place,
  type Scenario,
  UDP_OUTCOMES,
  type Variant,
} from "./variant.ts";

/** Of one variant, backend and kind of packets: the pairs of each round. */
export interface MeasuredRounds {
  readonly variant: Variant;
  readonly backend: BackendName;
  /** The backend whose floor it took turns with. */
  readonly floorOf: BackendName;
  readonly kind: PacketKind;
  readonly rounds: (readonly Pair[])[];
}

export interface RoundSettings {
  readonly backends: readonly BenchBackend[];
  readonly rounds: number;
  readonly plan: PairPlan;
  /** For people who wait. */
  readonly onStep: (step: string) => void;
}

/** A scenario whose rules are made already. */
interface Ready {
  readonly variant: Variant;
  readonly backend: BackendName;
  readonly floorOf: BackendName;
  readonly outcome: Outcome;
  readonly scenario: Scenario;
  readonly kept: ReadonlyMap<PacketKind, (readonly Pair[])[]>;
}

/** In the order of the variants. Checks first that every scenario's packets meet the rules that they should; throws where they do not. */
export async function measureRounds(
  network: BenchNetwork,
  variants: readonly Variant[],
  { backends, rounds, plan, onStep }: RoundSettings,
): Promise<MeasuredRounds[]> {
  for (const backend of backends)
    for (const place of onePerTopology(variants))
      for (const outcome of OUTCOMES) await network(backend.name, place).floor[outcome].load(backend.floor(outcome));
  const ready = variants.flatMap((variant) => backends.flatMap((backend) => readyScenarios(network, variant, backend)));
  for (const [index, each] of ready.entries()) {
    onStep(`checked ${index} of ${ready.length} sets of rules`);
    await check(network, each);
  }
  for (let round = 0; round < rounds; round++) {
    onStep(`round ${round + 1} of ${rounds}`);
    for (const { variant, backend, floorOf, outcome, scenario, kept } of shuffled(ready)) {
      const { place = IPV4_ROUTED } = variant;
      const opponents = { floor: network(floorOf, place).floor[outcome], variant: network(backend, place).variant };
      for (const [kind, pairs] of await measureScenario(opponents, outcome, scenario, plan))
        kept.get(kind)?.push(pairs);
    }
  }
  return ready.flatMap(({ variant, backend, floorOf, kept }) =>
    [...kept].map(([kind, rounds]): MeasuredRounds => ({ variant, backend, floorOf, kind, rounds })),
  );
}

/** The floor's rules are about both families. */
function onePerTopology(variants: readonly Variant[]): Place[] {
  const places = variants.map(({ place = IPV4_ROUTED }) => place);
  return [...new Map(places.map((place) => [place.topology, place])).values()];
}

function readyScenarios(network: BenchNetwork, variant: Variant, backend: BenchBackend): Ready[] {
  const { floorOf = backend.name, place = IPV4_ROUTED, outcomes = UDP_OUTCOMES } = variant;
  return outcomes.flatMap((outcome): Ready[] => {
    const scenario = variant.scenario(outcome, network(backend.name, place).variant.ends, backend);
    if (scenario === undefined) return [];
    const kept = new Map(KINDS_OF[outcome].map((kind) => [kind, []]));
    return [{ variant, backend: backend.name, floorOf, outcome, scenario, kept }];
  });
}

async function check(network: BenchNetwork, { variant, backend, outcome, scenario }: Ready): Promise<void> {
  try {
    await checkMetRules(network(backend, variant.place ?? IPV4_ROUTED).variant, scenario, outcome);
  } catch (cause) {
    const row = `${variant.axis}, ${variant.name}, ${backend}, ${outcome}`;
    throw new Error(`${row}: ${(cause as Error).message}`, { cause });
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
