// Files, folders and streams: what is read, in which order, and what is said when that fails.

import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { findingLine, loadTexts } from "../../test/support/manifests.ts";
import { loadManifests } from "./load-manifests.ts";
import { type ManifestFiles, memoryManifestFiles, nodeManifestFiles } from "./manifest-files.ts";

function pod(name: string, ip = "", namespace = "shop"): string {
  const status = ip === "" ? "" : `status: {podIP: ${ip}}\n`;
  return `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\n${status}`;
}

function jsonPod(index: number, typed = true): object {
  const type = typed ? { apiVersion: "v1", kind: "Pod" } : {};
  const metadata = { name: `p${index}`, labels: { text: '}]{["\\' } };
  return { ...type, metadata, status: { podIP: `10.0.0.${index}` } };
}

const names = (loaded: { pods: readonly { name: string }[] }) => loaded.pods.map((one) => one.name);

describe("paths", () => {
  const tree = {
    "dir/b.yaml": pod("b", "10.0.0.2"),
    "dir/a.yml": pod("a", "10.0.0.1"),
    "dir/c.json": JSON.stringify(jsonPod(3)),
    "dir/.hidden.yaml": "bad: [",
    "dir/x.expect.yaml": "bad: [",
    "dir/notes.txt": "bad: [",
    "dir/sub/d.yaml": pod("d", "10.0.0.4"),
  };

  it("a folder: its manifests by name, without subfolders, hidden files and expectations", async () => {
    const loaded = await loadTexts(tree, ["dir"]);
    expect(names(loaded)).toEqual(["a", "b", "p3"]);
    expect(loaded.diagnostics).toEqual([]);
  });

  it("recursive: subfolders too", async () => {
    expect(names(await loadTexts(tree, ["dir"], true))).toEqual(["a", "b", "p3", "d"]);
  });

  it("reads a file once, however often it is named", async () => {
    const loaded = await loadTexts(tree, ["dir/b.yaml", "dir", "dir/", "dir/b.yaml"]);
    expect(names(loaded)).toEqual(["b", "a", "p3"]);
    expect(loaded.diagnostics).toEqual([]);
  });

  it("- is standard input", async () => {
    expect(names(await loadTexts({ "-": pod("a", "10.0.0.1") }))).toEqual(["a"]);
    const list = { kind: "PodList", apiVersion: "v1", items: [jsonPod(1, false), jsonPod(2, false)] };
    expect(names(await loadTexts({ "-": JSON.stringify(list) }))).toEqual(["p1", "p2"]);
  });

  it("reports every unreadable path and reads the rest", async () => {
    const loaded = await loadTexts(tree, ["nowhere", "dir/b.yaml", "gone.yaml"]);
    expect(loaded.diagnostics.map(findingLine)).toEqual([
      "nowhere error file-unreadable",
      "gone.yaml error file-unreadable",
    ]);
    expect(names(loaded)).toEqual(["b"]);
  });

  it("a folder without manifests is an error that mentions -R when it has subfolders", async () => {
    const loaded = await loadTexts({ "dir/readme.txt": "", "dir/sub/a.yaml": "" }, ["dir"]);
    expect(loaded.diagnostics.map(findingLine)).toEqual(["dir error no-manifests"]);
    expect(loaded.diagnostics[0]?.hint).toContain("-R");
  });

  it("other files found in a folder are only warned about, but not when they are named", async () => {
    const files = { "dir/values.yaml": "replicas: 3\n", "dir/rows.json": "[1]", "dir/a.yaml": pod("a", "10.0.0.1") };
    const found = await loadTexts(files, ["dir"]);
    expect(found.diagnostics.map(findingLine)).toEqual([
      "dir/rows.json:1:1 warning not-kubernetes",
      "dir/values.yaml:1:1 warning not-kubernetes",
    ]);
    const named = await loadTexts(files);
    expect(named.diagnostics.map((diagnostic) => diagnostic.severity)).toEqual(["error", "error", "error"]);
  });

  it("a file that vanishes while it is read is one finding, the rest is read", async () => {
    const memory = memoryManifestFiles({ "dir/a.yaml": pod("a", "10.0.0.1"), "dir/b.yaml": pod("b", "10.0.0.2") });
    const files: ManifestFiles = {
      ...memory,
      async *read(path) {
        yield* memory.read(path);
        if (path === "dir/a.yaml") throw Object.assign(new Error("gone"), { code: "ENOENT" });
      },
    };
    const loaded = await loadManifests(["dir"], { recursive: false, files });
    expect(loaded.diagnostics.map(findingLine)).toEqual(["dir/a.yaml error file-vanished"]);
    expect(names(loaded)).toEqual(["b"]);
  });

  it("tells how far it is", async () => {
    const progress: number[][] = [];
    await loadManifests(["a.yaml"], {
      recursive: false,
      files: memoryManifestFiles({ "a.yaml": pod("a") }),
      onProgress: (read, total) => progress.push([read, total]),
    });
    expect(progress).toEqual([[pod("a").length, pod("a").length]]);
  });
});

