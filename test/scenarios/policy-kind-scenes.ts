// Scenarios about kinds of policies that come and go: what looks as if they went, how an agent starts among them, what is seen of it.

import { DEFINITIONS_PATH } from "../../src/kube/server-version.ts";
import type { FaultRule } from "../api-server/fake-api-server.ts";
import type { Fault } from "../api-server/faults.ts";
import { statusObject } from "../api-server/status-object.ts";
import { Scenario, type ScenarioOptions } from "../support/agent-harness.ts";
import type { ApiObject } from "../support/random-cluster.ts";
import type { RunningAgent } from "../support/running-agent.ts";
import { KINDS, pathOf, TIER_KINDS } from "../support/server-objects.ts";
import { until } from "../support/until.ts";
import { CLIENT, NODES, OTHER, SHOP, WEB } from "./objects.ts";
import { passes } from "./packets.ts";

export const GROUP = "/apis/policy.networking.k8s.io";
export const CLUSTER_LIST = pathOf("ClusterNetworkPolicy");
export const PODS = [SHOP, ...NODES, WEB, CLIENT, OTHER];

export function failure(status: number, reason = "because"): Fault {
  return { kind: "answer", status, body: JSON.stringify(statusObject(status, reason, reason)) };
}

export const NOT_FOUND: Fault = { kind: "answer", status: 404, body: "404 page not found\n" };
export const DEFAULT_BACKEND: Fault = { kind: "answer", status: 404, body: "default backend - 404" };

/** What looks as if no kind were installed, or as if that could not be asked; the rest of the server is well. */
export const DISCOVERY_TROUBLE: readonly [string, FaultRule][] = [
  ["is forbidden", at(GROUP, failure(403))],
  ["fails with 500", at(GROUP, failure(500))],
  ["is never answered", at(GROUP, { kind: "silence" })],
  ["is reset", at(GROUP, { kind: "reset" })],
  ["is a page of somebody", at(GROUP, { kind: "answer", status: 200, body: "<html>log in</html>" })],
  ["is the 404 of a proxy", at([GROUP, DEFINITIONS_PATH], DEFAULT_BACKEND)],
  ["is the 404 of a server that is not ready", both(at(GROUP, NOT_FOUND), at("/readyz", failure(500)))],
  ["fails for one version only", at(`${GROUP}/v1alpha2`, failure(503))],
  ["is a 404 for one version, and a proxy's", at([`${GROUP}/v1alpha2`, DEFINITIONS_PATH], DEFAULT_BACKEND)],
];

/** At all paths of the prefixes. */
function at(prefixes: string | readonly string[], fault: Fault): FaultRule {
  return ({ path }) => ([prefixes].flat().some((prefix) => path.startsWith(prefix)) ? fault : undefined);
}

function both(one: FaultRule, other: FaultRule): FaultRule {
  return (request) => one(request) ?? other(request);
}

async function start(options: ScenarioOptions, ...objects: readonly ApiObject[]) {
  const scenario = await Scenario.start(options);
  scenario.put(...PODS, ...objects);
  return { scenario, running: await scenario.startAgent() };
}

export async function startInForce(options: ScenarioOptions, ...objects: readonly ApiObject[]) {
  const started = await start(options, ...objects);
  const { scenario, running } = started;
  await scenario.inForce();
  await until("it is ready", async () => (await running.readyz()).status === 200);
  const watches = KINDS.length - TIER_KINDS.length + (options.installed ?? TIER_KINDS).length;
  await until("every resource is watched", () => scenario.server.watchCount === watches);
  scenario.table.changes.length = 0;
  return started;
}

export function openFrom(scenario: Scenario, app: "client" | "other"): boolean {
  return passes(scenario.table.ruleset(), app === "client" ? "10.1.2.20" : "10.1.2.30", "10.1.1.10");
}

/** Lines of the log that are worth attention. */
export function loud(running: RunningAgent): readonly string[] {
  return running.logLines.filter((line) => /"level":"(warn|error)"/.test(line));
}

export function told(running: RunningAgent, message: string): number {
  return running.logLines.filter((line) => line.includes(`"msg":"${message}`)).length;
}

export async function nextLooks(scenario: Scenario, count: number): Promise<void> {
  const before = scenario.server.requestsTo(GROUP).length;
  await until("more looks", () => scenario.server.requestsTo(GROUP).length >= before + count);
}
