// The kernel's side goes wrong: transactions fail, and others change our table. The rules are always the old ones or the new ones,
// whole, and become the new ones without anybody's help.

import { describe, expect, it } from "vitest";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { Scenario } from "../support/agent-harness.ts";
import type { KernelFault } from "../support/monitored-table.ts";
import type { RunningAgent } from "../support/running-agent.ts";
import { until } from "../support/until.ts";
import { allowOnly, BASE, CLIENT, OTHER, pod } from "./objects.ts";
import { connection, passes } from "./packets.ts";

const FROM_CLIENT = ["10.1.2.20", "10.1.1.10"] as const;
const FROM_OTHER = ["10.1.2.30", "10.1.1.10"] as const;

/** The base is in force: client reaches web, other does not. */
async function startInForce(times = {}): Promise<{ scenario: Scenario; running: RunningAgent }> {
  const scenario = await Scenario.start();
  scenario.put(...BASE);
  const running = await scenario.startAgent({ times });
  await scenario.inForce();
  await until("it is ready", async () => (await running.readyz()).status === 200);
  scenario.table.changes.length = 0;
  return { scenario, running };
}

function verdicts({ table }: Scenario): { readonly client: boolean; readonly other: boolean } {
  return { client: passes(table.ruleset(), ...FROM_CLIENT), other: passes(table.ruleset(), ...FROM_OTHER) };
}

const OLD = { client: true, other: false };
const NEW = { client: false, other: true };

/** A change of class is two transactions: the first makes the new class, which nothing leads to yet, the second leads to it. */
const TRANSACTIONS = ["preparing", "deciding"] as const;

describe.each(TRANSACTIONS)("the %s transaction of a change", (which) => {
  const committed = which === "preparing" ? OLD : NEW;

  it.each<[string, KernelFault, string, object]>([
    ["is refused", { kind: "refuse" }, "refused", OLD],
    ["dies before the commit", { kind: "die", committed: false }, "broken", OLD],
    ["dies after the commit", { kind: "die", committed: true }, "broken", committed],
    ["hangs and is not committed", { kind: "hang", committed: false }, "broken", OLD],
    ["hangs and is committed", { kind: "hang", committed: true }, "broken", committed],
  ])(
    "%s: the rules are whole, and the next try brings them to the policies",
    async (_name, fault, reason, meanwhile) => {
      const { scenario, running } = await startInForce({ firstRetryMs: 3_000 });
      if (which === "deciding") scenario.table.letNextWritePass();
      scenario.table.failNextWrite(fault);
      scenario.put(allowOnly("web", "other"));
      if (fault.kind === "hang") {
        await until("the transaction", () => scenario.table.hangingCalls === 1);
        expect(verdicts(scenario)).toEqual(meanwhile);
        scenario.table.heal();
      }
      await until("it is told", async () => (await running.readyz()).status === 503);
      expect((await running.readyz()).body).toMatch(/^\[-\] rules in force: (refused|nft)/m);
      expect((await running.healthz()).status).toBe(200);
      expect(verdicts(scenario)).toEqual(meanwhile);
      await scenario.inForce();
      await until("it is ready again", async () => (await running.readyz()).status === 200);
      expect(verdicts(scenario)).toEqual(NEW);
      // A committed one is found to be right, and nothing is written again.
      expect(scenario.table.changes).toHaveLength(1);
      expect(await running.metrics()).toContain(`nftpol_sync_failures_total{reason="${reason}"} 1\n`);
      expect(running.logLines.join("")).toContain("the kernel takes changes again");
    },
  );
});

describe("a transaction", () => {
  it("fails ten times, and reading back does, too: the old rules stay, and in the end everything is there", async () => {
    const { scenario, running } = await startInForce();
    scenario.table.failNextWrite({ kind: "refuse" }, 10);
    scenario.table.failNextRead({ kind: "die", committed: false }, 3);
    scenario.put(allowOnly("web", "other"));
    await until("some failures", () => running.logLines.join("").split("the old rules stay").length > 5);
    expect(verdicts(scenario)).toEqual(OLD);
    scenario.put(pod("late", { address: "10.1.1.11" }));
    await scenario.inForce();
    expect(verdicts(scenario)).toEqual(NEW);
    expect(scenario.table.changes).toHaveLength(1);
  });

  it("fails as the first one: what was found stays until it succeeds", async () => {
    const scenario = await Scenario.start();
    scenario.put(...BASE);
    scenario.table.tamper(scenario.expectedRuleset());
    scenario.put(allowOnly("web", "other"));
    scenario.table.failNextWrite({ kind: "die", committed: false }, 2);
    scenario.table.failNextRead({ kind: "die", committed: false });
    const running = await scenario.startAgent({ times: { firstRetryMs: 1_000 } });
    await until("it has failed", () => running.logLines.join("").includes("the old rules stay"));
    expect(verdicts(scenario)).toEqual(OLD);
    expect((await running.readyz()).status).toBe(503);
    await scenario.inForce();
    expect(scenario.table.changes).toHaveLength(1);
    expect(scenario.table.changes[0]?.text).not.toContain("delete table");
  });
});

