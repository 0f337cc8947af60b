// Verbs without -f: the cluster-wide policies of the kube context count, and what may be installed and cannot be read ends the verb.

import { expect, it } from "vitest";
import { TIER_POLICIES } from "../../src/kube/resources.ts";
import { startServer } from "../api-server/fake-api-server.ts";
import { clusterOf, writeKubeconfig } from "../api-server/kubeconfig-files.ts";
import { statusObject } from "../api-server/status-object.ts";
import { adminDeny, CLIENT, clusterDeny, NODES, OTHER, SHOP, WEB } from "../scenarios/objects.ts";
import type { ApiObject } from "../support/random-cluster.ts";
import { installKind, putObject, type TierKind } from "../support/server-objects.ts";
import { runInMemory } from "./in-memory-run.ts";

async function startCluster(kinds: readonly TierKind[], ...policies: readonly ApiObject[]) {
  const server = await startServer();
  for (const kind of kinds) installKind(server.store, kind);
  for (const object of [SHOP, ...NODES, WEB, CLIENT, OTHER, ...policies]) putObject(server.store, object);
  const kubeconfig = writeKubeconfig({ cluster: clusterOf(server) });
  const explain = (from: string) => runInMemory(["explain", from, "shop/web", "80", "--kubeconfig", kubeconfig]);
  return { server, explain };
}

it.each([
  ["no kind", [], [], true, true],
  ["the new kind", ["ClusterNetworkPolicy"], [clusterDeny("other")], true, false],
  [
    "both versions",
    ["ClusterNetworkPolicy", "AdminNetworkPolicy"],
    [clusterDeny("other"), adminDeny("client")],
    false,
    false,
  ],
] as const)("where %s is installed, its policies count", async (_which, kinds, policies, client, other) => {
  const { explain } = await startCluster(kinds, ...policies);
  for (const [from, isAllowed] of [
    ["shop/client", client],
    ["shop/other", other],
  ] as const) {
    const { code, stdout, stderr } = await explain(from);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(isAllowed ? "ingress of shop/web: allow" : "ingress of shop/web: deny");
  }
});

it.each(TIER_POLICIES.map(({ kind, name, path }) => [name, kind as TierKind, path] as const))(
  "%s that may not be listed end the verb with code 3 and the right that is missing",
  async (name, kind, path) => {
    const { server, explain } = await startCluster([kind]);
    server.forbidden = [path];
    const { code, stdout, stderr } = await explain("shop/other");
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain(`not allowed to list ${name} in all namespaces`);
    expect(stderr).toContain(`kubectl auth can-i list ${name}`);
  },
);

it("when it cannot be asked which are installed, the verb ends with code 3", async () => {
  const { server, explain } = await startCluster([]);
  const body = JSON.stringify(statusObject(403, "Forbidden", "no"));
  server.addFault(({ path }) => (path.startsWith("/apis/policy.") ? { kind: "answer", status: 403, body } : undefined));
  const { code, stdout, stderr } = await explain("shop/other");
  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  expect(stderr).toMatch(/\/apis\/policy\.networking\.k8s\.io was answered with 403.*\n.*system:discovery/);
});
