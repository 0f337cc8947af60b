// Objects as they come in practice: invalid policies, pods that wait for an address, end, share the node's or hand theirs on.

import { describe, expect, it } from "vitest";
import { Scenario } from "../support/agent-harness.ts";
import type { ApiObject } from "../support/random-cluster.ts";
import type { RunningAgent } from "../support/running-agent.ts";
import { until } from "../support/until.ts";
import { allowOnly, BASE, pod, policy } from "./objects.ts";
import { passes } from "./packets.ts";

const DB = pod("db", { address: "10.1.1.11" });

async function startInForce(...more: readonly ApiObject[]): Promise<{ scenario: Scenario; running: RunningAgent }> {
  const scenario = await Scenario.start();
  scenario.put(...BASE, ...more);
  const running = await scenario.startAgent();
  await scenario.inForce();
  scenario.table.changes.length = 0;
  return { scenario, running };
}

/** No watch tells what happens here; a list tells what came of it, in one batch. */
function missed(scenario: Scenario, change: () => void): void {
  scenario.server.cutConnections();
  change();
  scenario.server.store.compact();
}

describe("an invalid policy", () => {
  const invalid = (port: unknown) =>
    policy("broken", {
      podSelector: { matchLabels: { app: "db" } },
      ingress: [{ from: [{ podSelector: {} }], ports: [{ port }] }, { from: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }],
    });
  const findings = 'nftpol_objects_with_findings{kind="policy",severity="error"}';

  it("closes its subject by its broken rule, keeps its sound ones, and leaves everybody else alone", async () => {
    const { scenario } = await startInForce(DB);
    expect(passes(scenario.table.ruleset(), "10.1.2.20", "10.1.1.11")).toBe(true);
    scenario.put(invalid(99_999));
    await scenario.inForce();
    const ruleset = scenario.table.ruleset();
    expect(passes(ruleset, "10.1.2.20", "10.1.1.11")).toBe(false);
    expect(passes(ruleset, "192.0.2.1", "10.1.1.11")).toBe(true);
    expect(passes(ruleset, "10.1.2.20", "10.1.1.10")).toBe(true);
    expect(passes(ruleset, "10.1.2.30", "10.1.1.10")).toBe(false);
  });

  it("is told once for each thing that is wrong, by an Event, a log line and a metric, until it is sound", async () => {
    const { scenario, running } = await startInForce(DB);
    const { postedEvents } = scenario.server;
    scenario.put(invalid(99_999));
    await until("an Event", () => postedEvents.length === 1);
    expect(postedEvents[0]).toMatchObject({
      reason: "InvalidPolicy",
      type: "Warning",
      reportingInstance: "n1",
      regarding: { kind: "NetworkPolicy", namespace: "shop", name: "broken" },
      note: expect.stringMatching(/spec\.ingress\[0\]\.ports\[0\]\.port.*99999/),
    });
    await until("the metric", async () => (await running.metrics()).includes(`${findings} 1\n`));
    expect(running.logLines.join("")).toContain("invalid object: what it declares is closed");
    // Written again with the same fault, and listed again.
    const before = (await running.metrics()).match(/reflector_relists_total\{resource="networkpolicies\S+ (\d+)/)?.[1];
    missed(scenario, () =>
      scenario.put({ ...invalid(99_999), metadata: { ...invalid(0).metadata, labels: { touched: "yes" } } }),
    );
    const relisted = `reflector_relists_total{resource="networkpolicies.networking.k8s.io"} ${Number(before) + 1}`;
    await until("another list", async () => (await running.metrics()).includes(relisted));
    scenario.put(invalid(70_000));
    await until("another Event", () => postedEvents.length === 2);
    expect(postedEvents[1]).toMatchObject({ note: expect.stringContaining("70000") });
    expect(scenario.server.requests.filter(({ method }) => method === "POST")).toHaveLength(2);
    scenario.put(invalid(80));
    await until("the metric ends", async () => !(await running.metrics()).includes(findings));
    expect(await running.metrics()).toContain('nftpol_kubernetes_events_total{outcome="created"} 2\n');
  });

  it("that was told before the agent restarted, or by another node, is not told twice", async () => {
    const { scenario, running } = await startInForce(DB, invalid(99_999));
    await until("an Event", () => scenario.server.postedEvents.length === 1);
    await running.stop();
    const next = await scenario.startAgent();
    const known = 'nftpol_kubernetes_events_total{outcome="known"} 1\n';
    await until("it is known", async () => (await next.metrics()).includes(known));
    expect(scenario.server.postedEvents).toHaveLength(1);
  });

  it("does not stop an agent that may not report Events", async () => {
    const scenario = await Scenario.start();
    scenario.put(...BASE, DB, invalid(99_999));
    const body = JSON.stringify({ kind: "Status", status: "Failure", reason: "Forbidden", message: "no", code: 403 });
    scenario.server.addFault(({ method }) => (method === "POST" ? { kind: "answer", status: 403, body } : undefined));
    const running = await scenario.startAgent();
    await scenario.inForce();
    const failed = 'nftpol_kubernetes_events_total{outcome="failed"} 1\n';
    await until("it has failed", async () => (await running.metrics()).includes(failed));
    expect((await running.readyz()).status).toBe(200);
  });
});

describe("a new pod that a known policy isolates", () => {
  it("appears in the table together with its rules, in the transaction in which its address first appears", async () => {
    const { scenario } = await startInForce(allowOnly("api", "client"), pod("api"));
    expect(scenario.table.changes).toEqual([]);
    scenario.put(pod("api", { address: "10.1.1.50" }));
    await scenario.inForce();
    const first = scenario.table.changes.find(({ text }) => text.includes("10.1.1.50"));
    expect(first?.text).toMatch(
      /add element inet nftpol ingress4 \{ 10\.1\.1\.50 : jump ingress4_shop\.only-api_\w+ \}/,
    );
    expect(first?.text).toMatch(/add rule inet nftpol ingress4_shop\.only-api_\w+ tcp dport 80 /);
    expect(passes(first?.ruleset, "10.1.2.20", "10.1.1.50")).toBe(true);
    expect(passes(first?.ruleset, "10.1.2.30", "10.1.1.50")).toBe(false);
    expect(scenario.table.changes).toHaveLength(1);
  });

  it("does so also where others of its kind are there already, and where it is a peer of others", async () => {
    const allowed = policy("peers", {
      podSelector: { matchLabels: { app: "web" } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: "api" } } }] }],
    });
    const { scenario } = await startInForce(
      allowOnly("api"),
      pod("api-1", { address: "10.1.1.51", labels: { app: "api" } }),
      allowed,
    );
    scenario.put(pod("api-2", { address: "10.1.1.52", labels: { app: "api" } }));
    await scenario.inForce();
    const mentions = scenario.table.changes.filter(({ text }) => text.includes("10.1.1.52"));
    expect(mentions).toHaveLength(1);
    expect(passes(mentions[0]?.ruleset, "10.1.2.20", "10.1.1.52")).toBe(false);
    expect(passes(mentions[0]?.ruleset, "10.1.1.52", "10.1.1.10")).toBe(true);
  });
});

