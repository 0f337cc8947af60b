// Kinds of policies whose CRDs come and go: the agent waits until it knows which there are, reads those, and takes up and lets go of
// others while it runs. What must not be taken for a removal is in policy-kind-faults.test.ts.

import { describe, expect, it } from "vitest";
import type { AgentStatus } from "../../src/agent/agent-status.ts";
import { CLUSTER_NETWORK_POLICIES, TIER_POLICIES } from "../../src/kube/resources.ts";
import { Scenario } from "../support/agent-harness.ts";
import type { ApiObject } from "../support/random-cluster.ts";
import { KINDS, TIER_KINDS } from "../support/server-objects.ts";
import { until } from "../support/until.ts";
import { tableOf } from "./earlier-table.ts";
import { adminDeny, baselineDeny, clusterDeny, NODES } from "./objects.ts";
import { passes } from "./packets.ts";
import {
  CLUSTER_LIST,
  DISCOVERY_TROUBLE,
  GROUP,
  loud,
  nextLooks,
  openFrom,
  PODS,
  startInForce,
  told,
} from "./policy-kind-scenes.ts";

describe("at the start", () => {
  it("kinds that are not installed are normal: one line of the log, and no question for their objects", async () => {
    const { scenario, running } = await startInForce({ installed: [] });
    await nextLooks(scenario, 3);
    expect(loud(running)).toEqual([]);
    expect(told(running, "it is known which kinds")).toBe(1);
    const { body } = await running.readyz();
    for (const { name, path } of TIER_POLICIES) {
      expect(body).toContain(`[+] ${name} not installed\n`);
      expect(scenario.server.requestsTo(path)).toEqual([]);
    }
    expect(await running.metrics()).not.toContain("policy.networking.k8s.io");
    const { sources }: AgentStatus = await running.agent.report.status();
    expect(sources.slice(-3)).toMatchObject(
      TIER_POLICIES.map(({ name }) => ({ resource: name, installed: false, synced: true, failures: 0 })),
    );
  });

  it.each([
    ["the new kind", ["ClusterNetworkPolicy"], [clusterDeny("other")]],
    ["an old kind", ["AdminNetworkPolicy"], [adminDeny("other")]],
    ["all kinds", TIER_KINDS, [clusterDeny("other"), adminDeny("other", "deny-2"), baselineDeny("other")]],
  ] as const)("policies of %s are enforced", async (_which, installed, policies) => {
    const { scenario, running } = await startInForce({ installed }, ...policies);
    expect(openFrom(scenario, "other")).toBe(false);
    expect(openFrom(scenario, "client")).toBe(true);
    expect(await running.metrics()).toContain(`nftpol_policies ${policies.length}\n`);
    expect(loud(running)).toEqual([]);
  });

  it.each(DISCOVERY_TROUBLE)(
    "nothing is written while the question which there are %s; then all comes at once",
    async (_how, trouble) => {
      const table = tableOf(...PODS, clusterDeny("client"));
      const scenario = await Scenario.start({ table });
      const text = await scenario.table.text();
      scenario.put(...PODS, clusterDeny("other"), adminDeny("other"));
      const heal = scenario.server.addFault(trouble);
      const running = await scenario.startAgent();
      await until("everything else is known and the question has failed", async () => {
        const { body } = await running.readyz();
        return body.split("\n").filter((line) => line.startsWith("[+]")).length >= 4 && /not known: /.test(body);
      });
      await nextLooks(scenario, 2);
      const { status, body } = await running.readyz();
      expect(status).toBe(503);
      expect(body).toMatch(
        /^\[-\] clusternetworkpolicies\S+ not synced yet: whether it is installed is not known: \S+/m,
      );
      expect(body).toContain("[-] rules in force: waits for the first complete state");
      expect((await running.healthz()).status).toBe(200);
      expect(scenario.table.changes).toEqual([]);
      expect(await scenario.table.text()).toBe(text);
      expect(told(running, "the API server does not tell which kinds")).toBeGreaterThan(0);
      expect(await running.metrics()).toContain(
        `nftpol_reflector_synced{resource="${CLUSTER_NETWORK_POLICIES.name}"} 0\n`,
      );
      heal();
      await scenario.inForce();
      expect(scenario.table.changes).toHaveLength(1);
      await until("it is ready", async () => (await running.readyz()).status === 200);
    },
  );

  it("a kind that may not be listed is waited for, until it is not installed any more", async () => {
    const scenario = await Scenario.start({ table: tableOf(...PODS, clusterDeny("client")) });
    const text = await scenario.table.text();
    scenario.put(...PODS, clusterDeny("other"));
    scenario.server.forbidden = [CLUSTER_LIST];
    const running = await scenario.startAgent();
    const forbidden =
      /^\[-\] clusternetworkpolicies\S+ not synced yet: not allowed to (list|watch) clusternetworkpolicies/m;
    await until("it is told", async () => forbidden.test((await running.readyz()).body));
    await nextLooks(scenario, 3);
    expect(await scenario.table.text()).toBe(text);
    scenario.uninstall("ClusterNetworkPolicy");
    await scenario.inForce();
    expect(openFrom(scenario, "client")).toBe(true);
    await until("it is ready", async () => (await running.readyz()).status === 200);
  });

  it("the table of an agent before is adopted, and never open in between", async () => {
    const { scenario, running } = await startInForce({}, clusterDeny("other"), baselineDeny("client"));
    await running.stop();
    scenario.server.addFault(({ path }) => (path.startsWith(GROUP) ? { kind: "late", delayMs: 200 } : undefined));
    const next = await scenario.startAgent();
    await until("it is ready", async () => (await next.readyz()).status === 200);
    expect(scenario.table.changes).toEqual([]);
    expect(told(next, "rules in force")).toBe(1);
  });

  it("kinds that are served only in versions that are not read are told everywhere, and wait for nothing", async () => {
    const scenario = await Scenario.start({ installed: [] });
    scenario.put(...PODS);
    scenario.server.store.addResource(`${GROUP}/v1beta1/clusternetworkpolicies`, "List", `${GROUP.slice(6)}/v1beta1`);
    const running = await scenario.startAgent();
    await scenario.inForce();
    const { name } = CLUSTER_NETWORK_POLICIES;
    await until(
      "it is told",
      () => told(running, "installed in this cluster, but its policies are not enforced") === 1,
    );
    expect((await running.agent.report.status()).unenforcedKinds).toEqual([name]);
    expect(await running.metrics()).toContain(`nftpol_unenforced_policy_kind{resource="${name}"} 1\n`);
    scenario.install("ClusterNetworkPolicy");
    scenario.put(clusterDeny("other"));
    await until("the version that is read is enforced", () => !openFrom(scenario, "other"));
    expect((await running.agent.report.status()).unenforcedKinds).toEqual([]);
  });
});

