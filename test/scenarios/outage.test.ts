// The API server goes away, or the agent does: the rules stay as they are, and afterwards they become what the server has by then.

import { describe, expect, it } from "vitest";
import { statusObject } from "../api-server/status-object.ts";
import { Scenario } from "../support/agent-harness.ts";
import type { RunningAgent } from "../support/running-agent.ts";
import { KINDS, pathOf } from "../support/server-objects.ts";
import { until } from "../support/until.ts";
import { allowOnly, BASE, CLIENT, pod, policy, SHOP, WEB } from "./objects.ts";
import { passes } from "./packets.ts";

async function startInForce(): Promise<{ scenario: Scenario; running: RunningAgent }> {
  const scenario = await Scenario.start();
  scenario.put(...BASE);
  const running = await scenario.startAgent();
  await scenario.inForce();
  await until("it is ready", async () => (await running.readyz()).status === 200);
  await until("every resource is watched", () => scenario.server.watchCount === KINDS.length);
  scenario.table.changes.length = 0;
  return { scenario, running };
}

/** Deletions, a pod under an old name, an address that has moved, another policy: nothing of it is told while it happens. */
function changeEverything(scenario: Scenario): void {
  scenario.delete(CLIENT, allowOnly("web"));
  scenario.put(
    pod("web", { address: "10.1.1.12", uid: "another" }),
    pod("stranger", { address: "10.1.1.10" }),
    pod("helper", { address: "10.1.2.21", labels: { app: "client" } }),
    policy("all-web", { podSelector: { matchLabels: { app: "web" } }, ingress: [{ from: [{ podSelector: {} }] }] }),
  );
}

/** With the default delays (0.8 s, doubled up to 15 s, and up to twice that) nine tries take more than a minute. */
const TRIES = 9;
/** With the default times an answer that does not come is awaited for 20 s. */
const LONG_TRIES = 3;

const TROUBLE: readonly [string, number, (scenario: Scenario) => void][] = [
  ["is gone", TRIES, ({ server }) => void server.addFault(() => ({ kind: "reset" }))],
  ["answers 503", TRIES, ({ server }) => void server.addFault(() => unavailable())],
  [
    "does not know us any more",
    TRIES,
    ({ server }) => {
      server.tokens = ["second-token"];
    },
  ],
  [
    "forbids everything",
    TRIES,
    ({ server }) => {
      server.forbidden = KINDS.map(pathOf);
    },
  ],
  ["cannot be reached", LONG_TRIES, ({ network }) => network.blackhole()],
];

function unavailable() {
  const body = JSON.stringify(statusObject(503, "ServiceUnavailable", "the server is restarting"));
  return { kind: "answer", status: 503, headers: { "retry-after": "1" }, body } as const;
}

function heal(scenario: Scenario): void {
  scenario.server.clearFaults();
  scenario.server.forbidden = [];
  scenario.writeToken(scenario.server.tokens[0] as string);
  scenario.network.heal();
}

function failures(metrics: string): number[] {
  return [...metrics.matchAll(/^nftpol_reflector_failures_total\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
}

describe.each(TROUBLE)("the API server %s for the %d tries of a minute", (_name, tries, begin) => {
  it.each([
    ["its history is there", false],
    ["its history is compacted meanwhile", true],
  ])(
    "%s: the rules stay, the agent stays ready and alive; then everything follows at once",
    async (_how, compacted) => {
      const { scenario, running } = await startInForce();
      const text = await scenario.table.text();
      begin(scenario);
      scenario.server.cutConnections();
      changeEverything(scenario);
      if (compacted) scenario.server.store.compact();
      await until(
        "every resource has failed often",
        async () => failures(await running.metrics()).every((count) => count >= tries),
        30_000,
      );
      expect(await scenario.table.text()).toBe(text);
      expect(scenario.table.changes).toEqual([]);
      const { status, body } = await running.readyz();
      expect(status).toBe(200);
      expect(body.match(/^\[\+\] \S+ synced: .*$/gm)).toHaveLength(KINDS.length);
      expect((await running.healthz()).status).toBe(200);
      heal(scenario);
      await scenario.inForce();
      expect(passes(scenario.table.ruleset(), "10.1.2.20", "10.1.1.12")).toBe(false);
      expect(passes(scenario.table.ruleset(), "10.1.2.21", "10.1.1.12")).toBe(true);
      await until("no failure is shown any more", async () => !(await running.readyz()).body.includes("synced:"));
      expect(running.logLines.join("")).toContain("watching again");
    },
  );
});

describe("the agent is away", () => {
  it("and everything changes: the next one brings the difference, in one transaction, and the table is there all the time", async () => {
    const { scenario, running } = await startInForce();
    await running.stop();
    const text = await scenario.table.text();
    changeEverything(scenario);
    expect(await scenario.table.text()).toBe(text);
    await scenario.startAgent();
    await scenario.inForce();
    expect(scenario.table.changes).toHaveLength(1);
    expect(scenario.table.changes[0]?.text).not.toMatch(/(add|delete) table|chain inet nftpol (forward|midstream)/);
  });

  it("and nothing changes: the next one writes nothing", async () => {
    const { scenario, running } = await startInForce();
    await running.stop();
    const next = await scenario.startAgent();
    await until("it is ready", async () => (await next.readyz()).status === 200);
    expect(scenario.table.changes).toEqual([]);
  });

  it("and leaves in the middle of a write: the next one finds the old rules or the new ones, and goes on", async () => {
    for (const committed of [false, true]) {
      const { scenario, running } = await startInForce();
      scenario.table.failNextWrite({ kind: "hang", committed });
      scenario.put(allowOnly("web"));
      await until("the write", () => scenario.table.hangingCalls === 1);
      const stopped = running.stop();
      scenario.table.heal();
      await stopped;
      await scenario.startAgent();
      await scenario.inForce();
      expect(scenario.table.changes).toHaveLength(1);
      expect(passes(scenario.table.ruleset(), "10.1.2.20", "10.1.1.10")).toBe(false);
    }
  });
});

it("an agent that stops answers everything that was asked, writes nothing more and holds no connection", async () => {
  const { scenario, running } = await startInForce();
  const text = await scenario.table.text();
  await running.stop();
  scenario.delete(SHOP, WEB, allowOnly("web"));
  await until("no connection is left", () => scenario.server.openConnectionCount === 0);
  expect(await scenario.table.text()).toBe(text);
  expect(scenario.table.changes).toEqual([]);
});
