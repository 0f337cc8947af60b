// Owns what every backend has to do, whatever holds its table: one suite over memory and over each nft and writer.
import fc from "fast-check";
import { expect, it } from "vitest";
import { BackendError } from "../../src/backends/backend.ts";
import type { FoundTable } from "../../src/backends/nft/kernel-table.ts";
import type { NftBackend } from "../../src/backends/nft/nft-backend.ts";
import type { Rule, Ruleset } from "../../src/backends/nft/ruleset.ts";
import type { Operation, Transaction } from "../../src/backends/nft/transaction.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { isEmptyDelta } from "../../src/program/program.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { foundText, reachableText } from "./comparable-ruleset.ts";
import { allowingPolicy, expectedText, graphOf, numberedPod, SUITE_OPTIONS, webAndClients } from "./policy-cluster.ts";
import {
  type ApiObject,
  eventOf,
  namespaceObject,
  nodeObject,
  objectKey,
  podObject,
  policyObject,
  removalOf,
  storeOf,
} from "./random-cluster.ts";

/** A table that one test has for itself. */
export interface BackendBench {
  /** A backend that has just started and knows nothing; several work on the same table. Closed after the test. */
  open(onTransaction?: (text: string) => void): NftBackend;
  /** The table as it is, read past all backends. */
  found(): Promise<FoundTable>;
  /** Somebody else changes our table. */
  foreign(transaction: Transaction): Promise<void>;
  /** Everything about the table that changes when it is touched: handles in the kernel. */
  fingerprint(): Promise<string>;
}

const base = webAndClients;
const clients = webAndClients.slice(1, 4);

