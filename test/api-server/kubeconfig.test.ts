// Which kubeconfig and which context: kubectl's rules, and what is said when there is none.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { loadKubeContext } from "../../src/kube/kubeconfig.ts";
import { temporaryFolder, writeKubeconfig } from "./kubeconfig-files.ts";

const CLUSTER = { server: "https://127.0.0.1:6443" };

beforeEach(() => {
  vi.stubEnv("KUBECONFIG", undefined);
  vi.stubEnv("KUBERNETES_SERVICE_HOST", undefined);
  vi.stubEnv("HOME", "/nowhere");
  onTestFinished(() => void vi.unstubAllEnvs());
});

function config(context: string, server = `https://${context}.example`, folder?: string): string {
  return writeKubeconfig({ context, cluster: { server }, user: { token: "t" } }, folder, `${context}.yaml`);
}

describe("no kubeconfig", () => {
  it("at all", async () => {
    await expect(loadKubeContext()).rejects.toMatchObject({
      kind: "kubeconfig",
      message: "there is no kubeconfig: KUBECONFIG is not set and ~/.kube/config does not exist",
      hint: "name one with --kubeconfig or KUBECONFIG",
    });
  });

  it("where --kubeconfig says", async () => {
    await expect(loadKubeContext({ kubeconfig: "/no/config" })).rejects.toMatchObject({
      message: "there is no kubeconfig: /no/config does not exist",
    });
  });

  it("where KUBECONFIG says, though ~/.kube/config may exist", async () => {
    vi.stubEnv("KUBECONFIG", "/no/config");
    await expect(loadKubeContext()).rejects.toMatchObject({
      message: "there is no kubeconfig: KUBECONFIG names /no/config, which does not exist",
    });
  });

  it.each([
    ["an empty file", "", /no contexts/],
    ["only a comment", "# nothing\n\n  # more\n", /no contexts/],
    ["another YAML file", "replicas: 2\n", /no contexts/],
    ["a single null", "~", /is not a kubeconfig/],
    ["not YAML", "a: [", /line \d+/],
  ])("but %s", async (_name, text, message) => {
    const path = join(temporaryFolder(), "config");
    writeFileSync(path, text);
    await expect(loadKubeContext({ kubeconfig: path })).rejects.toMatchObject({
      kind: "kubeconfig",
      message: expect.stringMatching(message),
    });
  });

  it("but a folder", async () => {
    await expect(loadKubeContext({ kubeconfig: temporaryFolder() })).rejects.toMatchObject({ kind: "kubeconfig" });
  });
});

describe("the context", () => {
  it("is the current one, or the one asked for", async () => {
    const folder = temporaryFolder();
    vi.stubEnv("KUBECONFIG", [config("dev", undefined, folder), config("prod", undefined, folder)].join(":"));
    expect((await loadKubeContext()).name).toBe("dev");
    const prod = await loadKubeContext({ context: "prod" });
    expect([prod.name, prod.cluster.server]).toEqual(["prod", "https://prod.example"]);
  });

  it("of KUBECONFIG comes from the first file that has it; absent files are skipped, as kubectl does", async () => {
    const first = config("dev", "https://first.example");
    const second = config("dev", "https://second.example");
    vi.stubEnv("KUBECONFIG", ["/no/config", "", first, second].join(":"));
    expect((await loadKubeContext()).cluster.server).toBe("https://first.example");
  });

  it("that does not exist: what there is, and what was meant", async () => {
    const kubeconfig = config("production");
    await expect(loadKubeContext({ kubeconfig, context: "prodution" })).rejects.toMatchObject({
      kind: "kubeconfig",
      message: `there is no context "prodution" in ${kubeconfig}`,
      hint: "did you mean production? contexts: production",
    });
  });

  it("that is not set", async () => {
    const kubeconfig = writeKubeconfig({ currentContext: "", cluster: CLUSTER });
    await expect(loadKubeContext({ kubeconfig })).rejects.toMatchObject({
      message: `no current context is set in ${kubeconfig}`,
      hint: "choose one with --context; contexts: test",
    });
  });

  it.each([
    [
      "a cluster that is missing",
      { contexts: [{ name: "c", context: { cluster: "x", user: "u" } }] },
      /uses cluster "x"/,
    ],
    [
      "a user that is missing",
      { clusters: [{ name: "k", cluster: CLUSTER }], contexts: [{ name: "c", context: { cluster: "k", user: "u" } }] },
      /uses user "u"/,
    ],
  ])("that uses %s", async (_name, content, message) => {
    const path = join(temporaryFolder(), "config");
    writeFileSync(path, JSON.stringify({ "current-context": "c", ...content }));
    await expect(loadKubeContext({ kubeconfig: path })).rejects.toMatchObject({
      kind: "kubeconfig",
      message: expect.stringMatching(message),
    });
  });

  it("works beside entries that are incomplete", async () => {
    const path = join(temporaryFolder(), "config");
    const content = {
      "current-context": "c",
      clusters: [{ name: "k", cluster: CLUSTER }, { name: "half" }],
      contexts: [
        { name: "c", context: { cluster: "k" } },
        { name: "half", context: {} },
      ],
    };
    writeFileSync(path, JSON.stringify(content));
    expect(await loadKubeContext({ kubeconfig: path })).toMatchObject({ name: "c", user: undefined });
  });
});
