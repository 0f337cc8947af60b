// What must not be taken for the removal of a kind of policies: whatever fails, no policy is let go.

import { describe, expect, it } from "vitest";
import { TIER_POLICIES } from "../../src/kube/resources.ts";
import type { FaultRule } from "../api-server/fake-api-server.ts";
import type { Fault } from "../api-server/faults.ts";
import { adminDeny, clusterDeny } from "./objects.ts";
import {
  CLUSTER_LIST,
  DEFAULT_BACKEND,
  DISCOVERY_TROUBLE,
  failure,
  GROUP,
  NOT_FOUND,
  nextLooks,
  openFrom,
  startInForce,
  told,
} from "./policy-kind-scenes.ts";

/** Connections are cut, so that watches fail, too. */
const NO_REMOVAL: readonly [string, FaultRule][] = [
  ...DISCOVERY_TROUBLE.map(([how, rule]): [string, FaultRule] => [`discovery ${how}`, rule]),
  ["everything is the 404 of a proxy", () => DEFAULT_BACKEND],
  ["everything but /version is a 404", ({ path }) => (path === "/version" ? undefined : NOT_FOUND)],
  ["discovery is a 404, the lists are well", ({ path }) => (isDiscovery(path) ? NOT_FOUND : undefined)],
  ["discovery has no kinds, the lists are well", ({ path }) => (path === GROUP ? emptyGroup() : undefined)],
  ["the lists are a 404, discovery is well", ({ path }) => (isTierList(path) ? NOT_FOUND : undefined)],
  ["discovery is a 404, the lists fail with 500", bothOf(NOT_FOUND, failure(500))],
  ["discovery is a 404, the lists are reset", bothOf(NOT_FOUND, { kind: "reset" })],
  ["discovery is a 404, the lists are never answered", bothOf(NOT_FOUND, { kind: "silence" })],
  ["everything fails with 503", () => failure(503)],
];

function isDiscovery(path: string): boolean {
  return path === GROUP || /\/v1alpha[12]$/.test(path);
}

function isTierList(path: string): boolean {
  return TIER_POLICIES.some((resource) => resource.path === path);
}

function bothOf(discovery: Fault, lists: Fault): FaultRule {
  return ({ path }) => (isDiscovery(path) ? discovery : isTierList(path) ? lists : undefined);
}

function emptyGroup(): Fault {
  const body = JSON.stringify({ kind: "APIGroup", apiVersion: "v1", name: GROUP.slice(6), versions: [] });
  return { kind: "answer", status: 200, body };
}

describe.each(NO_REMOVAL)("%s for many looks", (_what, trouble) => {
  it("no policy is removed, and afterwards changes come through again", async () => {
    const policies = [clusterDeny("other"), adminDeny("client")];
    const { scenario, running } = await startInForce({}, ...policies);
    const text = await scenario.table.text();
    const heal = scenario.server.addFault(trouble);
    scenario.server.cutConnections();
    await nextLooks(scenario, 6);
    expect(await scenario.table.text()).toBe(text);
    expect(scenario.table.changes).toEqual([]);
    expect((await running.readyz()).status).toBe(200);
    heal();
    scenario.delete(clusterDeny("other"));
    scenario.put(clusterDeny("client", "another"), adminDeny("other"));
    scenario.delete(adminDeny("client"));
    scenario.put(adminDeny("other", "deny-2"));
    await scenario.inForce();
    expect(told(running, "not installed in this cluster any more")).toBe(0);
  });
});

it("policies that were deleted while the watch's history was lost (410) are gone", async () => {
  const { scenario } = await startInForce({}, clusterDeny("other"), clusterDeny("client", "deny-2"));
  scenario.server.failNextWatches(CLUSTER_LIST, { kind: "reset" }, 3);
  scenario.server.cutConnections();
  scenario.delete(clusterDeny("other"));
  scenario.server.store.compact();
  await scenario.inForce();
  expect(openFrom(scenario, "other")).toBe(true);
  expect(openFrom(scenario, "client")).toBe(false);
});
