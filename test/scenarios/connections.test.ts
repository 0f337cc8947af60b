// Connections that are open when the policies change: what is denied now is cut, and nothing else.

import { describe, expect, it } from "vitest";
import type { TrackedConnection } from "../../src/netlink/connection-tracker.ts";
import { Scenario } from "../support/agent-harness.ts";
import { until } from "../support/until.ts";
import { allowOnly, BASE, CLIENT, NODES, OTHER, pod, policy, SHOP, WEB } from "./objects.ts";
import { connection } from "./packets.ts";

/** Until a pass that begins now has ended: what was not cut by then is kept. */
async function anotherPass(scenario: Scenario): Promise<void> {
  scenario.delete(allowOnly("canary"));
  scenario.put(pod("canary", { address: "10.1.1.200" }));
  await scenario.inForce();
  const canary = scenario.tracker.add(connection("10.1.2.201", "10.1.1.200"));
  scenario.put(allowOnly("canary"));
  await until("the canary is cut", () => !scenario.tracker.open().includes(canary));
}

function text({ original, reply, protocol }: Omit<TrackedConnection, "handle">): string {
  const [from, to] = [
    `${original.source}:${original.sourcePort}`,
    `${original.destination}:${original.destinationPort}`,
  ];
  return `${protocol} ${from} > ${to} = ${reply.source}:${reply.sourcePort}`;
}

function open({ tracker }: Scenario): readonly string[] {
  return tracker.open().map(text).sort();
}

type Connection = ReturnType<typeof connection>;

const ALLOWED: readonly [string, Connection][] = [
  [
    "from a pod that is allowed, whose answers no egress policy of ours has to allow",
    connection("10.1.2.20", "10.1.1.10"),
  ],
  ["through a service, judged by the pod behind it", connection("10.1.2.20", "10.1.1.10", 80, "10.96.0.1")],
  ["from our own node", connection("10.9.0.1", "10.1.1.10")],
  ["between pods of other nodes", connection("10.1.2.30", "10.1.2.20")],
  ["of a pod that nothing isolates", connection("10.1.2.30", "10.1.1.77")],
  ["to the outside", connection("10.1.1.10", "198.51.100.9", 443)],
];
const DENIED: readonly [string, Connection][] = [
  ["from a pod that is not allowed", connection("10.1.2.30", "10.1.1.10")],
  ["to another port", connection("10.1.2.20", "10.1.1.10", 81)],
  ["through a service", connection("10.1.2.30", "10.1.1.10", 80, "10.96.0.1")],
  ["from the outside", connection("198.51.100.9", "10.1.1.10")],
  ["from another node", connection("10.9.0.2", "10.1.1.10")],
  ["of another protocol", { ...connection("10.1.2.20", "10.1.1.10"), protocol: 17 }],
];
const all = [...ALLOWED, ...DENIED];
const nameOf = new Map(all.map(([name, each]) => [text(each), name]));
const namesOf = ({ tracker }: Scenario) => tracker.open().map((each) => nameOf.get(text(each)));
const allowedNames = ALLOWED.map(([name]) => name);

const denyEgress = policy("no-answers", {
  podSelector: { matchLabels: { app: "web" } },
  policyTypes: ["Egress"],
  egress: [{ to: [{ ipBlock: { cidr: "198.51.100.0/24" } }] }],
});
const free = pod("free", { address: "10.1.1.77" });

describe.each([
  ["when the agent starts", true],
  ["when policies tighten", false],
])("%s", (_name, atStart) => {
  it("connections that are allowed stay, and those that are denied are cut", async () => {
    const scenario = await Scenario.start();
    const tighten = () => scenario.put(allowOnly("web", "client"), denyEgress);
    scenario.put(SHOP, ...NODES, WEB, CLIENT, OTHER, free);
    if (atStart) tighten();
    for (const [, each] of all) scenario.tracker.add(each);
    const running = await scenario.startAgent();
    await scenario.inForce();
    if (!atStart) {
      await running.startLooksDone();
      expect(namesOf(scenario)).toHaveLength(all.length);
      tighten();
    }
    await until("what is denied is cut", () => namesOf(scenario).length <= ALLOWED.length);
    await anotherPass(scenario);
    expect(namesOf(scenario)).toEqual(allowedNames);
    // And the canary.
    expect(await running.metrics()).toContain(`nftpol_connections_cut_total ${DENIED.length + 1}\n`);
  });
});

const fromClient = () => connection("10.1.2.20", "10.1.1.10");

describe("a connection of an allowed pod is cut when", () => {
  it.each<[string, (scenario: Scenario) => void]>([
    [
      "the pod loses the label",
      (scenario) => scenario.put(pod("client", { address: "10.1.2.20", labels: { app: "x" } })),
    ],
    [
      "the pod goes away, and another one gets its address",
      (scenario) => {
        scenario.delete(CLIENT);
        scenario.put(pod("stranger", { address: "10.1.2.20" }));
      },
    ],
    ["the rule goes", (scenario) => scenario.put(allowOnly("web"))],
    ["the rule is for another port", (scenario) => scenario.put(allowOnly("web", "client", 81))],
    [
      "the policy becomes invalid",
      (scenario) => scenario.put(policy("only-web", { podSelector: {}, ingress: [{ form: [] }] })),
    ],
  ])("%s", async (_name, change) => {
    const scenario = await Scenario.start();
    scenario.put(...BASE);
    scenario.tracker.add(fromClient());
    const running = await scenario.startAgent();
    await scenario.inForce();
    await running.startLooksDone();
    expect(open(scenario)).toHaveLength(1);
    change(scenario);
    await until("it is cut", () => open(scenario).length === 0);
  });
});

it("nothing is cut before the whole cluster is known, nor when the rules become more open", async () => {
  const scenario = await Scenario.start();
  scenario.put(...BASE);
  scenario.server.forbidden = ["/api/v1/pods"];
  scenario.tracker.add(fromClient());
  scenario.tracker.add(connection("10.1.2.30", "10.1.1.10"));
  const running = await scenario.startAgent();
  await until("pods have failed often", () => scenario.server.requestsTo("/api/v1/pods").length > 5);
  expect(open(scenario)).toHaveLength(2);
  scenario.delete(allowOnly("web"));
  scenario.server.forbidden = [];
  await scenario.inForce();
  await until("the first pass", async () =>
    /connection_recheck_duration_seconds_count [1-9]/.test(await running.metrics()),
  );
  expect(open(scenario)).toHaveLength(2);
});
