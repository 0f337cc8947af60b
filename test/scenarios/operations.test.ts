// What an operator sees while things happen: /healthz, /readyz, /metrics, /status.

import { expect, it } from "vitest";
import type { AgentStatus } from "../../src/agent/agent-status.ts";
import { TIER_POLICIES } from "../../src/kube/resources.ts";
import { Scenario } from "../support/agent-harness.ts";
import { KINDS } from "../support/server-objects.ts";
import { until } from "../support/until.ts";
import { allowOnly, BASE, OTHER, pod } from "./objects.ts";
import { connection } from "./packets.ts";

const RESOURCES = [
  ...["namespaces", "nodes", "networkpolicies.networking.k8s.io", "pods"],
  ...TIER_POLICIES.map(({ name }) => name),
];

it("readiness tells what is missing, from the first moment to the end of an outage; liveness asks for none of it", async () => {
  const scenario = await Scenario.start();
  scenario.put(...BASE);
  scenario.server.addFault(() => ({ kind: "silence" }));
  const running = await scenario.startAgent({ times: { firstRetryMs: 2_000 } });
  const ready = async () => {
    const { status, body } = await running.readyz();
    expect((await running.healthz()).status).toBe(200);
    return { status, lines: body.trimEnd().split("\n") };
  };

  expect(await ready()).toEqual({
    status: 503,
    lines: [
      ...RESOURCES.map((resource) => `[-] ${resource} not synced yet`),
      "[-] rules in force: waits for the first complete state",
    ],
  });

  scenario.server.clearFaults();
  scenario.table.failNextWrite({ kind: "refuse" });
  await until("the first write has failed", async () => (await ready()).lines.at(-1)?.includes("refused, as") ?? false);
  expect(await ready()).toEqual({
    status: 503,
    lines: [
      ...RESOURCES.map((resource) => `[+] ${resource} synced`),
      "[-] rules in force: refused, as the test wants it",
    ],
  });

  const allIsWell = { status: 200, lines: [...RESOURCES.map((each) => `[+] ${each} synced`), "[+] rules in force ok"] };
  await until("it is ready", async () => (await ready()).status === 200);
  expect(await ready()).toEqual(allIsWell);

  await until("every resource is watched", () => scenario.server.watchCount === KINDS.length);
  scenario.server.forbidden = ["/api/v1/pods"];
  scenario.server.cutConnections();
  await until("the outage is told", async () => (await ready()).lines.some((line) => line.includes("forbidden")));
  expect((await ready()).status).toBe(200);
  scenario.server.forbidden = [];
  await until("the outage has ended", async () => JSON.stringify(await ready()) === JSON.stringify(allIsWell));
});

it("metrics count what has happened", async () => {
  const scenario = await Scenario.start();
  scenario.put(...BASE, allowOnly("api", "client"));
  const running = await scenario.startAgent();
  await scenario.inForce();
  scenario.tracker.add(connection("10.1.2.30", "10.1.1.10"));
  scenario.table.setCounter("drop_ingress", 7);

  // A new local pod that a policy isolates; then a policy tightens, which cuts a connection; then a transaction fails.
  scenario.put(pod("api", { address: "10.1.1.50" }));
  await until("the pod is protected", () => scenario.table.changes.some(({ text }) => text.includes("10.1.1.50")));
  scenario.put(allowOnly("web"));
  await scenario.inForce();
  await until("the connection is cut", () => scenario.tracker.open().length === 0);
  scenario.table.failNextWrite({ kind: "die", committed: false });
  scenario.delete(allowOnly("web"));
  await scenario.inForce();

  const metrics = await running.metrics();
  const value = (name: string) => {
    const line = metrics.split("\n").find((each) => each.startsWith(`nftpol_${name} `));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ") + 1));
  };
  const ruleset = scenario.expectedRuleset();
  const elements = [...ruleset.sets.values()].reduce((sum, set) => sum + set.elements.size, 0);
  const rules = [...ruleset.chains.values()].reduce((sum, chain) => sum + chain.rules.length, 0);
  expect({
    created: value('transactions_total{how="created"}'),
    repaired: value('transactions_total{how="repaired"}'),
    failures: value('sync_failures_total{reason="broken"}'),
    podsProtected: value("pod_protection_duration_seconds_count"),
    changes: value("network_programming_duration_seconds_count"),
    cut: value("connections_cut_total"),
    dropped: value('dropped_packets_total{direction="ingress"}'),
    policies: value("policies"),
    known: value('local_pods{state="known"}'),
    isolated: value('local_pods{state="isolated"}'),
    sets: value("sets"),
    elements: value("set_elements"),
    chains: value("chains"),
    rules: value("rules"),
    synced: RESOURCES.map((resource) => value(`reflector_synced{resource="${resource}"}`)),
    built: value('build_info{version="0.0.0-test",backend="nft"}'),
  }).toEqual({
    ...{ created: 1, repaired: 1, failures: 1, podsProtected: 1, changes: 3, cut: 1, dropped: 7 },
    ...{ policies: 1, known: 2, isolated: 1 },
    ...{ sets: ruleset.sets.size, elements, chains: ruleset.chains.size, rules },
    ...{ synced: RESOURCES.map(() => 1), built: 1 },
  });
  const deltas = value('transactions_total{how="delta"}') ?? 0;
  expect(deltas).toBe(scenario.table.changes.length - 2);
});

it("status says which pods are isolated by what, and what is wrong", async () => {
  const scenario = await Scenario.start();
  scenario.put(...BASE, pod("free", { address: "10.1.1.77" }));
  const running = await scenario.startAgent();
  await scenario.inForce();
  scenario.table.failNextWrite({ kind: "refuse" }, 1_000);
  scenario.delete(OTHER, allowOnly("web"));
  await until("it has failed", () => running.logLines.join("").includes("the old rules stay"));
  const status: AgentStatus = await running.agent.report.status();
  expect(status).toMatchObject({
    node: "n1",
    sync: { inForce: false, commits: 1, lastFailure: "refused, as the test wants it" },
    existingConnections: { mode: "recheck", tracker: "memory", cut: 0 },
    policies: 0,
    pods: [{ pod: "shop/free", ingress: null, egress: null }, { pod: "shop/web" }],
  });
});

it("a pod elsewhere that claims the address of one here is told, in log and status, until it is gone", async () => {
  const scenario = await Scenario.start();
  scenario.put(...BASE);
  const running = await scenario.startAgent();
  await scenario.inForce();
  expect((await running.agent.report.status()).findings).toEqual([]);
  const thief = {
    ...pod("thief", { address: "10.1.1.10", startTime: "2026-02-01T00:00:00Z" }),
    spec: { nodeName: "n2", containers: [] },
  };
  scenario.put(thief);
  const message =
    "shop/web on n1 claims the address 10.1.1.10 of shop/thief on n2, which started later and is taken as its owner";
  await until("it is told", () => running.logLines.join("").includes("several live pods claim one address"));
  expect((await running.agent.report.status()).findings).toMatchObject([
    { object: "Pod shop/web", severity: "warning", message },
  ]);
  scenario.delete(thief);
  await until("it has ended", () => running.logLines.join("").includes("they do not claim one address any more"));
  expect((await running.agent.report.status()).findings).toEqual([]);
  await scenario.inForce();
});
