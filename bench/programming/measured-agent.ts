// A process of its own in a network namespace: one agent, and one change after the other. Prints a RunResult as JSON. Owns the order
// of what happens in a round. Arguments: a Run as JSON, the name of the floor's namespace.
//
//   pause -> change sent -> committed -> pause -> the same transaction through the floor's nft -> pause -> next change

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Applied } from "../../src/backends/backend.ts";
import { describeDrift } from "../../src/backends/nft/drift.ts";
import { DEFAULT_NFT } from "../../src/backends/nft/io/nft-process.ts";
import { listTable } from "../../src/backends/nft/io/table-listing.ts";
import { TABLE } from "../../src/backends/nft/ruleset.ts";
import { renderTransaction, type Transaction } from "../../src/backends/nft/transaction.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { BareNft } from "./bare-nft.ts";
import { CHANGE_KINDS, type ChangeKind, WITHOUT_EFFECT } from "./changes.ts";
import type { Run } from "./choices.ts";
import { compileAnewMs } from "./compile-anew.ts";
import { type CpuTime, measureCpu } from "./cpu-time.ts";
import type { RunResult } from "./sample.ts";
import { stagesOf } from "./stopwatch.ts";
import { startTimedAgent, type TimedAgent } from "./timed-agent.ts";

/** Two of them are longer than the sync loop's pause, so that no change waits for its turn. */
const PAUSE_MS = 6;
/** Of rounds: the first ones fill caches, compile code and let sets grow. */
const WARM_UP = 5;
const CHILD_EVERY = 10;
const PATIENCE_MS = 30_000;

const [run, floorNetns] = [JSON.parse(process.argv[2] as string) as Run, process.argv[3] as string];

/** What the agent has done since it was last asked. */
const done: { transactions: Transaction[]; cleanUps: Transaction[]; applied: Applied[] } = {
  transactions: [],
  cleanUps: [],
  applied: [],
};
let isInForce = false;

function takeDone(): typeof done {
  const taken = { ...done };
  [done.transactions, done.cleanUps, done.applied] = [[], [], []];
  isInForce = false;
  return taken;
}

interface Parts {
  readonly server: ApiServer;
  readonly agent: TimedAgent;
  readonly bare: BareNft;
  readonly notTheAgents: ReadonlySet<number>;
}

async function oneChange({ server, agent, bare, notTheAgents }: Parts, kind: ChangeKind, round: number) {
  await delay(PAUSE_MS);
  const cpuUntilNow = measureCpu(notTheAgents);
  const followed = agent.watch.follow();
  server.send(kind, round);
  const marks = await inTime(followed, `${kind}, round ${round}`);
  await delay(PAUSE_MS);
  const cpu = cpuUntilNow();
  const { transactions, cleanUps, applied } = takeDone();
  checkEffect(kind, round, applied);
  const floor = await throughFloor(bare, transactions, round % CHILD_EVERY === CHILD_EVERY - 1);
  await throughFloor(bare, cleanUps, false);
  const elements = applied.reduce((sum, each) => sum + each.elements, 0);
  return {
    kind,
    arrived: marks.arrived,
    stages: stagesOf(marks),
    cpu,
    transactions: transactions.length,
    cleanUps: cleanUps.length,
    elements,
    ...floor,
  };
}

/** The same without a change: what the agent and the measuring take by themselves. */
async function noChange({ server, notTheAgents }: Parts): Promise<CpuTime | undefined> {
  await delay(PAUSE_MS);
  const cpuUntilNow = measureCpu(notTheAgents);
  server.sendNothing();
  await delay(PAUSE_MS);
  return cpuUntilNow();
}

/** One after the other, as the agent wrote them. */
async function throughFloor(bare: BareNft, transactions: readonly Transaction[], isChild: boolean) {
  const begin = performance.now();
  const texts = transactions.map(renderTransaction);
  const textMs = performance.now() - begin;
  if (texts.length === 0) return { textMs: 0, bareMs: undefined, childMs: undefined };
  let tookMs = 0;
  for (const text of texts) tookMs += isChild ? await bare.child(text) : await bare.include(text);
  return { textMs, bareMs: isChild ? undefined : tookMs, childMs: isChild ? tookMs : undefined };
}

