// One random run: a cluster, an agent, and rounds of changes and faults; after each round everything heals.
//
// After healing, within 2 s, the table must be a fresh compile of the server's objects. Healed is a fault when requests and calls
// go well again and connections that were lost are reset; how long silence is put up with is in running-agent.ts, shortened. Every transaction on the way must be what some state means that the agent had been told (never-more-open.ts). Of
// connections that were open, exactly those may have been cut that some state of that time denies, and none is left that is denied now.
// Objects, changes and faults follow from the seed; which of them fall together depends on the machine.

import { Scenario } from "../support/agent-harness.ts";
import type { TableChange } from "../support/monitored-table.ts";
import { type RunningAgent, THIS_NODE } from "../support/running-agent.ts";
import { type Kind, TIER_KINDS } from "../support/server-objects.ts";
import { until } from "../support/until.ts";
import { AgentKnowledge, type VersionWindow } from "./agent-knowledge.ts";
import { judgeTable } from "./never-more-open.ts";
import { OpenConnections, WatchedTracker } from "./open-connections.ts";
import { RandomChanges } from "./random-changes.ts";
import { RandomFaults } from "./random-faults.ts";
import { RandomSource } from "./random-source.ts";
import { sampledFlows } from "./sampled-flows.ts";
import { ServerHistory } from "./server-history.ts";

const ROUNDS = 5;
const STEPS = 40;
const LONGEST_PAUSE_MS = 30;
/** As the issue has it. */
const HEALED_WITHIN_MS = 2_000;
/** In the agent's time. */
const VERIFY_EVERY_MS = 1_500;

export interface RunFigures {
  transactions: number;
  judged: number;
  /** States that might have explained the judged transactions, all together. */
  candidates: number;
  flows: number;
  passed: number;
  connections: number;
  cut: number;
  longestHealMs: number;
}

export const NO_FIGURES: RunFigures = {
  transactions: 0,
  judged: 0,
  candidates: 0,
  flows: 0,
  passed: 0,
  connections: 0,
  cut: 0,
  longestHealMs: 0,
};

export function addFigures(a: RunFigures, b: RunFigures): RunFigures {
  const sums = Object.keys(NO_FIGURES).map((name) => [name, a[name as keyof RunFigures] + b[name as keyof RunFigures]]);
  return { ...Object.fromEntries(sums), longestHealMs: Math.max(a.longestHealMs, b.longestHealMs) } as RunFigures;
}

/** Throws what was wrong; `steps` tells what had happened until then. */
export async function randomRun(seed: number, steps: string[]): Promise<RunFigures> {
  const run = await RandomRun.begin(new RandomSource(seed), steps);
  for (let round = 0; round < ROUNDS; round++) await run.round();
  await run.end();
  return run.figures;
}

class RandomRun {
  readonly figures: RunFigures = { ...NO_FIGURES };
  readonly #random: RandomSource;
  readonly #steps: string[];
  readonly #scenario: Scenario;
  readonly #history: ServerHistory;
  readonly #changes: RandomChanges;
  readonly #faults: RandomFaults;
  readonly #taken: { readonly change: TableChange; readonly window: VersionWindow }[] = [];
  readonly #connections: OpenConnections;
  #knowledge: AgentKnowledge;
  #running: RunningAgent | undefined;

  private constructor(random: RandomSource, steps: string[], scenario: Scenario, tracker: WatchedTracker) {
    this.#random = random;
    this.#steps = steps;
    this.#scenario = scenario;
    this.#history = new ServerHistory(scenario.server.store);
    this.#changes = new RandomChanges(random, this.#history);
    this.#faults = new RandomFaults(random, scenario);
    this.#knowledge = new AgentKnowledge(this.#history);
    scenario.table.onChange = (change) => this.#taken.push({ change, window: this.#knowledge.window });
    this.#connections = new OpenConnections(scenario, tracker, this.#history, () => this.#knowledge.windowUntilNow);
  }

  static async begin(random: RandomSource, steps: string[]): Promise<RandomRun> {
    const streamingLists = random.pick(["served", "refused", "ignored"] as const);
    const unknownLocalPods = random.pick(["allow", "allow", "drop"] as const);
    steps.push(`streaming lists are ${streamingLists}, unknown local pods: ${unknownLocalPods}`);
    const tracker = new WatchedTracker();
    const server = { streamingLists, gzip: random.chance(0.3) };
    const installed = TIER_KINDS.filter(() => random.chance(0.5));
    const scenario = await Scenario.start({ server, tracker, program: { unknownLocalPods }, installed });
    const run = new RandomRun(random, steps, scenario, tracker);
    run.#changes.begin();
    if (random.chance(0.5)) run.#steps.push(run.#faults.happen());
    await run.#startAgent();
    await run.#heal(1);
    return run;
  }