describe("kinds", () => {
  it("counts what has no say and takes no offence", async () => {
    const text = ["Service", "Service", "Wombat"].map((kind) => `apiVersion: x/v1\nkind: ${kind}\n`).join("---\n");
    const loaded = await loadTexts({ "a.yaml": text });
    expect([...loaded.ignoredKinds]).toEqual([
      ["Service", 2],
      ["Wombat", 1],
    ]);
    expect(loaded.diagnostics).toEqual([]);
  });

  it("names another product's kind in full", async () => {
    const text =
      "apiVersion: crd.projectcalico.org/v1\nkind: NetworkPolicy\n---\napiVersion: batch.volcano.sh/v1alpha1\nkind: Job\n";
    const loaded = await loadTexts({ "a.yaml": text });
    expect([...loaded.ignoredKinds.keys()]).toEqual([
      "crd.projectcalico.org/v1 NetworkPolicy",
      "batch.volcano.sh/v1alpha1 Job",
    ]);
    expect(loaded.diagnostics.map((diagnostic) => diagnostic.code)).toEqual(["policy-not-enforced"]);
  });

  it("expands lists, also typed ones whose items leave their kind out", async () => {
    const list = `apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n`;
    const loaded = await loadTexts({ "a.yaml": list });
    expect(names(loaded).sort()).toEqual(["a", "b"]);
    expect(loaded.pods.map((one) => one.position.line).sort()).toEqual([4, 5]);
    expect((await loadTexts({ "b.yaml": "apiVersion: v1\nkind: List\nitems: []\n" })).diagnostics).toEqual([]);
  });
});

describe("YAML as kubectl reads it", () => {
  it("aliases and merge keys", async () => {
    const text = `${pod("a", "10.0.0.1")}---\nx: &x {app: web}\napiVersion: v1\nkind: Pod\nmetadata:\n  name: b\n  labels:\n    <<: *x\n    tier: "1"\nstatus: {podIP: 10.0.0.2}\n`;
    const loaded = await loadTexts({ "a.yaml": text });
    expect(loaded.pods[1]?.labels).toEqual({ app: "web", tier: "1" });
  });

  it("dates are strings", async () => {
    const loaded = await loadTexts({
      "a.yaml": `${pod("a", "10.0.0.1")}`.replace("  name", "  creationTimestamp: 2024-01-01T00:00:00Z\n  name"),
    });
    expect(loaded.pods[0]?.createdAt).toBe("2024-01-01T00:00:00Z");
  });

  it("Windows line ends, a byte order mark, directives and document ends", async () => {
    const text = `\uFEFF%YAML 1.1\n---\n${pod("a", "10.0.0.1")}...\n# end\n---\n${pod("b", "10.0.0.2")}`.replaceAll(
      "\n",
      "\r\n",
    );
    const loaded = await loadTexts({ "a.yaml": text });
    expect(loaded.diagnostics).toEqual([]);
    expect(loaded.pods.map((one) => [one.name, one.position.line])).toEqual([
      ["a", 3],
      ["b", 12],
    ]);
  });
});