function checkEffect(kind: ChangeKind, round: number, applied: readonly Applied[]): void {
  const expected = WITHOUT_EFFECT.has(kind) ? [] : ["delta"];
  const seen = applied.map(({ how }) => how);
  if (seen.join() !== expected.join())
    throw new Error(`${kind}, round ${round}: applied as ${seen.join() || "nothing"}`);
}

async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  const ended = new AbortController();
  const late = delay(PATIENCE_MS, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`${what}: not in force after ${PATIENCE_MS / 1_000} s`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => {});
    ended.abort();
  }
}

async function allRounds(parts: Parts): Promise<Pick<RunResult, "samples" | "idleCpu">> {
  const idleCpu: CpuTime[] = [];
  const kept: Awaited<ReturnType<typeof oneChange>>[] = [];
  for (let round = 0; round < WARM_UP + run.rounds; round++) {
    for (const kind of CHANGE_KINDS) kept.push(await oneChange(parts, kind, round));
    const idle = await noChange(parts);
    if (idle !== undefined && round >= WARM_UP) idleCpu.push(idle);
  }
  const sentAt = await parts.server.takeTimes();
  const samples = kept.map(({ arrived, ...rest }, index) => {
    return { ...rest, travelMs: (arrived ?? Number.NaN) - (sentAt[index] ?? Number.NaN) };
  });
  return { samples: samples.slice(WARM_UP * CHANGE_KINDS.length), idleCpu };
}

/** Both namespaces went the same way: what was compared is the same work. Returns how long one of the tables took to read back. */
async function checkFloor(bare: BareNft): Promise<number> {
  const begin = performance.now();
  const ours = await listTable(TABLE, { ...DEFAULT_NFT, binary: run.nft });
  const readBackMs = performance.now() - begin;
  const floor = await bare.read(TABLE);
  if (ours === undefined) throw new Error("there is no table");
  const found = floor === undefined ? ({ kind: "none" } as const) : ({ kind: "table", ...floor } as const);
  const differences = describeDrift(found, ours.ruleset);
  if (differences.length > 0)
    throw new Error(`the floor's table is another one: ${differences.slice(0, 3).join("; ")}`);
  return readBackMs;
}

function writeKubeconfig(url: string): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "nftpol-bench-"));
  const path = join(folder, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "bench",
    clusters: [{ name: "bench", cluster: { server: url } }],
    contexts: [{ name: "bench", context: { cluster: "bench" } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

const server = await startApiServer(run.size);
const kubeconfig = writeKubeconfig(server.url);
const bare = await BareNft.start(floorNetns, run.nft);
const startedAt = performance.now();
const agent = await startTimedAgent(kubeconfig.path, run, {
  onTransaction: (transaction) => (isInForce ? done.cleanUps : done.transactions).push(transaction),
  onInForce: () => {
    isInForce = true;
  },
  onApplied: (applied) => done.applied.push(applied),
});
try {
  await agent.inForce();
  const firstSyncMs = performance.now() - startedAt;
  const { bareMs: bareTableMs = Number.NaN } = await throughFloor(bare, takeDone().transactions, false);
  // Both looks at existing connections after a start.
  await delay(1_500);
  const notTheAgents = new Set([server.pid, bare.pid]);
  const measured = await allRounds({ server, agent, bare, notTheAgents });
  const readBackMs = await checkFloor(bare);
  const { sizeNow: table, writer: writerName } = agent;
  const result: RunResult = {
    ...run,
    writerName,
    table: table(),
    firstSyncMs,
    bareTableMs,
    readBackMs,
    compileAnewMs: compileAnewMs(run.size),
    ...measured,
  };
  process.stdout.write(JSON.stringify(result));
} finally {
  await agent.stop();
  await bare.close();
  await server.end();
  kubeconfig.remove();
}