it("with strict start an address of this node is closed until its pod is known, and then has the pod's rules at once", async () => {
  const scenario = await Scenario.start({ program: { unknownLocalPods: "drop" } });
  scenario.put(...BASE, allowOnly("api", "client"));
  await scenario.startAgent();
  await scenario.inForce();
  expect(passes(scenario.table.ruleset(), "10.1.2.20", "10.1.1.50")).toBe(false);
  expect(passes(scenario.table.ruleset(), "10.1.1.50", "198.51.100.1")).toBe(false);
  expect(passes(scenario.table.ruleset(), "10.1.2.20", "10.1.1.10")).toBe(true);
  scenario.put(pod("api", { address: "10.1.1.50" }));
  await scenario.inForce();
  expect(passes(scenario.table.ruleset(), "10.1.2.20", "10.1.1.50")).toBe(true);
  expect(passes(scenario.table.ruleset(), "10.1.1.50", "198.51.100.1")).toBe(true);
  expect(scenario.table.changes.every(({ ruleset }) => !passes(ruleset, "10.1.2.30", "10.1.1.50"))).toBe(true);
});

describe("a pod", () => {
  it("without an address takes no part, and no finding is made of it", async () => {
    const { scenario, running } = await startInForce(pod("waiting"), allowOnly("waiting"));
    expect(await scenario.isInForce()).toBe(true);
    expect(await running.metrics()).toContain('nftpol_local_pods{state="known"} 1\n');
    expect(await running.metrics()).not.toContain("nftpol_objects_with_findings{");
    expect(scenario.server.postedEvents).toEqual([]);
  });

  it("that has finished hands its address on: the next pod gets its own rules with it, not those of the old one", async () => {
    const job = pod("job", { address: "10.1.1.60", labels: { app: "job" } });
    const { scenario } = await startInForce(job, allowOnly("job", "client"), allowOnly("next", "other"));
    expect(passes(scenario.table.ruleset(), "10.1.2.20", "10.1.1.60")).toBe(true);
    missed(scenario, () => {
      scenario.put(pod("job", { address: "10.1.1.60", labels: { app: "job" }, phase: "Succeeded" }));
      scenario.put(pod("next", { address: "10.1.1.60" }));
    });
    await scenario.inForce();
    expect(passes(scenario.table.ruleset(), "10.1.2.20", "10.1.1.60")).toBe(false);
    expect(passes(scenario.table.ruleset(), "10.1.2.30", "10.1.1.60")).toBe(true);
    expect(scenario.table.changes).toHaveLength(1);
    // Then the finished one is removed: nothing of that matters, and the next change says nothing about the address.
    scenario.delete(job);
    scenario.put(pod("another", { address: "10.1.2.90", labels: { app: "client" } }));
    await scenario.inForce();
    expect(scenario.table.changes).toHaveLength(2);
    expect(scenario.table.changes[1]?.text).not.toContain("10.1.1.60");
  });

  it("with an address that an older pod still has takes it over, and the old one gets it back when it goes", async () => {
    const old = pod("web-old", { address: "10.1.1.70", labels: { app: "web" } });
    const { scenario } = await startInForce(old);
    const young = pod("young", { address: "10.1.1.70", startTime: "2026-02-01T00:00:00Z" });
    scenario.put(young);
    await until("it is young's", () => passes(scenario.table.ruleset(), "10.1.2.30", "10.1.1.70"));
    scenario.delete(young);
    await until("it is the old one's", () => !passes(scenario.table.ruleset(), "10.1.2.30", "10.1.1.70"));
    expect(await scenario.isInForce()).toBe(true);
  });

  it("of the host network is selected by nothing, whatever its labels", async () => {
    const agent = pod("web-agent", { address: "10.9.0.1", labels: { app: "web" }, hostNetwork: true });
    const { scenario } = await startInForce(
      agent,
      pod("client-agent", { address: "10.9.0.2", labels: { app: "client" }, hostNetwork: true }),
    );
    expect(await scenario.table.text()).not.toMatch(/10\.9\.0\.[12]/);
    expect(passes(scenario.table.ruleset(), "10.9.0.2", "10.1.1.10")).toBe(false);
  });

  it("that is another one under the same name is treated as another one, though its end was missed", async () => {
    const { scenario } = await startInForce();
    missed(scenario, () =>
      scenario.put(pod("web", { address: "10.1.1.80", labels: { app: "other-web" }, uid: "second" })),
    );
    await scenario.inForce();
    expect(await scenario.table.text()).not.toContain("10.1.1.10");
    expect(passes(scenario.table.ruleset(), "10.1.2.30", "10.1.1.80")).toBe(true);
  });
});