describe("large files", () => {
  const MIB = 1 << 20;

  /** A file of repeated text, never held as a whole; `sizeBytes` is what its folder says. */
  function generated(path: string, sizeBytes: number, chunks: () => Iterable<string>): ManifestFiles {
    const memory = memoryManifestFiles({ [path]: "" });
    return {
      ...memory,
      status: async () => ({ kind: "file", sizeBytes }),
      async *read() {
        for (const chunk of chunks()) yield new TextEncoder().encode(chunk);
      },
      readAgain: () => undefined,
    };
  }

  it("100 MB of small documents are read one by one", async () => {
    const filler = `# ${"x".repeat(MIB)}\n---\n`;
    const files = generated("a.yaml", 100 * MIB, function* () {
      for (let i = 0; i < 100; i++) yield `${pod(`p${i}`, `10.0.0.${i}`)}${filler}`;
    });
    const loaded = await loadManifests(["a.yaml"], { recursive: false, files });
    expect(loaded.diagnostics).toEqual([]);
    expect(loaded.pods).toHaveLength(100);
    // The text cannot be read again here: then a position is the start of the document, its `---`.
    expect(loaded.pods[99]?.position.line).toBe(99 * 8);
  });

  it("a single YAML document over the limit is refused and the next one is read", async () => {
    const files = generated("a.yaml", 42 * MIB, function* () {
      yield "apiVersion: v1\nkind: Pod\n";
      for (let i = 0; i < 41; i++) yield `# ${"x".repeat(MIB)}\n`;
      yield `---\n${pod("after", "10.0.0.1")}`;
    });
    const loaded = await loadManifests(["a.yaml"], { recursive: false, files });
    expect(loaded.diagnostics.map(findingLine)).toEqual(["a.yaml:1:1 error document-too-large"]);
    expect(names(loaded)).toEqual(["after"]);
  });

  for (const typed of [true, false]) {
    it(`a large JSON list is cut into its items (${typed ? "kubectl" : "API server"} style), whatever the chunks`, async () => {
      const items = [jsonPod(1, typed), jsonPod(2, typed), jsonPod(3, typed)];
      const list = typed ? { apiVersion: "v1", items, kind: "List" } : { kind: "PodList", apiVersion: "v1", items };
      const text = JSON.stringify(list, null, 1);
      for (const size of [1, 7, 1000]) {
        const files = generated("a.json", 33 * MIB, function* () {
          for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
        });
        const loaded = await loadManifests(["a.json"], { recursive: false, files });
        expect(loaded.diagnostics).toEqual([]);
        expect(names(loaded)).toEqual(["p1", "p2", "p3"]);
        const secondItem = text
          .split("\n")
          .map((line, index) => (line === "  {" ? index + 1 : 0))
          .filter(Boolean)[1];
        expect(loaded.pods[1]?.position.line).toBe(secondItem);
      }
    });
  }

  it.each([
    ["cut off in an item", '{"items": [{"kind": "Pod", "apiV'],
    ["cut off between items", '{"items": [{"kind": "Service", "apiVersion": "v1"},'],
    [
      "with text between items",
      '{"items": [{"kind": "Service", "apiVersion": "v1"} x {}], "kind": "List", "apiVersion": "v1"}',
    ],
    ["with text behind the list", '{"items": [], "kind": "List", "apiVersion": "v1"} x'],
  ])("large JSON %s is an error", async (_, text) => {
    const files = generated("a.json", 33 * MIB, () => [text]);
    const { diagnostics } = await loadManifests(["a.json"], { recursive: false, files });
    expect(diagnostics.map(({ severity }) => severity)).toContain("error");
  });
});

const corpus = fileURLToPath(new URL("../../../shared/corpus/cyclonus", import.meta.url));

describe("the corpus of other engines' tests", () => {
  if (!existsSync(corpus)) {
    console.warn("SKIPPED: ../shared/corpus is not there, so no folder of it was loaded");
    it.skip("../shared/corpus is absent: nothing was checked", () => {});
    return;
  }
  const folders = readdirSync(corpus);
  it(`all ${folders.length} folders load without a finding that is an error`, async () => {
    expect(folders.length).toBeGreaterThan(100);
    for (const folder of folders) {
      const loaded = await loadManifests([`${corpus}/${folder}`], { recursive: false, files: nodeManifestFiles });
      const errors = loaded.diagnostics.filter(({ severity }) => severity === "error");
      expect(errors.map(findingLine)).toEqual([]);
      expect(loaded.policies.length).toBeGreaterThan(0);
      expect(loaded.pods.length).toBeGreaterThan(8);
    }
  });
});
