// What is rendered is what the kernel holds: on every nft at hand, text and JSON give the same table, which reads back
// as the compiled one; transactions lead a real table from one random cluster to the next; the prover reads it live.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { diffRulesets } from "../../src/backends/nft/diff.ts";
import { renderJson } from "../../src/backends/nft/json.ts";
import { readTable } from "../../src/backends/nft/read-back.ts";
import { type Ruleset, TABLE } from "../../src/backends/nft/ruleset.ts";
import { renderText } from "../../src/backends/nft/text.ts";
import { RulesetTracker } from "../../src/backends/nft/tracker.ts";
import { renderTransaction } from "../../src/backends/nft/transaction.ts";
import { fillStore } from "../../src/cli/input.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { loadManifests } from "../../src/manifests/load-manifests.ts";
import { nodeManifestFiles } from "../../src/manifests/manifest-files.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../src/program/program.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { describeKernel } from "../support/kernel.ts";
import { type Netns, withNetns } from "../support/netns.ts";
import { isAtLeast, nftBinaries } from "../support/nft-binaries.ts";
import {
  cluster,
  eventOf,
  NODES,
  nodeObject,
  podObject,
  policyObject,
  removalOf,
  storeOf,
} from "../support/random-cluster.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nfpt-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const EVERY_OPTION: ProgramOptions = { podToOwnNode: "enforce", serviceProxy: "ipvs", unknownLocalPods: "drop" };

/** Runs nft and expects it to be content. */
async function nft(ns: Netns, path: string, ...argv: string[]): Promise<string> {
  const result = await ns.run([path, ...argv]);
  expect({ argv, stderr: result.stderr, code: result.code }).toEqual({ argv, stderr: "", code: 0 });
  return result.stdout;
}

async function load(ns: Netns, path: string, text: string, json = false): Promise<void> {
  const file = join(folder, json ? "batch.json" : "batch.nft");
  writeFileSync(file, text);
  await nft(ns, path, ...(json ? ["-j"] : []), "-f", file);
}

async function readBack(ns: Netns, path: string): Promise<Ruleset> {
  const { ruleset, unknown } = readTable(TABLE, await nft(ns, path, "-j", "list", "table", "inet", TABLE));
  expect(unknown).toEqual([]);
  return ruleset;
}

/** Without what nft 1.0.6 does not list (chain comments) and what only says how a key was spelled (typeof). */
function comparable(ruleset: Ruleset, sizes = true): string {
  const text = renderText(ruleset).replace(/^ *typeof .*\n/gm, "");
  const withoutChainComments = text.replace(/^( *chain [^\n]*\n) *comment [^\n]*\n/gm, "$1");
  return sizes ? withoutChainComments : withoutChainComments.replace(/^ *size \d+\n/gm, "");
}

