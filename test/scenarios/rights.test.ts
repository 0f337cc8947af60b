// The agent with exactly the rights of deploy/base: they are enough for all that it does, and none can be left out.

import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { snapshotCluster } from "../../src/kube/snapshot.ts";
import type { StreamingLists } from "../api-server/api-answers.ts";
import { clusterOf, writeKubeconfig } from "../api-server/kubeconfig-files.ts";
import { Scenario, type ScenarioOptions } from "../support/agent-harness.ts";
import { ClusterRights, type PolicyRule, type Right, rightName, rightsOf } from "../support/cluster-rights.ts";
import { buildKustomization } from "../support/kustomize.ts";
import type { ApiObject } from "../support/random-cluster.ts";
import type { RunningAgent } from "../support/running-agent.ts";
import { KINDS, pathOf } from "../support/server-objects.ts";
import { until } from "../support/until.ts";
import { adminDeny, allowOnly, BASE, baselineDeny, clusterDeny, pod, policy } from "./objects.ts";

const { objects } = buildKustomization(resolve(import.meta.dirname, "../../deploy/base"));
const GRANTED = rightsOf(inBase("ClusterRole").rules as readonly PolicyRule[]);
const ACCOUNT = inBase("ServiceAccount").metadata;
const USER = `system:serviceaccount:${ACCOUNT.namespace}:${ACCOUNT.name}`;

function inBase(kind: string) {
  const found = objects.find((object) => object.kind === kind);
  if (found === undefined) throw new Error(`deploy/base has no ${kind}`);
  return found;
}

const INVALID = policy("broken", {
  podSelector: { matchLabels: { app: "db" } },
  ingress: [{ ports: [{ port: 99_999 }] }],
});

/** Over an API server that grants these rights and nothing else. */
async function guarded(options: ScenarioOptions, granted: readonly Right[] = GRANTED) {
  const scenario = await Scenario.start(options);
  const rights = new ClusterRights(granted, USER);
  rights.guard(scenario.server);
  return { scenario, rights };
}

function watched(scenario: Scenario): Promise<number> {
  return until("every resource is watched", () => scenario.server.watchCount === KINDS.length);
}

async function ready(running: RunningAgent): Promise<void> {
  await until("it is ready", async () => (await running.readyz()).status === 200);
}

/** Objects of all kinds come, change and go; watches end; the history they would go on from is lost. */
async function liveThroughChanges(scenario: Scenario): Promise<void> {
  scenario.put(
    pod("db", { address: "10.1.1.11" }),
    allowOnly("db", "web"),
    clusterDeny("other"),
    baselineDeny("client"),
  );
  await scenario.inForce();
  scenario.put({ ...(BASE[0] as ApiObject), metadata: { name: "shop", labels: { team: "a" } } });
  scenario.put({ ...(BASE[1] as ApiObject), spec: { podCIDRs: ["10.1.1.0/24", "fd00:1::/64"] } });
  scenario.delete(clusterDeny("other"), allowOnly("db"));
  await scenario.inForce();
  scenario.server.cutConnections();
  scenario.put(adminDeny("web"));
  scenario.server.store.compact();
  await scenario.inForce();
  await watched(scenario);
}

/** From servers that stream lists, and from those that do not yet. */
const SERVERS: readonly [string, StreamingLists][] = [
  ["streams lists", "served"],
  ["does not stream lists", "refused"],
];

describe.each(SERVERS)("with the rights of deploy/base, over a server that %s, the agent", (_which, streamingLists) => {
  it("lives from its start over changes, a new CRD, an invalid policy, outages and its restart without one refusal", async () => {
    const { scenario, rights } = await guarded({ installed: ["AdminNetworkPolicy"], server: served(streamingLists) });
    scenario.put(...BASE, adminDeny("other"));
    const running = await scenario.startAgent();
    await scenario.inForce();
    await ready(running);
    scenario.install("ClusterNetworkPolicy", "BaselineAdminNetworkPolicy");
    scenario.put(clusterDeny("client"), baselineDeny("other"));
    await scenario.inForce();
    await watched(scenario);
    await liveThroughChanges(scenario);
    scenario.put(INVALID);
    await until("an Event", () => scenario.server.postedEvents.length === 1);
    scenario.uninstall("BaselineAdminNetworkPolicy");
    scenario.server.store.hideResource(pathOf("ClusterNetworkPolicy"));
    await until(
      "both are not installed any more",
      async () => count("not installed", (await running.readyz()).body) === 2,
    );
    await scenario.inForce();
    await running.stop();
    scenario.install("ClusterNetworkPolicy", "BaselineAdminNetworkPolicy");
    scenario.put(allowOnly("web", "other"));
    const next = await scenario.startAgent();
    await scenario.inForce();
    await ready(next);
    expect(rights.refused).toEqual([]);
  });
});