describe("a kind that is installed later", () => {
  it("is enforced from then on, and the agent stays as it was until then", async () => {
    const { scenario, running } = await startInForce({ installed: [] });
    scenario.install("AdminNetworkPolicy");
    scenario.put(adminDeny("other"));
    await until("it is enforced", () => !openFrom(scenario, "other"));
    scenario.install("ClusterNetworkPolicy", "BaselineAdminNetworkPolicy");
    scenario.put(clusterDeny("client"));
    await until("the others are, too", () => !openFrom(scenario, "client"));
    await scenario.inForce();
    expect(told(running, "installed in this cluster: its policies are read")).toBe(3);
    expect(loud(running)).toEqual([]);
    await until("all are synced", async () => !(await running.readyz()).body.includes("not installed"));
  });

  it("and may not be listed is told, until it may; the rules stay, and other policies go on to be enforced", async () => {
    const { scenario, running } = await startInForce({ installed: [] });
    scenario.server.forbidden = [CLUSTER_LIST];
    scenario.install(...TIER_KINDS);
    scenario.put(clusterDeny("other"), adminDeny("client"));
    await until("another kind is enforced", () => !openFrom(scenario, "client"));
    await until("it is told", async () =>
      /^\[-\] clusternetworkpolicies.* not allowed to/m.test((await running.readyz()).body),
    );
    expect(openFrom(scenario, "other")).toBe(true);
    expect((await running.readyz()).body).toContain("[+] rules in force ok");
    scenario.server.forbidden = [];
    await until("it is enforced", () => !openFrom(scenario, "other"));
    await until("it is ready", async () => (await running.readyz()).status === 200);
  });
});

