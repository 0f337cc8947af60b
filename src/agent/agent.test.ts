// What the agent makes of its parts, where no part by itself can show it. Faults of server and kernel: test/scenarios.

import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { makePod, makePolicy, setPod, setPolicy } from "../../test/support/model-objects.ts";
import { MemoryKernelTable } from "../backends/nft/memory-kernel-table.ts";
import { NftBackend } from "../backends/nft/nft-backend.ts";
import { type Ruleset, TABLE } from "../backends/nft/ruleset.ts";
import type { Address } from "../net/address.ts";
import { MemoryConnectionTracker } from "../netlink/memory-connection-tracker.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../program/program.ts";
import type { ClusterEvent } from "../state/change.ts";
import { Agent } from "./agent.ts";
import type { AgentParts } from "./agent-parts.ts";
import type { ClusterSink, ClusterSource } from "./cluster-change.ts";
import { createLog } from "./log.ts";

/** Says what the test says. */
class ScriptedSource implements ClusterSource {
  #sink: ClusterSink | undefined;

  async run(sink: ClusterSink, signal: AbortSignal): Promise<void> {
    this.#sink = sink;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  }

  says(...events: readonly ClusterEvent[]): void {
    this.#sink?.changed(events.map((event) => ({ event, diagnostics: [], uid: "" })));
  }

  isWhole(): void {
    this.#sink?.synced();
  }

  status() {
    return [];
  }

  unenforcedKinds() {
    return [];
  }
}

async function start(options: Partial<AgentParts> & { readonly table?: MemoryKernelTable } = {}) {
  const clock = new ManualClock();
  const source = new ScriptedSource();
  const { table = new MemoryKernelTable(), ...others } = options;
  const logged: string[] = [];
  const agent = new Agent({
    nodeName: "node-1",
    version: "0.0.0-test",
    program: DEFAULT_PROGRAM_OPTIONS,
    source,
    backend: new NftBackend(table),
    backendName: "nft",
    backendFacts: await table.probe(),
    dryRun: false,
    tracker: new MemoryConnectionTracker(),
    pathProblems: () => [],
    reportFindings: () => {},
    clock,
    log: createLog("debug", "node-1", (line) => void logged.push(line)),
    ...others,
  });
  const controller = new AbortController();
  const ended = agent.run(controller.signal);
  const stop = () => {
    controller.abort();
    return ended;
  };
  onTestFinished(stop);
  const readyz = async () => await agent.report.healthRoutes["/readyz"]?.();
  const metrics = async () => (await agent.report.metricsRoutes["/metrics"]?.())?.body ?? "";
  return { agent, source, clock, table, logged, readyz, metrics, stop };
}

const POLICY = setPolicy(makePolicy("deny", { podSelector: {} }));
const HERE = setPod(makePod("here", "10.0.0.1"));
const THERE = setPod(makePod("there", "10.0.0.2", { node: "node-2" }));

it("a node name that the cluster does not know: nothing is written, and it is told; then it goes on by itself", async () => {
  const { agent, source, clock, table, logged, readyz } = await start();
  source.says(POLICY, THERE);
  source.isWhole();
  await clock.advance(60_000);
  expect((await table.read()).kind).toBe("none");
  expect(logged.join("")).toContain("has the node name node-1");
  expect(await readyz()).toMatchObject({
    status: 503,
    body: expect.stringMatching(/^\[-\] rules in force: neither a Node nor a pod .* \(there are: node-2\): .*\n$/),
  });
  const reason = expect.stringContaining("nothing is written, rules of before stay");
  expect(await agent.report.status()).toMatchObject({ sync: { inForce: false, reason }, packetPath: [] });
  source.says(HERE);
  await clock.advance(1_000);
  expect((await table.read()).kind).toBe("table");
  expect(await readyz()).toMatchObject({ status: 200 });
});

describe("while not all is in force", () => {
  const notInForce = (reason: string) => ({
    status: 503,
    body: expect.stringContaining(`[-] rules in force: ${reason}\n`),
  });

  it("the first transaction is told, with the time that nft has had for it", async () => {
    const table = new MemoryKernelTable();
    const answer = Promise.withResolvers<void>();
    table.failWrite({ kind: "hang", until: answer.promise, committed: true });
    const { agent, source, clock, readyz } = await start({ table });
    source.says(POLICY, HERE);
    source.isWhole();
    await clock.advance(2_000);
    expect(await readyz()).toMatchObject(notInForce("not applied yet: nft has been at work for 2 s"));
    expect(await agent.report.status()).toMatchObject({
      sync: { inForce: false, reason: "not applied yet: nft has been at work for 2 s" },
    });
    answer.resolve();
    await clock.advance(100);
    expect(await readyz()).toMatchObject(notInForce("nft hung"));
    await clock.advance(1_000);
    expect(await readyz()).toMatchObject({ status: 200 });
  });

  it("a change that waits behind a hanging nft is told, whether that writes or reads", async () => {
    const table = new MemoryKernelTable();
    const { source, clock, readyz } = await start({ table });
    source.says(HERE);
    source.isWhole();
    await clock.advance(1_000);
    const answer = Promise.withResolvers<void>();
    table.failRead({ kind: "hang", until: answer.promise, committed: false });
    await clock.advance(70_000);
    expect(await readyz()).toMatchObject({ status: 200 });
    source.says(POLICY);
    await clock.advance(100);
    expect(await readyz()).toMatchObject({
      status: 503,
      body: expect.stringMatching(/^\[-\] rules in force: not applied yet: nft has been at work for \d+ s$/m),
    });
    answer.resolve();
    await clock.advance(10_000);
    expect(await readyz()).toMatchObject({ status: 200 });
  });

  it("a table that cannot be read back is told until the repair", async () => {
    const table = new MemoryKernelTable();
    const { agent, source, clock, readyz } = await start({ table, times: { firstRetryMs: 10_000 } });
    source.says(POLICY, HERE);
    source.isWhole();
    await clock.advance(1_000);
    table.failRead({ kind: "die", committed: false });
    table.tamper(undefined);
    await clock.advance(100);
    expect(await readyz()).toMatchObject(notInForce("our table cannot be read back: nft died"));
    const { sync } = await agent.report.status();
    expect(sync).toMatchObject({ failures: 1, lastFailure: "our table cannot be read back: nft died" });
    await clock.advance(15_000);
    expect(await readyz()).toMatchObject({ status: 200 });
    expect((await agent.report.status()).sync).toMatchObject({ failures: 1, lastFailure: undefined });
  });

  it("a foreign change whose repair is refused is told as that, and counts once", async () => {
    const table = new MemoryKernelTable();
    const { agent, source, clock, logged, readyz, metrics } = await start({ table, times: { firstRetryMs: 10_000 } });
    source.says(POLICY, HERE);
    source.isWhole();
    await clock.advance(1_000);
    table.failWrite({ kind: "refuse" });
    table.tamper(undefined);
    await clock.advance(100);
    const problem = "somebody changed our table, and the repair failed: refused, as the test wants it";
    expect(await readyz()).toMatchObject(notInForce(problem));
    expect(logged.join("")).not.toContain("read back");
    expect(logged.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({
        level: "error",
        msg: "somebody changed our table, and the repair failed",
        differences: ["table nftpol is missing"],
        differenceCount: 1,
      }),
    );
    expect(await metrics()).toMatch(/^nftpol_drift_total 1$/m);
    expect(await agent.report.status()).toMatchObject({
      verification: { repairedDifferences: 0, lastDifferences: ["table nftpol is missing"] },
    });
    await clock.advance(15_000);
    expect(await readyz()).toMatchObject({ status: 200 });
    expect(await metrics()).toMatch(/^nftpol_drift_total 1$/m);
    expect((await agent.report.status()).verification.repairedDifferences).toBe(1);
  });
});

it("a repair is a change of the rules: status and metrics have its time, and count it", async () => {
  const table = new MemoryKernelTable();
  const { agent, source, clock, metrics } = await start({ table });
  source.says(POLICY, HERE);
  source.isWhole();
  await clock.advance(10_000);
  table.tamper(undefined);
  await clock.advance(2_000);
  const { sync } = await agent.report.status();
  expect(sync).toMatchObject({ commits: 2, lastCommitAt: expect.stringMatching(/^2026-01-01T00:00:1[01]/) });
  const text = await metrics();
  expect(text).toMatch(/^nftpol_transactions_total\{how="created"\} 2$/m);
  const lastSync = Number(/^nftpol_last_sync_timestamp_seconds (\S+)$/m.exec(text)?.[1]);
  expect(lastSync).toBeGreaterThanOrEqual(Date.UTC(2026, 0, 1, 0, 0, 10) / 1000);
});

it.each<[string, Ruleset | undefined]>([
  ["a table that is gone", undefined],
  ["one that has been emptied", { table: TABLE, counters: new Set(), sets: new Map(), chains: new Map() }],
])("%s and is noticed by the one who counts dropped packets is made anew at once", async (_name, left) => {
  class UnwatchedTable extends MemoryKernelTable {
    override changedByOthers(): boolean {
      return false;
    }
  }
  const table = new UnwatchedTable();
  const { source, clock, metrics, logged } = await start({ table, times: { verifyEveryMs: 0 } });
  source.says(POLICY, HERE);
  source.isWhole();
  await clock.advance(10_000);
  const before = table.ruleset();
  table.tamper(left);
  await metrics();
  await clock.advance(2_000);
  expect(table.ruleset()).toEqual(before);
  expect(logged.join("")).toContain('"msg":"somebody changed our table: repaired"');
  expect(logged.join("")).not.toContain("cannot be counted");
});

it("a dry run claims nothing: neither log nor status, readiness or metrics say that rules are in force", async () => {
  const { agent, source, clock, logged, readyz, metrics } = await start({ dryRun: true, tracker: undefined });
  source.says(POLICY, HERE);
  source.isWhole();
  await clock.advance(120_000);
  expect(logged.join("")).toContain('"msg":"rules would be in force"');
  expect(logged.join("")).not.toContain('"msg":"rules in force"');
  expect(await readyz()).toMatchObject({
    status: 200,
    body: expect.stringContaining("[!] rules in force: no, dry run: the kernel is not written"),
  });
  expect(await agent.report.status()).toMatchObject({
    dryRun: true,
    sync: { inForce: false, reason: "dry run: the kernel is not written", commits: 0, lastCommitAt: undefined },
    verification: { lastAt: undefined },
    dropped: undefined,
  });
  const text = await metrics();
  expect(text).toContain("\nnftpol_rules_in_force 0\n");
  expect(text).not.toMatch(/^nftpol_(transactions|verifications|dropped_packets)_total\{/m);
  expect(text).toContain("\nnftpol_last_sync_timestamp_seconds 0\n");
});

it("manifests that speak of no node are enforced", async () => {
  const { source, clock, table } = await start();
  source.says(POLICY);
  source.isWhole();
  await clock.advance(1_000);
  expect((await table.read()).kind).toBe("table");
});

it("an end in the middle of a look at thousands of connections is an end, without complaints", async () => {
  const tracker = new MemoryConnectionTracker();
  for (let port = 1; port <= 3_000; port++) {
    const [web, db] = ["10.0.0.1" as Address, "10.0.0.2" as Address];
    tracker.add({
      family: 4,
      protocol: 6,
      original: { source: web, destination: db, sourcePort: port, destinationPort: 80 },
      reply: { source: db, destination: web, sourcePort: 80, destinationPort: port },
      icmpType: undefined,
    });
  }
  const listed = Promise.withResolvers<void>();
  const list = tracker.list.bind(tracker);
  tracker.list = async (...asked) => {
    const connections = await list(...asked);
    listed.resolve();
    return connections;
  };
  const { source, clock, logged, stop } = await start({ tracker });
  source.says(HERE);
  source.isWhole();
  void clock.advance(1);
  await listed.promise;
  await stop();
  expect(logged.filter((line) => line.includes('"level":"error"'))).toEqual([]);
});