export function backendSuite(withBench: (body: (bench: BackendBench) => Promise<void>) => Promise<void>): void {
  it("makes the table where there is none", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      expect(await bench.open().install(graph.program())).toMatchObject({ how: "created" });
      expect(foundText(await bench.found())).toBe(expectedText(graph));
    }));

  it("adopts an equal table without touching it", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      await bench.open().install(graph.program());
      const before = await bench.fingerprint();
      const texts: string[] = [];
      const applied = await bench.open((text) => texts.push(text)).install(graph.program());
      expect(applied).toEqual({ how: "adopted", operations: 0, elements: 0 });
      expect(texts).toEqual([]);
      expect(await bench.fingerprint()).toBe(before);
    }));

  it("adopts the table of an older program by the difference, and goes on from there", () =>
    withBench(async (bench) => {
      await bench.open().install(graphOf(...base).program());
      const graph = graphOf(...base, numberedPod(4, { app: "client" }), allowingPolicy("more", "web", "other"));
      const backend = bench.open();
      expect(await backend.install(graph.program())).toMatchObject({ how: "adopted" });
      expect(foundText(await bench.found())).toBe(expectedText(graph));
      graph.apply(removalOf(clients[0] as ApiObject));
      expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
      expect(foundText(await bench.found())).toBe(expectedText(graph));
    }));

  it("keeps the sets of an adopted table at their size, and knows when they are full", () =>
    withBench(async (bench) => {
      const many = (count: number) =>
        Array.from({ length: count }, (_, index) => numberedPod(10 + index, { app: "client" }));
      await bench.open().install(graphOf(...base).program());
      // 43 elements still fit into the 64 that were declared for 3; a fresh compile would declare 128.
      const graph = graphOf(...base, ...many(40));
      const backend = bench.open();
      expect(await backend.install(graph.program())).toMatchObject({ how: "adopted" });
      for (const pod of many(80)) graph.apply(eventOf(pod));
      expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
      expect(foundText(await bench.found())).toBe(expectedText(graph));
    }));

  it("follows random changes, each in one transaction after what it needs was prepared, and is always what a fresh compile says", () =>
    withBench(async (bench) => {
      const steps = fc.sample(
        fc.record({
          objects: fc.array(
            fc.oneof(
              { weight: 5, arbitrary: podObject },
              { weight: 4, arbitrary: policyObject },
              { weight: 1, arbitrary: namespaceObject },
              { weight: 1, arbitrary: nodeObject },
            ),
            { minLength: 1, maxLength: 3 },
          ),
          remove: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
        }),
        { seed: 20261121, numRuns: 30 },
      );
      const graph = new RuleGraph(new ClusterStore(), "n1", SUITE_OPTIONS);
      const objects = new Map<string, ApiObject>();
      let transactions = 0;
      const backend = bench.open(() => transactions++);
      graph.flush();
      await backend.install(graph.program());
      for (const step of steps) {
        for (const object of step.objects) {
          if (step.remove) objects.delete(objectKey(object));
          else objects.set(objectKey(object), object);
          graph.apply(step.remove ? removalOf(object) : eventOf(object));
        }
        const delta = graph.flush();
        const before = transactions;
        const { how } = await backend.apply(delta);
        expect(["delta", "unchanged"]).toContain(how);
        if (how === "delta") expect([1, 2]).toContain(transactions - before);
        else expect(transactions).toBe(before);
        if (isEmptyDelta(delta)) expect(how).toBe("unchanged");
        const fresh = new RuleGraph(storeOf([...objects.values()]), "n1", SUITE_OPTIONS);
        expect(foundText(await bench.found())).toBe(expectedText(fresh));
      }
      expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
    }));

  it("what the cluster did since the last hand-out is no drift", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const backend = bench.open();
      await backend.install(graph.program());
      graph.apply(removalOf(clients[0] as ApiObject));
      graph.apply(eventOf(numberedPod(7, { app: "client" })));
      expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
      expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
      expect(foundText(await bench.found())).toBe(expectedText(graph));
    }));

  it("a refused transaction leaves all that packets meet as it was, and the next call repairs", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const backend = bench.open();
      await backend.install(graph.program());
      // The delta deletes an element that somebody else has already deleted: nft refuses that, in the middle of the batch.
      await bench.foreign(deleteElement(await tableOf(bench), "pods4_", "10.1.0.1"));
      const before = reachableText(await tableOf(bench));
      graph.apply(removalOf(clients[0] as ApiObject));
      graph.apply(eventOf(allowingPolicy("more", "web", "other", 9090)));
      const failed = await backend.apply(graph.flush()).catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(BackendError);
      expect(failed).toMatchObject({ kind: "refused", output: expect.any(String) });
      expect(reachableText(await tableOf(bench))).toBe(before);
      expect(await backend.apply(graph.flush())).toMatchObject({ how: "repaired" });
      expect(foundText(await bench.found())).toBe(expectedText(graph));
      expect(await backend.apply(graph.flush())).toEqual({ how: "unchanged", operations: 0, elements: 0 });
    }));

  it("replaces the table when the difference is refused too", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const backend = bench.open();
      await backend.install(graph.program());
      // Our base chain as an ordinary chain, kept in use by an element of our own map.
      const forward = { name: "forward", hook: undefined, comment: undefined, rules: [] };
      await bench.foreign(
        operations(
          { kind: "flush-chain", chain: "forward" },
          { kind: "delete-chain", chain: "forward" },
          { kind: "add-chain", chain: forward },
          {
            kind: "add-elements",
            set: "ingress4",
            elements: [{ key: "10.9.9.9", verdict: { kind: "jump", chain: "forward" } }],
          },
        ),
      );
      const { differences, repair } = await backend.verify();
      expect(differences).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^chain forward is no base chain, not "type filter hook forward priority -5/),
          expect.stringMatching(/^map ingress4 has 1 element \(10\.9\.9\.9\) too many$/),
        ]),
      );
      expect(repair).toMatchObject({ how: "replaced", refusal: { kind: "refused" } });
      expect(foundText(await bench.found())).toBe(expectedText(graph));
    }));

  it.each<[string, RegExp, (table: Ruleset) => Transaction]>([
    ["emptied chains", /^chain forward lacks the rule: ct state/, (table) => operations(...flushes(table))],
    [
      "a deleted rule",
      /^chain midstream lacks the rule: /,
      (table) => refill(table, "midstream", (rules) => rules.slice(1)),
    ],
    [
      "an accept at the top",
      /^chain forward has a rule too many: ip saddr 203.0.113.9 accept$/,
      (table) => refill(table, "forward", (rules) => [acceptRule("203.0.113.9"), ...rules]),
    ],
    [
      "rules in another order",
      /^chain forward has its rules in another order$/,
      (table) => refill(table, "forward", (rules) => [...rules].reverse()),
    ],
    [
      "a missing element",
      /^set pods4_\S+ lacks 1 element \(10\.1\.0\.1\)$/,
      (table) => deleteElement(table, "pods4_", "10.1.0.1"),
    ],
    [
      "an element too many",
      /^set pods4_\S+ has 1 element \(203\.0\.113\.9\) too many$/,
      (table) =>
        operations({
          kind: "add-elements",
          set: setName(table, "pods4_"),
          elements: [{ key: "203.0.113.9", verdict: undefined }],
        }),
    ],
    [
      "an element with another verdict",
      /^map ingress4 has "accept" for 10\.1\.0\.0, not "jump ingress4_/,
      () =>
        operations(
          { kind: "delete-elements", set: "ingress4", elements: ["10.1.0.0"] },
          { kind: "add-elements", set: "ingress4", elements: [{ key: "10.1.0.0", verdict: { kind: "accept" } }] },
        ),
    ],
    [
      "a chain and a set of somebody else",
      /^(chain|set) foreign(er)? is not ours$/,
      () =>
        operations(
          { kind: "add-chain", chain: { name: "foreign", hook: undefined, comment: undefined, rules: [] } },
          { kind: "add-set", set: foreignSet },
          { kind: "add-rule", chain: "foreign", rule: acceptRule("203.0.113.9") },
        ),
    ],
    [
      "a counter of somebody else",
      /^counter foreign is not ours$/,
      () => operations({ kind: "add-counter", name: "foreign" }),
    ],
  ])("sees and repairs %s by the difference", (_, sentence, change) =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const backend = bench.open();
      await backend.install(graph.program());
      await bench.foreign(change(await tableOf(bench)));
      const { differences, repair } = await backend.verify();
      expect(differences).not.toEqual([]);
      expect(differences).toEqual(expect.arrayContaining([expect.stringMatching(sentence)]));
      expect(repair).toMatchObject({ how: "repaired" });
      expect(foundText(await bench.found())).toBe(expectedText(graph));
      expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
    }),
  );

  it("sees and repairs a deleted table", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const backend = bench.open();
      await backend.install(graph.program());
      await bench.foreign(operations({ kind: "delete-table" }));
      expect(await backend.verify()).toMatchObject({
        differences: ["table nftpol is missing"],
        repair: { how: "created" },
      });
      expect(foundText(await bench.found())).toBe(expectedText(graph));
    }));

  it("a deleted table fails the next delta; the one after makes it anew, with both deltas", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const backend = bench.open();
      await backend.install(graph.program());
      await bench.foreign(operations({ kind: "delete-table" }));
      graph.apply(eventOf(numberedPod(5, { app: "client" })));
      await expect(backend.apply(graph.flush())).rejects.toMatchObject({ kind: "refused" });
      graph.apply(eventOf(numberedPod(6, { app: "client" })));
      expect(await backend.apply(graph.flush())).toMatchObject({ how: "created" });
      expect(foundText(await bench.found())).toBe(expectedText(graph));
    }));

  it("counts nothing dropped in a new table, and says when there is none", () =>
    withBench(async (bench) => {
      const backend = bench.open();
      expect(await backend.dropped()).toBeUndefined();
      await backend.install(graphOf(...base).program());
      expect(await backend.dropped()).toEqual({ ingress: 0, egress: 0, midstream: 0, unknown: 0 });
    }));

  it("tells the size of what it holds", () =>
    withBench(async (bench) => {
      const backend = bench.open();
      expect(backend.size()).toEqual({ sets: 0, elements: 0, chains: 0, rules: 0 });
      const graph = graphOf(...base);
      await backend.install(graph.program());
      const { sets, chains } = await tableOf(bench);
      const elements = [...sets.values()].reduce((sum, set) => sum + set.elements.size, 0);
      const rules = [...chains.values()].reduce((sum, chain) => sum + chain.rules.length, 0);
      expect(backend.size()).toEqual({ sets: sets.size, elements, chains: chains.size, rules });
    }));

  it("removes the table and says whether there was one, also beside a backend that is at work", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const working = bench.open();
      await working.install(graph.program());
      const cleaner = bench.open();
      expect(await cleaner.cleanUp()).toBe(true);
      expect(await cleaner.cleanUp()).toBe(false);
      expect(await bench.found()).toEqual({ kind: "none" });
      expect(await working.verify()).toMatchObject({ repair: { how: "created" } });
    }));

  it("refuses overlapping calls", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const backend = bench.open();
      const first = backend.install(graph.program());
      await expect(backend.verify()).rejects.toThrow("must not overlap");
      await first;
      expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
    }));
}

