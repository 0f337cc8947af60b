// All variants of all backends again and again, in another order in each round; at the end some again that the machine never left in
// peace. Owns the rounds, and what is kept of them.

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
  /** At most so many more for what `disturbed` names. */
  readonly extraRounds: number;
  readonly disturbed: (measured: readonly MeasuredRounds[]) => ReadonlySet<MeasuredRounds>;
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
  readonly kept: readonly MeasuredRounds[];
}

/** In the order of the variants. Checks first that every scenario's packets meet the rules that they should; throws where they do not. */
export async function measureRounds(
  network: BenchNetwork,
  variants: readonly Variant[],
  { backends, rounds, extraRounds, disturbed, plan, onStep }: RoundSettings,
): Promise<MeasuredRounds[]> {
  for (const backend of backends)
    for (const place of onePerTopology(variants))
      for (const outcome of OUTCOMES) await network(backend.name, place).floor[outcome].load(backend.floor(outcome));
  const ready = variants.flatMap((variant) => backends.flatMap((backend) => readyScenarios(network, variant, backend)));
  for (const [index, each] of ready.entries()) {
    onStep(`checked ${index} of ${ready.length} sets of rules`);
    await check(network, each);
  }
  const measured = ready.flatMap(({ kept }) => kept);
  for (let round = 0; round < rounds; round++) {
    onStep(`round ${round + 1} of ${rounds}`);
    for (const each of shuffled(ready)) await measure(network, each, plan);
  }
  for (let round = 0; round < extraRounds; round++) {
    const wanted = disturbed(measured);
    const again = ready.filter(({ kept }) => kept.some((each) => wanted.has(each)));
    onStep(`${again.length} sets of rules again, round ${round + 1} of ${extraRounds}`);
    for (const each of shuffled(again)) await measure(network, each, plan);
  }
  return measured;
}

async function measure(network: BenchNetwork, ready: Ready, plan: PairPlan): Promise<void> {
  const { variant, backend, floorOf, outcome, scenario, kept } = ready;
  const { place = IPV4_ROUTED } = variant;
  const opponents = { floor: network(floorOf, place).floor[outcome], variant: network(backend, place).variant };
  const pairs = await measureScenario(opponents, outcome, scenario, plan);
  for (const { kind, rounds } of kept) rounds.push(pairs.get(kind) ?? []);
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
    const kept = KINDS_OF[outcome].map(
      (kind): MeasuredRounds => ({ variant, backend: backend.name, floorOf, kind, rounds: [] }),
    );
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