function withoutSetComments(text: string): string {
  return text.replace(/^ *comment "[^\n]*\n/gm, "");
}

async function exampleRulesets(): Promise<Map<string, Ruleset>> {
  const rulesets = new Map<string, Ruleset>();
  const examples = readdirSync(join(root, "policies-examples"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  for (const { name } of examples) {
    const loaded = await loadManifests([join(root, "policies-examples", name)], {
      recursive: true,
      files: nodeManifestFiles,
    });
    const { store, nodeNames } = fillStore(loaded).input;
    for (const node of nodeNames) {
      rulesets.set(`${name} ${node}`, compileRuleset(new RuleGraph(store, node, EVERY_OPTION).program()));
    }
  }
  return rulesets;
}

describeKernel("rules in the kernel", () => {
  const binaries = nftBinaries();

  it("finds an old and a new nft to try", () => {
    expect(binaries.length).toBeGreaterThan(0);
    if (process.env.CI === "true") expect(binaries.some((binary) => isAtLeast(binary, [1, 1, 3]))).toBe(true);
  });

  it.each(binaries)(
    "text and JSON of every example load with the nft of $origin and read back as compiled",
    async (binary) => {
      const { path } = binary;
      const rulesets = await exampleRulesets();
      expect(rulesets.size).toBeGreaterThanOrEqual(15);
      await withNetns(async (ns) => {
        for (const [name, ruleset] of rulesets) {
          await load(ns, path, renderText(ruleset));
          const fromText = comparable(await readBack(ns, path));
          expect({ name, table: fromText }).toEqual({ name, table: comparable(ruleset) });
          await nft(ns, path, "delete", "table", "inet", TABLE);
          const declarations = isAtLeast(binary, [1, 1, 3]) ? (["type", "typeof"] as const) : (["type"] as const);
          for (const declaration of declarations) {
            await load(ns, path, renderJson(ruleset, declaration), true);
            // libnftables reads no set comments from JSON (1.0.6 to 1.1.7): they are for people, everything else is equal.
            const fromJson = withoutSetComments(comparable(await readBack(ns, path)));
            expect({ name, declaration, table: fromJson }).toEqual({
              name,
              declaration,
              table: withoutSetComments(fromText),
            });
            // Other software's old nft must go on working; with `type` from a new nft it would crash.
            if (declaration === "typeof") await nft(ns, path, "list", "ruleset");
          }
        }
      });
    },
  );

  it.each(binaries)(
    "random rulesets load with nft of $origin; a difference leads from each to the next",
    async ({ path }) => {
      const samples = fc.sample(cluster, { seed: 7, numRuns: 12 });
      await withNetns(async (ns) => {
        let current: Ruleset | undefined;
        for (const objects of samples) {
          const next = compileRuleset(new RuleGraph(storeOf(objects), NODES[0], EVERY_OPTION).program());
          await load(
            ns,
            path,
            current === undefined ? renderText(next) : renderTransaction(diffRulesets(current, next)),
          );
          current = await readBack(ns, path);
          expect(comparable(current, false)).toBe(comparable(next, false));
        }
      });
    },
  );

  it("every incremental transaction is accepted, and the table stays what the tracker says", async () => {
    const steps = fc.sample(
      fc.record({
        object: fc.oneof(
          { weight: 3, arbitrary: podObject },
          { weight: 2, arbitrary: policyObject },
          { weight: 1, arbitrary: nodeObject },
        ),
        remove: fc.boolean(),
      }),
      { seed: 11, numRuns: 60 },
    );
    await withNetns(async (ns) => {
      const graph = new RuleGraph(new ClusterStore(), NODES[0], EVERY_OPTION);
      const tracker = new RulesetTracker(graph.program());
      await load(ns, "nft", renderText(tracker.ruleset()));
      for (const { object, remove } of steps) {
        graph.apply(remove ? removalOf(object) : eventOf(object));
        const text = renderTransaction(tracker.update(graph.flush()));
        if (text === "") continue;
        await load(ns, "nft", text);
        expect(comparable(await readBack(ns, "nft"))).toBe(comparable(tracker.ruleset()));
      }
    });
  });

  it("a set that outgrows its declared size is replaced in one transaction", async () => {
    const pod = (index: number) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `p${index}`, namespace: "x", labels: { app: "web" } },
      spec: { nodeName: index === 0 ? "n1" : "n2", containers: [] },
      status: { phase: "Running", podIPs: [{ ip: `10.1.${index >> 8}.${index & 255}` }] },
    });
    const policy = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "p", namespace: "x" },
      spec: { podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }] }] },
    };
    await withNetns(async (ns) => {
      const graph = new RuleGraph(storeOf([policy, pod(0)]), "n1", DEFAULT_PROGRAM_OPTIONS);
      const tracker = new RulesetTracker(graph.program());
      graph.flush();
      await load(ns, "nft", renderText(tracker.ruleset()));
      for (let index = 1; index <= 200; index++) {
        graph.apply(eventOf(pod(index)));
        if (index % 20 === 0) await load(ns, "nft", renderTransaction(tracker.update(graph.flush())));
      }
      const kernel = await readBack(ns, "nft");
      expect(comparable(kernel)).toBe(comparable(tracker.ruleset()));
      expect([...kernel.sets.values()].find(({ name }) => name.startsWith("pods4_"))?.elements.size).toBe(201);
    });
  });

  it("prove --live tells equal rules from tampered ones", async () => {
    const example = join(root, "policies-examples/01-default-deny-ingress");
    const nftpol = join(root, "bin/nftpol");
    const text = execFileSync(nftpol, ["render", "-f", example], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    await withNetns(async (ns) => {
      const missing = await ns.run([nftpol, "prove", "-f", example, "--live"]);
      expect({ code: missing.code, stderr: missing.stderr }).toMatchObject({
        code: 3,
        stderr: expect.stringContaining("no table inet nftpol"),
      });
      await load(ns, "nft", text);
      expect(await ns.run([nftpol, "prove", "-f", example, "--live"])).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/equal: \d+ packet classes/),
      });
      await nft(ns, "nft", "insert rule inet nftpol forward ip saddr 192.0.2.1 accept");
      const tampered = await ns.run([nftpol, "prove", "-f", example, "--live"]);
      expect(tampered.code).toBe(1);
      expect(tampered.stdout).toContain("DIFFERENT");
      expect(tampered.stdout).toContain("192.0.2.1");
      await load(ns, "nft", text);
      await nft(ns, "nft", "insert rule inet nftpol forward meta mark 7 accept");
      const foreign = await ns.run([nftpol, "prove", "-f", example, "--live"]);
      expect(foreign).toMatchObject({ code: 1, stdout: expect.stringContaining("not of nftpol's making") });
    });
  });
});