  async round(): Promise<void> {
    const random = this.#random;
    const since = this.#history.length;
    const kind = random.pick<Kind | undefined>([
      undefined,
      undefined,
      "Pod",
      "NetworkPolicy",
      "Namespace",
      "ClusterNetworkPolicy",
    ]);
    this.#steps.push(`round with changes of ${kind ?? "everything"}`);
    for (let step = 0; step < STEPS; step++) {
      this.#steps.push(this.#step(kind));
      if (random.chance(0.5)) this.#connections.begin(random);
      if (random.chance(0.02)) await this.#restartAgent();
      // Nothing is waited for: pauses make rounds fall together with requests in different ways.
      await new Promise((resolve) => setTimeout(resolve, random.below(LONGEST_PAUSE_MS)));
    }
    await this.#heal(since, kind !== undefined);
  }

  #step(kind: Kind | undefined): string {
    const which = this.#random.next();
    if (which < 0.12) return this.#faults.happen();
    if (which < 0.24) return this.#random.chance(0.5) ? this.#faults.heal() : this.#faults.healAll();
    return this.#changes.change(kind);
  }

  async end(): Promise<void> {
    const before = await this.#scenario.table.text();
    await this.#running?.stop();
    this.figures.connections = this.#connections.begun;
    this.figures.cut = this.#connections.cut;
    if ((await this.#scenario.table.text()) !== before) throw new Error("the end of the agent has changed the table");
  }

  /** `oneKind`: since then only one resource has changed. */
  async #heal(since: number, oneKind = false): Promise<void> {
    this.#steps.push(this.#faults.healAll());
    const isHealed = async () => this.#knowledge.isUpToDate() && (await this.#scenario.isInForce());
    const tookMs = await until("the table is what the server's objects mean", isHealed, HEALED_WITHIN_MS).catch(
      async (error) => {
        throw new Error(`${(error as Error).message}\n${await this.#howItIs()}`, { cause: error });
      },
    );
    this.figures.longestHealMs = Math.max(this.figures.longestHealMs, tookMs);
    this.#checkTransactions(oneKind ? this.#history.statesSince(since) : undefined);
    await this.#connections.check(HEALED_WITHIN_MS);
  }

  /** For messages. */
  async #howItIs(): Promise<string> {
    const told = this.#knowledge.isUpToDate() ? "everything has been told" : "not everything has been told";
    const lines = this.#running?.logLines.slice(-12).join("") ?? "";
    return `${told}\n${(await this.#running?.readyz())?.body}${lines}`;
  }

  async #startAgent(): Promise<void> {
    const { wrapSource, wrapBackend } = this.#knowledge;
    const times = { verifyEveryMs: VERIFY_EVERY_MS };
    this.#running = await this.#scenario.startAgent({ wrapSource, wrapBackend, times });
  }

  async #restartAgent(): Promise<void> {
    this.#steps.push("the agent restarts");
    // A hanging nft is killed with the agent.
    this.#scenario.table.heal();
    await this.#running?.stop();
    this.#checkContradictions();
    this.#knowledge = new AgentKnowledge(this.#history);
    await this.#startAgent();
  }

  #checkContradictions(): void {
    if (this.#knowledge.contradictions.length > 0) throw new Error(this.#knowledge.contradictions.join("\n"));
  }

  #checkTransactions(among: ReadonlySet<string> | undefined): void {
    const { table, program } = this.#scenario;
    this.#checkContradictions();
    if (table.refusals.length > 0) throw new Error(table.refusals.join("\n"));
    for (const { change, window } of this.#taken.splice(0)) {
      this.figures.transactions++;
      if (!change.isOurs) continue;
      const { ruleset } = change;
      const flows = sampledFlows(this.#random);
      const answer = judgeTable(this.#history, THIS_NODE, program, { ruleset, window, among, flows });
      if (answer.complaint !== undefined) throw new Error(`${answer.complaint}\nafter\n${change.text}`);
      this.figures.judged++;
      this.figures.candidates += answer.candidates;
      this.figures.flows += flows.length;
      this.figures.passed += answer.passed;
    }
  }
}
