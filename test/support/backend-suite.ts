// Owns what every backend has to do, whatever holds its rules: one suite over memory and over the kernel, in nobody's words. What a
// backend's rules look like, and how somebody else spoils them, is its bench's.
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Backend, BackendError, type ProgramSize } from "../../src/backends/backend.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { isEmptyDelta } from "../../src/program/program.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { allowingPolicy, graphOf, numberedPod, SUITE_OPTIONS, webAndClients } from "./policy-cluster.ts";
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

/** What somebody else does to the rules of `webAndClients`, of which the difference repairs each. */
export const DAMAGES = [
  /** Of all chains of ours. */
  "emptied chains",
  /** Of those that judge TCP in mid-connection. */
  "a deleted rule",
  /** In the chain of ours that forwarded packets meet first; before it, packets from 203.0.113.9 are let through. */
  "a way past the rules",
  "rules in another order",
  /** The client 10.1.0.1 is not among the peers of the policy any more. */
  "a missing element",
  /** 203.0.113.9 is among them. */
  "an element too many",
  /** What the web pod 10.1.0.0 receives is not led to its class any more. */
  "a pod that no class judges",
  /** Among ours. */
  "a chain and a set of somebody else",
] as const;
export type Damage = (typeof DAMAGES)[number];

/** The rules that one test has for itself. */
export interface BackendBench {
  /** A backend that has just started and knows nothing; several work on the same rules. Closed after the test. */
  open(onTransaction?: (text: string) => void): Backend;
  /** The rules as they are, read past all backends: equal texts, equal rules. "none": nothing of ours is there. */
  found(): Promise<string>;
  /** What `found` says of the graph's program. */
  expected(graph: RuleGraph): string;
  /** The part of `found` that packets can meet. */
  met(): Promise<string>;
  /** Everything about our rules that changes when they are touched. */
  fingerprint(): Promise<string>;
  /** Counted in what is there. */
  size(): Promise<ProgramSize>;
  /** In so many texts one delta is written at most. */
  readonly mostTexts: number;
  /** Returns what verification has to say about it, among other things. */
  damage(damage: Damage): Promise<RegExp>;
  /** Somebody else removes all of ours. Returns what verification has to say about it, and nothing else. */
  removeAll(): Promise<string>;
  /** The delta that leads from what is there to the graph, takes the client 10.1.0.1 away and adds a class, is going to be refused. */
  refuseNextDelta(graph: RuleGraph): Promise<void>;
  /** Something has to be repaired, and the difference that would do it is going to be refused. Returns what verification has to say. */
  refuseDifference(): Promise<RegExp>;
}

const base = webAndClients;
const clients = webAndClients.slice(1, 4);