type Hand = (ours: Ruleset) => { readonly ruleset: Ruleset | undefined; readonly unknown?: string };

const HANDS: readonly [string, Hand][] = [
  ["deletes the table", () => ({ ruleset: undefined })],
  ["empties a map", (ours) => ({ ruleset: { ...ours, sets: emptied(ours, "ingress4") } })],
  ["empties a chain", (ours) => ({ ruleset: { ...ours, chains: without(ours, "forward") } })],
  ["adds a rule of their own", (ours) => ({ ruleset: ours, unknown: "forward" })],
];

function emptied({ sets }: Ruleset, name: string): Ruleset["sets"] {
  const set = sets.get(name);
  if (set?.kind !== "map") throw new Error(`no map ${name}`);
  return new Map(sets).set(name, { ...set, elements: new Map() });
}

function without({ chains }: Ruleset, name: string): Ruleset["chains"] {
  const chain = chains.get(name);
  if (chain === undefined) throw new Error(`no chain ${name}`);
  return new Map(chains).set(name, { ...chain, rules: [] });
}

function lay(hand: Hand, { table }: Scenario): void {
  const { ruleset, unknown } = hand(table.ruleset() as Ruleset);
  table.tamper(
    ruleset,
    unknown === undefined ? [] : [{ where: `chain ${unknown}, rule 9`, json: "{}", chain: unknown }],
  );
}

describe.each(HANDS)("when somebody %s", (_name, hand) => {
  it.each([
    ["it is noticed", true, {}],
    ["unnoticed, a verification finds it", false, { verifyEveryMs: 4_000 }],
  ])(
    "%s and it is repaired in one transaction, and what got in meanwhile is cut",
    async (_how, noticesOthers, times) => {
      const { scenario, running } = await startInForce(times);
      scenario.table.noticesOthers = noticesOthers;
      await running.startLooksDone();
      lay(hand, scenario);
      const allowed = scenario.tracker.add(connection(...FROM_CLIENT));
      scenario.tracker.add(connection(...FROM_OTHER));
      await scenario.inForce();
      expect(scenario.table.changes).toHaveLength(1);
      await until("what is denied is cut", () => scenario.tracker.open().length === 1);
      expect(scenario.tracker.open()).toEqual([allowed]);
      const metrics = await running.metrics();
      expect(metrics).toMatch(/nftpol_drift_total [1-9]/);
      expect(metrics).toMatch(/nftpol_verifications_total\{result="repaired"\} 1\n/);
      expect(running.logLines.join("")).toContain("somebody changed our table: repaired");
    },
  );

  it("a verification that cannot read leaves it to the next sync, and what got in meanwhile is cut", async () => {
    const { scenario, running } = await startInForce({ verifyEveryMs: 4_000 });
    scenario.table.noticesOthers = false;
    await running.startLooksDone();
    scenario.table.failNextRead({ kind: "die", committed: false });
    lay(hand, scenario);
    scenario.tracker.add(connection(...FROM_OTHER));
    await scenario.inForce();
    await until("what is denied is cut", () => scenario.tracker.open().length === 0);
  });
});

it("a deleted table is made anew as soon as a change is refused, and what got in meanwhile is cut", async () => {
  const { scenario, running } = await startInForce();
  scenario.table.noticesOthers = false;
  await running.startLooksDone();
  scenario.table.tamper(undefined);
  const allowed = scenario.tracker.add(connection(...FROM_CLIENT));
  scenario.tracker.add(connection(...FROM_OTHER));
  // It changes one element, and none of the connections.
  scenario.put(pod("another", { address: "10.1.2.40", labels: { app: "client" } }));
  await scenario.inForce();
  await until("what is denied is cut", () => scenario.tracker.open().length === 1);
  expect(scenario.tracker.open()).toEqual([allowed]);
});

it("the end of the agent leaves the rules as they are, also in the middle of trouble", async () => {
  const { scenario, running } = await startInForce();
  const text = await scenario.table.text();
  scenario.table.failNextWrite({ kind: "refuse" }, 1_000);
  scenario.delete(CLIENT, OTHER);
  await until("it has failed", () => running.logLines.join("").includes("the old rules stay"));
  await running.stop();
  expect(await scenario.table.text()).toBe(text);
  expect(scenario.table.changes).toEqual([]);
});
