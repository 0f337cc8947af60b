// The nft backend over memory does what every backend has to do, and survives what only memory can be told to do.
import { describe, expect, it } from "vitest";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { type MemoryFault, MemoryKernelTable } from "../../src/backends/nft/memory-kernel-table.ts";
import { openMemoryBackend } from "../../src/backends/nft/open-backend.ts";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { renderText } from "../../src/backends/nft/text.ts";
import type { Transaction } from "../../src/backends/nft/transaction.ts";
import { backendSuite } from "../support/backend-suite.ts";
import { comparableText, expectedText, foundText, reachableText } from "../support/comparable-ruleset.ts";
import { nftBench } from "../support/nft-bench.ts";
import { allowingPolicy, graphOf, numberedPod } from "../support/policy-cluster.ts";
import { eventOf } from "../support/random-cluster.ts";

describe("over memory", () => {
  backendSuite(async (body) => {
    const table = new MemoryKernelTable();
    const place = {
      open: (onTransaction?: (text: string) => void) => openMemoryBackend({ onTransaction }, table),
      table: () => table.read(),
      foreign: (transaction: Transaction) => table.write(transaction),
      fingerprint: async () =>
        renderText(table.ruleset() ?? { table: "", counters: new Set(), sets: new Map(), chains: new Map() }),
    };
    await body(nftBench(place));
  });
});

const objects = [numberedPod(0, { app: "web" }, "n1"), allowingPolicy("web", "web", "client")];
const client = eventOf(numberedPod(1, { app: "client" }));

function started() {
  const table = new MemoryKernelTable();
  const texts: string[] = [];
  const backend = openMemoryBackend({ onTransaction: (text) => texts.push(text) }, table);
  return { table, backend, texts, graph: graphOf(...objects) };
}

const released = Promise.resolve();
const faults: readonly (readonly [string, MemoryFault, "refused" | "broken", "old" | "new"])[] = [
  ["is refused", { kind: "refuse" }, "refused", "old"],
  ["dies before the commit", { kind: "die", committed: false }, "broken", "old"],
  ["dies after the commit", { kind: "die", committed: true }, "broken", "new"],
  ["hangs before the commit", { kind: "hang", until: released, committed: false }, "broken", "old"],
  ["hangs after the commit", { kind: "hang", until: released, committed: true }, "broken", "new"],
];

describe("a delta whose write", () => {
  it.each(faults)("%s leaves whole rules, and the next call brings them there", async (_, fault, kind, rules) => {
    const { table, backend, graph } = started();
    await backend.install(graph.program());
    const before = expectedText(graph);
    graph.apply(client);
    table.failWrite(fault);
    await expect(backend.apply(graph.flush())).rejects.toMatchObject({ name: "BackendError", kind });
    expect(foundText(await table.read())).toBe(rules === "old" ? before : expectedText(graph));
    expect(await backend.apply(graph.flush())).toMatchObject({ how: rules === "old" ? "repaired" : "unchanged" });
    expect(foundText(await table.read())).toBe(expectedText(graph));
  });

  it.each(faults)("%s, and so does the repair: the call after it succeeds", async (_, fault) => {
    const { table, backend, graph } = started();
    await backend.install(graph.program());
    for (const attempt of [1, 2]) {
      graph.apply(eventOf(numberedPod(attempt, { app: "client" })));
      table.failWrite(fault);
      // A refused repair is tried again as a whole table.
      if (attempt === 2) table.failWrite(fault);
      await backend.apply(graph.flush()).catch(() => {});
    }
    table.failRead({ kind: "die", committed: false });
    await backend.apply(graph.flush()).catch(() => {});
    await backend.apply(graph.flush()).catch(() => {});
    await backend.apply(graph.flush());
    expect(foundText(await table.read())).toBe(expectedText(graph));
  });
});

describe("the first install", () => {
  it.each(faults)("whose write %s can be done again", async (_, fault) => {
    const { table, backend, graph } = started();
    table.failWrite(fault);
    await expect(backend.install(graph.program())).rejects.toMatchObject({
      kind: fault.kind === "refuse" ? "refused" : "broken",
    });
    await backend.install(graph.program());
    expect(foundText(await table.read())).toBe(expectedText(graph));
  });

  it.each(faults)("whose write %s is finished by the next delta", async (_, fault) => {
    const { table, backend, graph } = started();
    table.failWrite(fault);
    await backend.install(graph.program()).catch(() => {});
    graph.apply(client);
    await backend.apply(graph.flush());
    expect(foundText(await table.read())).toBe(expectedText(graph));
  });

  it("that cannot read the table changes nothing", async () => {
    const { table, backend, graph, texts } = started();
    table.failRead({ kind: "die", committed: false });
    await expect(backend.install(graph.program())).rejects.toMatchObject({ kind: "broken" });
    expect(texts).toEqual([]);
    expect(table.ruleset()).toBeUndefined();
  });
});

