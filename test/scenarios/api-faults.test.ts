// One thing goes wrong on the way of one change: while a policy tightens and a pod ends, the watches of both fail in each way that
// watches and lists can fail. The rules are the old ones until they are the new ones, and nobody has to help.

import { describe, expect, it } from "vitest";
import type { Fault } from "../api-server/faults.ts";
import { statusObject, tooOld } from "../api-server/status-object.ts";
import { Scenario } from "../support/agent-harness.ts";
import { KINDS, pathOf } from "../support/server-objects.ts";
import { until } from "../support/until.ts";
import { allowOnly, BASE, CLIENT, pod } from "./objects.ts";
import { passes } from "./packets.ts";

function answer(status: number, reason: string, headers: Readonly<Record<string, string>> = {}): Fault {
  return { kind: "answer", status, headers, body: JSON.stringify(statusObject(status, reason, "because")) };
}

function ends(afterEvents: number, ending: Extract<Fault, { kind: "end watch" }>["ending"]): Fault {
  return { kind: "end watch", afterEvents, ending };
}

/** Three tries in a row, but one where each is awaited for long. */
function timesOf(fault: Fault): number {
  const isSilent =
    (fault.kind === "broken body" || fault.kind === "end watch") && JSON.stringify(fault).includes("silence");
  return isSilent ? 1 : 3;
}

/** How a watch that goes on from the last version fails. */
const WATCH_FAULTS: readonly [string, Fault][] = [
  ["500", answer(500, "InternalError")],
  ["503 with Retry-After", answer(503, "ServiceUnavailable", { "retry-after": "1" })],
  ["429", answer(429, "TooManyRequests", { "retry-after": "1" })],
  ["410", answer(410, "Expired")],
  ["404", { kind: "answer", status: 404, body: "404 page not found\n" }],
  ["a login page", { kind: "answer", status: 200, body: "<html>log in</html>" }],
  ["an empty answer", { kind: "answer", status: 200, body: "" }],
  ["a reset", { kind: "reset" }],
  ["a late answer", { kind: "late", delayMs: 200 }],
  ["a reset after the headers", ends(0, { kind: "reset" })],
  ["a close after the headers", ends(0, { kind: "close" })],
  ["410 as an event", ends(0, { kind: "error event", status: tooOld(1, 9) })],
  ["500 as an event", ends(0, { kind: "error event", status: statusObject(500, "InternalError", "because") })],
  ["a bad frame in the place of the change", ends(0, { kind: "bad frame", line: "{" })],
  ["half a frame, then a reset", ends(0, { kind: "half frame", followedBy: "reset" })],
  ["half a frame, then a close", ends(0, { kind: "half frame", followedBy: "close" })],
  ["everything twice and late", { kind: "repeat events" }],
  ["slow events", { kind: "slow watch", eventEveryMs: 100 }],
  ["silence", ends(0, { kind: "silence" })],
];

async function startInForce(streamingLists: "served" | "refused"): Promise<Scenario> {
  const scenario = await Scenario.start({ server: { streamingLists } });
  scenario.put(...BASE);
  await scenario.startAgent();
  await scenario.inForce();
  await until("every resource is watched", () => scenario.server.watchCount === KINDS.length);
  scenario.table.changes.length = 0;
  return scenario;
}

function tighten(scenario: Scenario): void {
  scenario.put(allowOnly("web", "other"));
  scenario.delete(CLIENT);
  scenario.put(pod("late", { address: "10.1.1.40", labels: { app: "web" } }));
}

async function expectTightened(scenario: Scenario): Promise<void> {
  await scenario.inForce();
  const { changes } = scenario.table;
  // The policy and the pods are told apart from each other, in any order; neither is told in parts.
  expect(changes.length).toBeGreaterThan(0);
  for (const { ruleset } of changes) {
    const [client, other] = ["10.1.2.20", "10.1.2.30"].map((source) => passes(ruleset, source, "10.1.1.10"));
    expect(client && other).toBe(false);
    expect(passes(ruleset, "10.1.2.40", "10.1.1.40")).toBe(!mentions(ruleset, "10.1.1.40"));
  }
  expect(passes(scenario.table.ruleset(), "10.1.2.30", "10.1.1.40")).toBe(true);
  expect(passes(scenario.table.ruleset(), "10.1.2.20", "10.1.1.40")).toBe(false);
}

function mentions(ruleset: NonNullable<ReturnType<Scenario["table"]["ruleset"]>>, address: string): boolean {
  return [...ruleset.sets.values()].some((set) => set.elements.has(address));
}

describe.each(WATCH_FAULTS)("the watches answer with %s", (_name, fault) => {
  it("the change comes through all the same", async () => {
    const scenario = await startInForce("served");
    for (const kind of ["Pod", "NetworkPolicy"] as const)
      scenario.server.failNextWatches(pathOf(kind), fault, timesOf(fault));
    scenario.server.cutConnections();
    await until("the watches fail", () => scenario.server.watchesOf(pathOf("Pod")).length > 0);
    tighten(scenario);
    await expectTightened(scenario);
  });
});

/** How a list fails after the history was compacted; as a streaming list and as a plain one. */
const LIST_FAULTS: readonly [string, Fault][] = [
  ["500", answer(500, "InternalError")],
  ["410", answer(410, "Expired")],
  ["a reset", { kind: "reset" }],
  ["half a list, then a reset", { kind: "broken body", begin: '{"kind":"PodList","items":[', ending: "reset" }],
  ["half a list, then silence", { kind: "broken body", begin: '{"kind":"PodList","items":[', ending: "silence" }],
  ["an empty list without a version", { kind: "answer", status: 200, body: '{"kind":"PodList","items":[]}' }],
  ["a login page", { kind: "answer", status: 200, body: "<html>log in</html>" }],
];

describe.each(LIST_FAULTS)("the lists answer with %s", (_name, fault) => {
  it.each(["served", "refused"] as const)(
    "nothing is taken for deleted (streaming lists %s)",
    async (streamingLists) => {
      const scenario = await startInForce(streamingLists);
      for (const kind of ["Pod", "NetworkPolicy"] as const)
        scenario.server.failNextLists(pathOf(kind), fault, timesOf(fault));
      scenario.server.cutConnections();
      tighten(scenario);
      scenario.server.store.compact();
      await expectTightened(scenario);
      expect(scenario.server.listsOf(pathOf("Pod")).length).toBeGreaterThan(timesOf(fault));
    },
  );
});