function count(words: string, text: string): number {
  return text.split(words).length - 1;
}

function served(streamingLists: StreamingLists): {
  readonly streamingLists: StreamingLists;
  readonly tokens: string[];
} {
  return { streamingLists, tokens: ["first-token"] };
}

it("with these rights the command line of the image reads the cluster", async () => {
  const { scenario, rights } = await guarded({});
  scenario.put(...BASE, clusterDeny("other"));
  const kubeconfig = writeKubeconfig({ cluster: clusterOf(scenario.server), user: { token: "first-token" } });
  const cluster = await snapshotCluster({ kubeconfig });
  expect(cluster.diagnostics).toEqual([]);
  expect(cluster.policies).toHaveLength(2);
  expect(rights.refused).toEqual([]);
});

describe("without the right to", () => {
  it.each(GRANTED.map((right) => [rightName(right), right] as const))(
    "%s it does not work, and says so",
    async (name, right) => {
      const others = GRANTED.filter((other) => other !== right);
      // A streaming list is a watch: the right to list is for servers without them, and for lists that did not go well.
      const streamingLists = right.verb === "watch" ? "served" : "refused";
      const { scenario, rights } = await guarded({ server: served(streamingLists) }, others);
      scenario.put(...BASE, INVALID);
      const running = await scenario.startAgent();
      if (right.verb === "create") {
        const failed = 'nftpol_kubernetes_events_total{outcome="failed"} 1\n';
        await until("the Event has failed", async () => (await running.metrics()).includes(failed));
        expect(scenario.server.postedEvents).toEqual([]);
      } else {
        const told = new RegExp(`^\\[.\\] ${right.resource}\\b.*: not allowed to ${name} `, "m");
        await until("readiness names it", async () => told.test((await running.readyz()).body));
        if (right.verb === "list") expect((await running.readyz()).status).toBe(503);
      }
      expect(new Set(rights.refused)).toEqual(new Set([name]));
    },
  );
});

describe("the judge of these tests", () => {
  const rights = new ClusterRights(GRANTED, USER);
  const GET = "GET";

  it.each([
    [GET, "/api/v1/pods", "", "list pods"],
    [GET, "/api/v1/pods", "watch=1", "watch pods"],
    [GET, "/apis/networking.k8s.io/v1/networkpolicies", "limit=1", "list networkpolicies.networking.k8s.io"],
    ["POST", "/apis/events.k8s.io/v1/namespaces/shop/events", "", "create events.events.k8s.io"],
  ])("lets pass what is granted: %s %s?%s", (method, path, query, right) => {
    expect(rights.refusal({ method, path, query: new URLSearchParams(query) })).toBeUndefined();
    expect([...rights.used]).toContain(right);
  });

  it.each([
    [GET, "/api/v1/namespaces/shop/pods/web", "get pods"],
    [GET, "/api/v1/namespaces/shop/pods/web/log", "get pods/log"],
    [GET, "/api/v1/namespaces/shop", "get namespaces"],
    [GET, "/api/v1/secrets", "list secrets"],
    ["POST", "/api/v1/namespaces/shop/events", "create events"],
    ["PATCH", "/apis/events.k8s.io/v1/namespaces/shop/events/one", "patch events.events.k8s.io"],
    [
      "DELETE",
      "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
      "deletecollection networkpolicies.networking.k8s.io",
    ],
    ["PUT", "/api/v1/nodes/n1/status", "update nodes/status"],
    [
      GET,
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      "list customresourcedefinitions.apiextensions.k8s.io",
    ],
    [GET, "/metrics", "get /metrics"],
    ["POST", "/apis/apps", "post /apis/apps"],
  ])("refuses what is not: %s %s", (method, path, right) => {
    const refusal = rights.refusal({ method, path, query: new URLSearchParams() });
    expect(refusal).toMatchObject({ kind: "answer", status: 403 });
    expect(rights.refused.at(-1)).toBe(right);
  });

  it("refuses in the words of Kubernetes", () => {
    const path = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies";
    const none = new ClusterRights([], USER).refusal({ method: GET, path, query: new URLSearchParams() });
    expect(JSON.parse((none as { body: string }).body)).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message:
        `networkpolicies.networking.k8s.io is forbidden: User "${USER}" cannot list resource "networkpolicies" ` +
        'in API group "networking.k8s.io" in the namespace "shop"',
      reason: "Forbidden",
      details: { group: "networking.k8s.io", kind: "networkpolicies" },
      code: 403,
    });
  });
});
