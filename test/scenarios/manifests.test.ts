// The whole agent over a folder instead of an API server: what a table that an earlier agent left goes through.

import { describe, expect, it, onTestFinished } from "vitest";
import { Agent } from "../../src/agent/agent.ts";
import { createLog } from "../../src/agent/log.ts";
import { ManifestSource } from "../../src/agent/manifest-source.ts";
import { MemoryKernelTable } from "../../src/backends/nft/memory-kernel-table.ts";
import { NftBackend } from "../../src/backends/nft/nft-backend.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { EditedFiles } from "../support/edited-files.ts";
import { fastClock } from "../support/fast-clock.ts";
import { until } from "../support/until.ts";
import { podText, policyText } from "../support/watched-manifests.ts";
import { passes } from "./packets.ts";

const STRANGER = "10.1.2.20";
const POD = "10.1.1.10";

function startAgent(files: EditedFiles, table: MemoryKernelTable) {
  const logged: string[] = [];
  const clock = fastClock(10);
  const log = createLog("info", "n1", (line) => void logged.push(line));
  const agent = new Agent({
    nodeName: "n1",
    version: "1",
    program: DEFAULT_PROGRAM_OPTIONS,
    source: new ManifestSource({ folder: "d", nodeName: "n1", clock, log, files: files.door }),
    backend: new NftBackend(table),
    backendName: "nft",
    backendFacts: { version: "", writer: "", warnings: [] },
    dryRun: false,
    tracker: undefined,
    pathProblems: () => [],
    reportFindings: () => {},
    clock,
    log,
  });
  const ended = new AbortController();
  const done = agent.run(ended.signal);
  const stop = async () => {
    ended.abort();
    await done;
  };
  onTestFinished(stop);
  return { agent, logged, stop };
}

async function readiness(agent: Agent): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await agent.report.healthRoutes["/readyz"]?.();
  return { status: answer?.status ?? 0, body: String(answer?.body) };
}

const isReady = async (agent: Agent) => (await readiness(agent)).status === 200;

describe("an agent that starts while a manifest cannot be read", () => {
  it.each([
    ["is half-written", (files: EditedFiles) => files.write("d/policy.yaml", policyText("a").slice(0, -4))],
    [
      "has a typo in its kind",
      (files: EditedFiles) => files.write("d/policy.yaml", policyText("a").replace("Po", "po")),
    ],
    ["is closed to it", (files: EditedFiles) => files.unreadable.add("d/policy.yaml")],
  ])("which %s leaves the rules that are there, and goes on when it is right", async (_how, damage) => {
    const files = new EditedFiles();
    files.write("d/pod.yaml", podText("web", POD, "n1"));
    files.write("d/policy.yaml", policyText("a"));
    const table = new MemoryKernelTable();
    const first = startAgent(files, table);
    await until("the first agent is ready", () => isReady(first.agent));
    expect(passes(table.ruleset(), STRANGER, POD)).toBe(false);
    await first.stop();

    damage(files);
    const second = startAgent(files, table);
    await until("readiness says why", async () =>
      (await readiness(second.agent)).body.includes("manifests not synced yet: d/policy.yaml"),
    );
    expect(second.logged.join("")).toContain("manifests cannot be read yet: nothing is written");
    expect(second.logged.join("")).not.toContain("what they said before");
    expect((await readiness(second.agent)).status).toBe(503);
    expect(passes(table.ruleset(), STRANGER, POD)).toBe(false);

    files.unreadable.clear();
    files.write("d/policy.yaml", policyText("b"));
    await until("the second agent is ready", () => isReady(second.agent));
    expect(passes(table.ruleset(), STRANGER, POD)).toBe(false);
    expect((await second.agent.report.status()).pods).toMatchObject([{ ingress: ["x/b"] }]);
  });

  it("goes on when the manifest is gone", async () => {
    const files = new EditedFiles();
    files.write("d/pod.yaml", podText("web", POD, "n1"));
    files.write("d/policy.yaml", "{");
    const table = new MemoryKernelTable();
    const { agent } = startAgent(files, table);
    await until("readiness says why", async () =>
      (await readiness(agent)).body.includes("not synced yet: d/policy.yaml"),
    );
    files.remove("d/policy.yaml");
    await until("the agent is ready", () => isReady(agent));
    expect(passes(table.ruleset(), STRANGER, POD)).toBe(true);
  });
});

it("policies of kinds that are not enforced are in the status, and what is said about them", async () => {
  const files = new EditedFiles();
  files.write("d/pod.yaml", podText("web", POD, "n1"));
  files.write(
    "d/other.yaml",
    "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: x}\n",
  );
  const { agent } = startAgent(files, new MemoryKernelTable());
  await until("the agent is ready", () => isReady(agent));
  expect(await agent.report.status()).toMatchObject({
    unenforcedKinds: ["ciliumnetworkpolicies.cilium.io"],
    findings: [
      { object: "CiliumNetworkPolicy x/a", severity: "warning", message: expect.stringContaining("not enforced") },
    ],
  });
});