describe("a kind that is removed", () => {
  it("has no policies any more, nor a watch", async () => {
    const { scenario, running } = await startInForce({}, clusterDeny("other"), adminDeny("client"));
    scenario.uninstall("ClusterNetworkPolicy");
    await until("they are gone", () => openFrom(scenario, "other"));
    await until(
      "it is told",
      () => told(running, "not installed in this cluster any more: its policies are gone") === 1,
    );
    expect(openFrom(scenario, "client")).toBe(false);
    const { status, body } = await running.readyz();
    expect(status).toBe(200);
    expect(body).toContain(`[+] ${CLUSTER_NETWORK_POLICIES.name} not installed\n`);
    const asked = scenario.server.requestsTo(CLUSTER_LIST).length;
    await nextLooks(scenario, 3);
    expect(scenario.server.requestsTo(CLUSTER_LIST)).toHaveLength(asked);
  });

  it("without a word loses its policies at once and in one transaction, when that is sure", async () => {
    const policies = [clusterDeny("other"), clusterDeny("client", "deny-2")];
    const { scenario, running } = await startInForce({}, ...policies, adminDeny("other"));
    scenario.server.store.hideResource(CLUSTER_LIST);
    await until("they are gone", () => openFrom(scenario, "client"));
    expect(openFrom(scenario, "other")).toBe(false);
    expect(scenario.table.changes).toHaveLength(1);
    expect(running.logLines.join("")).toContain('"policies":2,"msg":"not installed in this cluster any more');
    await scenario.inForce();
  });

  it("while the server was away loses them after the outage", async () => {
    const { scenario, running } = await startInForce({}, clusterDeny("other"), adminDeny("client"));
    const heal = scenario.server.addFault(() => ({ kind: "reset" }));
    scenario.server.cutConnections();
    scenario.server.store.hideResource(CLUSTER_LIST);
    await until("the outage is told", () => loud(running).length >= KINDS.length);
    await nextLooks(scenario, 3);
    expect(scenario.table.changes).toEqual([]);
    heal();
    await until("they are gone", () => openFrom(scenario, "other"));
    await scenario.inForce();
    expect(openFrom(scenario, "client")).toBe(false);
  });

  it("and installed anew has the new policies only", async () => {
    const { scenario } = await startInForce({}, clusterDeny("other"));
    scenario.server.store.hideResource(CLUSTER_LIST);
    scenario.install("ClusterNetworkPolicy");
    scenario.put(clusterDeny("client", "another"));
    await until("the new one is enforced", () => !openFrom(scenario, "client"));
    await scenario.inForce();
    expect(openFrom(scenario, "other")).toBe(true);
  });

  it("comes back after a while, as often as it likes", async () => {
    const { scenario, running } = await startInForce({}, clusterDeny("other"));
    for (let time = 1; time <= 3; time++) {
      scenario.uninstall("ClusterNetworkPolicy");
      await until("it is gone", () => told(running, "not installed in this cluster any more: its") === time);
      await until("its policies are gone", () => openFrom(scenario, "other"));
      scenario.install("ClusterNetworkPolicy");
      scenario.put(clusterDeny("other"));
      await until("it is back", () => !openFrom(scenario, "other"));
    }
    await scenario.inForce();
  });
});

it("nodes are peers with the labels and addresses that they have now", async () => {
  const [, node] = NODES as readonly [ApiObject, ApiObject];
  const egress = [{ action: "Deny", to: [{ nodes: { matchLabels: { role: "infra" } } }] }];
  const deny = clusterDeny("nobody");
  const { scenario } = await startInForce({}, { ...deny, spec: { ...(deny.spec as object), egress } });
  const reaches = () => passes(scenario.table.ruleset(), "10.1.1.10", "10.9.0.2");
  expect(reaches()).toBe(true);
  scenario.put({ ...node, metadata: { name: "n2", labels: { role: "infra" } } });
  await until("it is denied", () => !reaches());
  scenario.put(node);
  await until("it is allowed again", reaches);
  await scenario.inForce();
});

it("an invalid policy of the whole cluster is closed, named as it is, and told to its author", async () => {
  const invalid = {
    ...adminDeny("other", "typo"),
    spec: { priority: 10, subject: { namespaces: {} }, ingress: [{ action: "Alow" }] },
  };
  const { scenario, running } = await startInForce({}, invalid);
  expect(openFrom(scenario, "client")).toBe(false);
  await until("the Event", () => scenario.server.postedEvents.length === 1);
  expect(scenario.server.postedEvents[0]).toMatchObject({
    metadata: { namespace: "default" },
    reason: "InvalidPolicy",
    regarding: { kind: "AdminNetworkPolicy", apiVersion: "policy.networking.k8s.io/v1alpha1", name: "typo" },
  });
  const { findings } = await running.agent.report.status();
  expect(new Set(findings.map(({ object }) => object))).toEqual(new Set(["policy AdminNetworkPolicy/typo"]));
  expect(await running.metrics()).toContain('nftpol_objects_with_findings{kind="policy",severity="error"} 1\n');
  scenario.delete(invalid);
  await until("it is well", async () => (await running.agent.report.status()).findings.length === 0);
});
