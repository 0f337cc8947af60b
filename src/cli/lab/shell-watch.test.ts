import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { ManifestWatch } from "./shell-watch.ts";

let folder = "";
let ended: AbortController;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nftpol-watch-"));
  ended = new AbortController();
  write("a.yaml", "first");
  onTestFinished(() => {
    ended.abort();
    rmSync(folder, { recursive: true });
  });
});

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

it.each([
  ["written", () => write("a.yaml", "other")],
  [
    "replaced by a file of the same size",
    () => {
      write("b.new", "equal");
      renameSync(join(folder, "b.new"), join(folder, "a.yaml"));
    },
  ],
  ["added", () => write("b.yaml", "new")],
  ["removed", () => rmSync(join(folder, "a.yaml"))],
])("a file that is %s is noticed", async (_, edit) => {
  const watch = await ManifestWatch.begin([folder], false);
  edit();
  await expect(watch.changed(ended.signal)).resolves.toBeUndefined();
});

it("what changed before it was waited for is noticed, and only once", async () => {
  const watch = await ManifestWatch.begin([folder], false);
  write("a.yaml", "second");
  await watch.changed(ended.signal);
  const again = watch.changed(AbortSignal.any([ended.signal, AbortSignal.timeout(700)]));
  await expect(again).rejects.toThrow();
});

it("what is no manifest, and what is in subfolders unless they count, is nobody's business", async () => {
  mkdirSync(join(folder, "deep"));
  const shallow = await ManifestWatch.begin([folder], false);
  const deep = await ManifestWatch.begin([folder], true);
  write("notes.txt", "x");
  write("deep/b.yaml", "x");
  await deep.changed(ended.signal);
  await expect(shallow.changed(AbortSignal.any([ended.signal, AbortSignal.timeout(700)]))).rejects.toThrow();
});
