import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realClock } from "./clock.ts";
import type { ClusterChange } from "./cluster-change.ts";
import { createLog } from "./log.ts";
import { ManifestSource } from "./manifest-source.ts";

const POLICY =
  "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: x}\nspec: {podSelector: {}}\n";
const POD =
  "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: x}\nspec: {containers: []}\nstatus: {podIP: 10.0.0.1}\n";

let folder: string;
let stop: () => Promise<void>;
let batches: (readonly ClusterChange[])[];
let synced: number;
let source: ManifestSource;
let logged: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nftpol-test-"));
  await writeFile(join(folder, "policy.yaml"), POLICY);
  await writeFile(join(folder, "pod.yaml"), POD);
  batches = [];
  synced = 0;
  logged = "";
  const log = createLog("info", "node-1", (line) => {
    logged += line;
  });
  source = new ManifestSource({ folder, nodeName: "node-1", clock: realClock, log });
  const controller = new AbortController();
  const sink = {
    changed: (changes: readonly ClusterChange[]) => void batches.push(changes),
    synced: () => void synced++,
  };
  const done = source.run(sink, controller.signal);
  stop = async () => {
    controller.abort();
    await done;
  };
});

afterEach(async () => {
  await stop();
  await rm(folder, { recursive: true, force: true });
});

const eventually = (check: () => void) => expect.poll(check, { timeout: 8_000 });
const keys = (batch: readonly ClusterChange[] | undefined) =>
  (batch ?? []).map(({ event }) => {
    const removed =
      event.kind === "policy" ? event.policy === undefined : event.kind === "pod" && event.pod === undefined;
    return `${removed ? "-" : "+"}${event.kind === "pod" || event.kind === "policy" ? event.key : event.name}`;
  });

describe("a watched folder", () => {
  it("is handed over whole, then changes as they come: a rename, an edit, a deletion", async () => {
    await eventually(() => synced).toBe(1);
    expect(keys(batches[0]).sort()).toEqual(["+NetworkPolicy/x/a", "+x/p"]);
    const pod = batches[0]?.find(({ event }) => event.kind === "pod")?.event;
    expect(pod).toMatchObject({ pod: { nodeName: "node-1" } });

    await writeFile(
      join(folder, ".policy.tmp"),
      POLICY.replace("podSelector: {}", "podSelector: {matchLabels: {app: b}}"),
    );
    await rename(join(folder, ".policy.tmp"), join(folder, "policy.yaml"));
    await eventually(() => keys(batches[1])).toEqual(["+NetworkPolicy/x/a"]);

    await rm(join(folder, "policy.yaml"));
    await eventually(() => keys(batches[2])).toEqual(["-NetworkPolicy/x/a"]);
    expect(synced).toBe(1);
    expect(source.status()).toMatchObject([{ resource: "manifests", synced: true, lastFailure: undefined }]);
  });

  it("with a broken file goes on with what the file said before, and tells", async () => {
    await eventually(() => synced).toBe(1);
    await writeFile(join(folder, "policy.yaml"), POLICY.slice(0, -20));
    await eventually(() => source.status()[0]?.lastFailure ?? "").toContain("policy.yaml");
    expect(batches).toHaveLength(1);
    expect(logged).toContain("what they said before stays in force");
    await writeFile(join(folder, "policy.yaml"), POLICY.replace("name: a", "name: b"));
    await eventually(() => keys(batches[1]).sort()).toEqual(["+NetworkPolicy/x/b", "-NetworkPolicy/x/a"]);
    expect(source.status()[0]?.lastFailure).toBeUndefined();
  });

  it("whose files lead through one link, as the kubelet mounts them, changes as a whole", async () => {
    await eventually(() => synced).toBe(1);
    const version = async (name: string, label: string) => {
      await mkdir(join(folder, name));
      for (const file of ["one", "two"]) {
        const text = POLICY.replace("name: a", `name: ${file}, labels: {l: ${label}}`);
        await writeFile(
          join(folder, name, `${file}.yaml`),
          text.replace("podSelector: {}", `podSelector: {matchLabels: {l: ${label}}}`),
        );
      }
      await symlink(name, join(folder, "..new"));
      await rename(join(folder, "..new"), join(folder, "..data"));
    };
    await version("..first", "a");
    for (const file of ["one", "two"]) await symlink(`..data/${file}.yaml`, join(folder, `${file}.yaml`));
    await eventually(() => keys(batches[1])).toEqual(["+NetworkPolicy/x/one", "+NetworkPolicy/x/two"]);
    await version("..second", "b");
    await eventually(() => keys(batches[2])).toEqual(["+NetworkPolicy/x/one", "+NetworkPolicy/x/two"]);
  });
});
