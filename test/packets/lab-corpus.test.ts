// Truth tables of other engines' own tests, asked with packets: what the corpus expects, what our evaluator means and what
// arrives is one and the same. Folders with the same pods share a lab, and their policies follow each other in it.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { readLabManifests } from "../../src/cli/lab/lab-input.ts";
import type { MeasuredFlow } from "../../src/cli/lab/measured-matrix.ts";
import type { Matrix } from "../../src/cli/matrix/compute.ts";
import { formatQuestion, parseTraffic, type TrafficQuestion } from "../../src/cli/traffic-text.ts";
import { TOPOLOGIES } from "../../src/lab/topology.ts";
import { nodeManifestFiles } from "../../src/manifests/manifest-files.ts";
import { describeKernel } from "../support/kernel.ts";
import { labBackendInTurn } from "../support/lab-backends.ts";
import { differencesOf, type TestLab, type TestLabSettings, withTestLab } from "../support/packet-lab.ts";
import { seededRandom } from "./safe-changes.ts";

const CORPUS = resolve(import.meta.dirname, "../../../shared/corpus");
const SEED = Number(process.env.NFTPOL_SEED ?? 1);
const FOLDERS = 21 * Number(process.env.NFTPOL_RUNS ?? 1);

/** A sample: another one with another NFTPOL_SEED, a larger one with NFTPOL_RUNS. */
function sample(corpus: string, folders: number): string[] {
  const random = seededRandom(SEED);
  const all = readdirSync(join(CORPUS, corpus)).sort();
  const ranked = all.map((name) => ({ name: join(corpus, name), rank: random() })).sort((a, b) => a.rank - b.rank);
  return ranked.slice(0, folders).map(({ name }) => name);
}

interface ExpectedRow {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
  readonly combined: "allow" | "deny" | null;
}

function expectedRows(name: string): ExpectedRow[] {
  const rows = JSON.parse(readFileSync(join(CORPUS, name, "expected.json"), "utf8")) as ExpectedRow[];
  return rows.filter(({ from, to, combined }) => from !== to && combined !== null);
}

function questionsOf(rows: readonly ExpectedRow[]): TrafficQuestion[] {
  const words = new Set(rows.map(({ protocol, port }) => `${port}/${protocol}`));
  return [...words].map((word) => parseTraffic(word) as TrafficQuestion);
}

/** Rows that the packets contradict; and how many they answered. */
function contradicted(rows: readonly ExpectedRow[], matrix: Matrix, flows: readonly MeasuredFlow[]) {
  const measured = new Map<string, boolean>();
  for (const flow of flows) {
    if (flow.family !== 4) continue;
    const key = `${matrix.endpoints[flow.from]?.name} ${matrix.endpoints[flow.to]?.name} ${formatQuestion(matrix.ports[flow.port] as TrafficQuestion)}`;
    measured.set(key, flow.measured);
  }
  const answers = rows.map((row) => ({ row, got: measured.get(`${row.from} ${row.to} ${row.port}/${row.protocol}`) }));
  return {
    answered: answers.filter(({ got }) => got !== undefined).length,
    wrong: answers.filter(({ row, got }) => got !== undefined && (got ? "allow" : "deny") !== row.combined),
  };
}

/** Namespaces and pods, as a key: what a lab keeps while policies change. */
async function podsOf(name: string): Promise<string> {
  const { loaded } = await readLabManifests([join(CORPUS, name, "state.yaml")], false, nodeManifestFiles);
  const pods = loaded.pods.map(({ key, addresses, nodeName }) => `${key} ${addresses} ${nodeName}`);
  return createHash("sha256").update(pods.sort().join("\n")).digest("hex");
}

async function check({ measure }: TestLab, name: string): Promise<void> {
  const rows = expectedRows(name);
  const result = await measure(questionsOf(rows));
  const { answered, wrong } = contradicted(rows, result.matrix, result.measured.flows);
  expect({ name, differences: differencesOf(result), wrong }).toEqual({ name, differences: [], wrong: [] });
  expect(answered).toBeGreaterThan(0);
}

const SHAPES: readonly TestLabSettings[] = TOPOLOGIES.map((topology, index) => ({
  topology,
  nodes: index === 0 ? 1 : 2,
  dualStack: true,
}));

describeKernel(`the corpus by packets (seed ${SEED})`, () => {
  if (!existsSync(CORPUS)) {
    console.warn("SKIPPED: ../shared/corpus is not there, so no folder of it was tried with packets");
    it.skip("../shared/corpus is absent: nothing was measured", () => {});
    return;
  }

  describe.each([
    { corpus: "cyclonus", folders: FOLDERS },
    { corpus: "npapi", folders: Number.POSITIVE_INFINITY },
  ])("of $corpus", ({ corpus, folders }) => {
    const turn = corpus === "cyclonus" ? 0 : 1;
    const shapes = SHAPES.map((shape, index) => ({ ...shape, backend: labBackendInTurn(index + turn) }));
    it.each(shapes)(
      "$topology, nodes: $nodes, $backend: a third of its folders",
      { timeout: 300_000 },
      async (shape) => {
        const third = sample(corpus, folders).filter((_, index) => index % shapes.length === shapes.indexOf(shape));
        expect(third.length).toBeGreaterThan(0);
        await checkFolders(third, shape);
      },
    );
  });
});

/** Those with the same pods in one lab. */
async function checkFolders(names: readonly string[], shape: TestLabSettings): Promise<void> {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const key = await podsOf(name);
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  const source = (name: string) => ({ path: join(CORPUS, name, "state.yaml") });
  for (const [first = "", ...others] of groups.values()) {
    await withTestLab(source(first), shape, async (lab) => {
      await check(lab, first);
      for (const name of others) {
        await lab.replace(source(name));
        await check(lab, name);
      }
    });
  }
}