function operations(...list: readonly Operation[]): Transaction {
  return { table: "nftpol", operations: list };
}

async function tableOf(bench: BackendBench): Promise<Ruleset> {
  const found = await bench.found();
  if (found.kind !== "table") throw new Error(`no table: ${found.kind}`);
  return found.ruleset;
}

function setName(table: Ruleset, prefix: string): string {
  const name = [...table.sets.keys()].find((each) => each.startsWith(prefix));
  if (name === undefined) throw new Error(`no set ${prefix}…`);
  return name;
}

function deleteElement(table: Ruleset, prefix: string, element: string): Transaction {
  return operations({ kind: "delete-elements", set: setName(table, prefix), elements: [element] });
}

function flushes(table: Ruleset): Operation[] {
  return [...table.chains.keys()].map((chain) => ({ kind: "flush-chain", chain }));
}

type Rules = readonly Rule[];

function refill(table: Ruleset, chain: string, change: (rules: Rules) => Rules): Transaction {
  const rules = change(table.chains.get(chain)?.rules ?? []);
  return operations(
    { kind: "flush-chain", chain },
    ...rules.map((rule): Operation => ({ kind: "add-rule", chain, rule })),
  );
}

function acceptRule(address: string): Rule {
  return {
    statements: [
      {
        kind: "match",
        left: { kind: "field", field: "ip saddr" },
        operator: "==",
        right: { kind: "values", values: [address] },
      },
      { kind: "verdict", verdict: { kind: "accept" } },
    ],
    comment: undefined,
  };
}

const foreignSet = {
  kind: "set" as const,
  name: "foreigner",
  key: ["ip saddr" as const],
  interval: false,
  size: 16,
  comment: undefined,
  elements: new Set<string>(),
};