it("after a verification that failed, the next delta reads the table back", async () => {
  const { table, backend, graph } = started();
  await backend.install(graph.program());
  table.tamper(undefined);
  table.failRead({ kind: "die", committed: false });
  await expect(backend.verify()).rejects.toMatchObject({ kind: "broken" });
  expect(await backend.apply(graph.flush())).toMatchObject({ how: "created" });
  expect(foundText(await table.read())).toBe(expectedText(graph));
});

it("a rule that nobody understands leaves its chain by the difference, anything else with the whole table", async () => {
  const { table, backend, graph } = started();
  await backend.install(graph.program());
  const ours = table.ruleset();
  table.tamper(ours, [{ where: "chain forward, rule 1", json: '{"meta":1}', chain: "forward" }]);
  expect(await backend.verify()).toMatchObject({
    differences: ['chain forward, rule 1 is not ours: {"meta":1}'],
    repair: { how: "repaired" },
  });
  table.tamper(ours, [{ where: "flags of the table", json: '"dormant"', chain: undefined }]);
  expect(await backend.verify()).toMatchObject({
    differences: ['flags of the table is not ours: "dormant"'],
    repair: { how: "replaced" },
  });
  expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
});

it("a counter of somebody else goes by the difference", async () => {
  const { table, backend, graph } = started();
  await backend.install(graph.program());
  await table.write({ table: "nftpol", operations: [{ kind: "add-counter", name: "foreign" }] });
  expect(await backend.verify()).toMatchObject({
    differences: ["counter foreign is not ours"],
    repair: { how: "repaired" },
  });
  expect(foundText(await table.read())).toBe(expectedText(graph));
});

it("each transaction's text is seen before it is written, and loads to the same table", async () => {
  const { table, backend, graph, texts } = started();
  await backend.install(graph.program());
  expect(texts).toHaveLength(2);
  expect(texts[0]).toMatch(/^add table inet nftpol\nadd counter/);
  expect(texts[0]).not.toContain(" hook ");
  expect(texts[1]).toMatch(/^add chain inet nftpol forward \{ type filter hook forward/);
  graph.apply(client);
  table.failWrite({ kind: "refuse" });
  await backend.apply(graph.flush()).catch(() => {});
  expect(texts).toHaveLength(3);
  expect(texts[2]).toMatch(
    /^add element inet nftpol pods4_\S+ \{ 10\.1\.0\.1 \}\nadd element inet nftpol pods6_\S+ \{ fd01::1 \}\n$/,
  );
});

it("drop counts are the named counters'", async () => {
  const { table, backend, graph } = started();
  await backend.install(graph.program());
  for (const [index, name] of ["drop_ingress", "drop_egress", "drop_midstream", "drop_unknown"].entries())
    table.setCounter(name, index + 1);
  expect(await backend.dropped()).toEqual({ ingress: 1, egress: 2, midstream: 3, unknown: 4 });
});

it("what a table in memory hands out does not change with it", async () => {
  const { table, backend, graph } = started();
  await backend.install(graph.program());
  const before = table.ruleset();
  graph.apply(client);
  await backend.apply(graph.flush());
  expect(before).toBeDefined();
  expect(before === undefined ? "" : comparableText(before)).not.toBe(expectedText(graph));
});

it("what a change leaves behind cannot be taken away: the change is in force, the call says so, and the next one puts it right", async () => {
  const { table, backend, graph } = started();
  await backend.install(graph.program());
  graph.apply(eventOf(allowingPolicy("more", "web", "other", 9090)));
  const failed = backend.apply(graph.flush(), () => table.failWrite({ kind: "refuse" }));
  await expect(failed).rejects.toMatchObject({ kind: "broken", message: /the change is in force/ });
  const met = reachableText(table.ruleset() as Ruleset);
  expect(met).toBe(reachableText(compileRuleset(graph.program())));
  expect(foundText(await table.read())).not.toBe(expectedText(graph));
  expect(await backend.apply(graph.flush())).toMatchObject({ how: "repaired" });
  expect(foundText(await table.read())).toBe(expectedText(graph));
});
