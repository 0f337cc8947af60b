// From the first request to the first transaction: what the agent finds stays as it is until it knows everything, and is then
// brought to the policies by the difference.

import { describe, expect, it } from "vitest";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { statusObject } from "../api-server/status-object.ts";
import { Scenario } from "../support/agent-harness.ts";
import { MonitoredTable, tableText } from "../support/monitored-table.ts";
import type { ApiObject } from "../support/random-cluster.ts";
import { KINDS, pathOf } from "../support/server-objects.ts";
import { until } from "../support/until.ts";
import { tableOf } from "./earlier-table.ts";
import { allowOnly, BASE, CLIENT, NODES, OTHER, pod, SHOP, WEB } from "./objects.ts";
import { connection, passes } from "./packets.ts";

const BROKEN = {
  kind: "answer",
  status: 500,
  body: JSON.stringify(statusObject(500, "InternalError", "etcd is not there")),
} as const;

const OLD_POLICY = allowOnly("web", "other");
const withOldPolicy = () => tableOf(SHOP, ...NODES, WEB, CLIENT, OTHER, OLD_POLICY);

describe.each(KINDS)("while the API server cannot list %s", (kind) => {
  it("nothing is written and the agent is not ready, however much it knows; then all comes at once", async () => {
    const scenario = await Scenario.start({ table: withOldPolicy() });
    const before = await scenario.table.text();
    scenario.put(...BASE);
    const heal = scenario.server.addFault(({ path }) => (path === pathOf(kind) ? BROKEN : undefined));
    const running = await scenario.startAgent();
    const others = KINDS.filter((other) => other !== kind).length;
    await until("the other resources are known and this one has failed often", async () => {
      const known = (await running.readyz()).body.split("\n").filter((line) => line.startsWith("[+]"));
      return known.length === others && scenario.server.requestsTo(pathOf(kind)).length >= 5;
    });
    scenario.put(pod("late", { address: "10.1.1.99" }));
    const { status, body } = await running.readyz();
    expect(status).toBe(503);
    expect(body).toContain("[-] rules in force: waits for the first complete state");
    expect(body).toMatch(/^\[-\] \S+ not synced yet: .*etcd is not there/m);
    expect((await running.healthz()).status).toBe(200);
    expect(scenario.table.changes).toEqual([]);
    expect(await scenario.table.text()).toBe(before);
    heal();
    await scenario.inForce();
    expect(scenario.table.changes).toHaveLength(1);
    await until("it is ready", async () => (await running.readyz()).status === 200);
  });
});

describe("an existing table", () => {
  it("of other policies is adopted: one transaction with the difference, and unchanged pods never lose their rules", async () => {
    const old = withOldPolicy();
    const db = pod("db", { address: "10.1.1.11" });
    const scenario = await Scenario.start({ table: old });
    scenario.put(...BASE, db, allowOnly("db", "web"));
    const running = await scenario.startAgent();
    await scenario.inForce();
    const [change] = scenario.table.changes;
    expect(scenario.table.changes).toHaveLength(1);
    expect(change?.text).not.toMatch(/(add|delete) table|chain inet nftpol (forward|midstream)/);
    expect(passes(scenario.table.ruleset(), "10.1.2.20", "10.1.1.10")).toBe(true);
    expect(passes(scenario.table.ruleset(), "10.1.2.30", "10.1.1.10")).toBe(false);
    expect(running.logLines.join("")).toContain('"how":"adopted"');
  });

  it("that is right is not touched, and is enforced from then on", async () => {
    const scenario = await Scenario.start({ table: tableOf(...BASE) });
    scenario.put(...BASE);
    const running = await scenario.startAgent();
    await until("it is adopted", () => running.logLines.join("").includes('"how":"adopted"'));
    expect(scenario.table.changes).toEqual([]);
    expect((await running.readyz()).status).toBe(200);
    scenario.delete(allowOnly("web"));
    await scenario.inForce();
    expect(scenario.table.changes).toHaveLength(1);
  });

  it("with objects of others in it is made anew, in one transaction", async () => {
    const scenario = await Scenario.start();
    scenario.put(...BASE);
    const foreign = { where: "set blocked", json: '{"set":{}}', chain: undefined };
    scenario.table.tamper(withOldPolicy(), [foreign]);
    await scenario.startAgent();
    await scenario.inForce();
    expect(scenario.table.changes).toHaveLength(1);
    expect(scenario.table.changes[0]?.text).toMatch(/^add table inet nftpol\ndelete table inet nftpol\nadd table/);
  });
});

it("without any table one is made, in one step that packets notice", async () => {
  const scenario = await Scenario.start();
  scenario.put(...BASE);
  const running = await scenario.startAgent();
  await scenario.inForce();
  expect(scenario.table.changes).toHaveLength(1);
  expect(running.logLines.join("")).toContain('"how":"created"');
});

it("a cluster without any object gets a table that lets everything pass", async () => {
  const scenario = await Scenario.start();
  await scenario.startAgent();
  await scenario.inForce();
  expect(passes(scenario.table.ruleset(), "10.1.2.20", "10.1.1.10")).toBe(true);
});

it("a cluster that does not know our node leaves the table alone until it does", async () => {
  const scenario = await Scenario.start({ table: withOldPolicy() });
  const text = await scenario.table.text();
  const [ours, others] = [NODES[0] as ApiObject, NODES[1] as ApiObject];
  scenario.put(SHOP, others, CLIENT, OTHER);
  const running = await scenario.startAgent();
  await until("it is told", async () => (await running.readyz()).body.includes("has the node name n1"));
  expect((await running.readyz()).status).toBe(503);
  scenario.delete(OTHER);
  scenario.put(allowOnly("web", "client"));
  expect(await scenario.table.text()).toBe(text);
  expect(scenario.table.changes).toEqual([]);
  scenario.put(ours, WEB);
  await scenario.inForce();
  expect(passes(scenario.table.ruleset(), "10.1.2.20", "10.1.1.10")).toBe(true);
});

it("a dry run tells what it would write, and writes nothing", async () => {
  const old = withOldPolicy();
  const scenario = await Scenario.start({ table: old });
  scenario.put(...BASE);
  const text = await scenario.table.text();
  const copy = new MonitoredTable(scenario.table.ruleset());
  const denied = scenario.tracker.add(connection("10.1.2.30", "10.1.1.10"));
  await scenario.startAgent({ dryRun: true, table: copy });
  await until("the copy has been written", () => copy.changes.length > 0);
  expect(tableText(copy.ruleset() as Ruleset)).toBe(tableText(scenario.expectedRuleset()));
  expect(scenario.table.changes).toEqual([]);
  expect(await scenario.table.text()).toBe(text);
  expect(scenario.tracker.open()).toEqual([denied]);
  expect(scenario.server.postedEvents).toEqual([]);
});