export function backendSuite(withBench: (body: (bench: BackendBench) => Promise<void>) => Promise<void>): void {
  it("makes the rules where there are none", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      expect(await bench.open().install(graph.program())).toMatchObject({ how: "created" });
      expect(await bench.found()).toBe(bench.expected(graph));
    }));

  it("adopts equal rules without touching them", () =>
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

  it("adopts the rules of an older program by the difference, and goes on from there", () =>
    withBench(async (bench) => {
      await bench.open().install(graphOf(...base).program());
      const graph = graphOf(...base, numberedPod(4, { app: "client" }), allowingPolicy("more", "web", "other"));
      const backend = bench.open();
      expect(await backend.install(graph.program())).toMatchObject({ how: "adopted" });
      expect(await bench.found()).toBe(bench.expected(graph));
      graph.apply(removalOf(clients[0] as ApiObject));
      expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
      expect(await bench.found()).toBe(bench.expected(graph));
    }));

  it("keeps adopted sets at their size, and knows when they are full", () =>
    withBench(async (bench) => {
      const many = (count: number) =>
        Array.from({ length: count }, (_, index) => numberedPod(10 + index, { app: "client" }));
      await bench.open().install(graphOf(...base).program());
      // Of nft: 43 elements still fit into the 64 that were declared for 3; a fresh compile would declare 128.
      const graph = graphOf(...base, ...many(40));
      const backend = bench.open();
      expect(await backend.install(graph.program())).toMatchObject({ how: "adopted" });
      for (const pod of many(80)) graph.apply(eventOf(pod));
      expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
      expect(await bench.found()).toBe(bench.expected(graph));
    }));

  it("follows random changes, and is always what a fresh compile says", () =>
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
      let texts = 0;
      const backend = bench.open(() => texts++);
      graph.flush();
      await backend.install(graph.program());
      for (const step of steps) {
        for (const object of step.objects) {
          if (step.remove) objects.delete(objectKey(object));
          else objects.set(objectKey(object), object);
          graph.apply(step.remove ? removalOf(object) : eventOf(object));
        }
        const delta = graph.flush();
        texts = 0;
        const { how } = await backend.apply(delta);
        expect(["delta", "unchanged"]).toContain(how);
        expect(texts).toBeGreaterThanOrEqual(how === "delta" ? 1 : 0);
        expect(texts).toBeLessThanOrEqual(how === "delta" ? bench.mostTexts : 0);
        if (isEmptyDelta(delta)) expect(how).toBe("unchanged");
        const fresh = new RuleGraph(storeOf([...objects.values()]), "n1", SUITE_OPTIONS);
        expect(await bench.found()).toBe(bench.expected(fresh));
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
      expect(await bench.found()).toBe(bench.expected(graph));
    }));

  it("a refused delta leaves all that packets meet as it was, and the next call repairs", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const backend = bench.open();
      await backend.install(graph.program());
      graph.apply(removalOf(clients[0] as ApiObject));
      graph.apply(eventOf(allowingPolicy("more", "web", "other", 9090)));
      await bench.refuseNextDelta(graph);
      const before = await bench.met();
      const failed = await backend.apply(graph.flush()).catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(BackendError);
      expect(failed).toMatchObject({ kind: "refused", output: expect.any(String) });
      expect(await bench.met()).toBe(before);
      expect(await backend.apply(graph.flush())).toMatchObject({ how: "repaired" });
      expect(await bench.found()).toBe(bench.expected(graph));
      expect(await backend.apply(graph.flush())).toEqual({ how: "unchanged", operations: 0, elements: 0 });
    }));

  it("replaces everything when the difference is refused too", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const backend = bench.open();
      await backend.install(graph.program());
      const sentence = await bench.refuseDifference();
      const { differences, repair } = await backend.verify();
      expect(differences).toEqual(expect.arrayContaining([expect.stringMatching(sentence)]));
      expect(repair).toMatchObject({ how: "replaced", refusal: { kind: "refused" } });
      expect(await bench.found()).toBe(bench.expected(graph));
      expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
    }));

  it.each(DAMAGES)("sees and repairs %s by the difference, and so does the next start", (damage) =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const backend = bench.open();
      await backend.install(graph.program());
      const sentence = await bench.damage(damage);
      expect(await bench.found()).not.toBe(bench.expected(graph));
      const { differences, repair } = await backend.verify();
      expect(differences).toEqual(expect.arrayContaining([expect.stringMatching(sentence)]));
      expect(repair).toMatchObject({ how: "repaired" });
      expect(await bench.found()).toBe(bench.expected(graph));
      expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
      await bench.damage(damage);
      expect(await bench.open().install(graph.program())).toMatchObject({ how: "adopted" });
      expect(await bench.found()).toBe(bench.expected(graph));
    }),
  );

  it("sees that nothing is left, and makes it anew", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const backend = bench.open();
      await backend.install(graph.program());
      const sentence = await bench.removeAll();
      expect(await bench.found()).toBe("none");
      expect(await backend.verify()).toMatchObject({ differences: [sentence], repair: { how: "created" } });
      expect(await bench.found()).toBe(bench.expected(graph));
    }));

  it("where nothing is left the next delta is refused; the one after makes it anew, with both deltas", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const backend = bench.open();
      await backend.install(graph.program());
      await bench.removeAll();
      graph.apply(eventOf(numberedPod(5, { app: "client" })));
      await expect(backend.apply(graph.flush())).rejects.toMatchObject({ kind: "refused" });
      graph.apply(eventOf(numberedPod(6, { app: "client" })));
      expect(await backend.apply(graph.flush())).toMatchObject({ how: "created" });
      expect(await bench.found()).toBe(bench.expected(graph));
    }));

  it("counts nothing dropped by new rules, and says when there are none", () =>
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
      const size = await bench.size();
      expect(size.elements).toBeGreaterThan(0);
      expect(backend.size()).toEqual(size);
    }));

  it("removes everything and says whether there was anything, also beside a backend that is at work", () =>
    withBench(async (bench) => {
      const graph = graphOf(...base);
      const working = bench.open();
      await working.install(graph.program());
      const cleaner = bench.open();
      expect(await cleaner.cleanUp()).toBe(true);
      expect(await cleaner.cleanUp()).toBe(false);
      expect(await bench.found()).toBe("none");
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
