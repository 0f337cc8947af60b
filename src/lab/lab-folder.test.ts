import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { LabFolder, removeLeftoverFolders } from "./lab-folder.ts";
import { LAB_PREFIX, ownMark } from "./process-mark.ts";

let temporary = "";

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), "nftpol-folders-"));
  vi.stubEnv("TMPDIR", temporary);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(temporary, { recursive: true });
  });
});

/** As a process would have made it that had this one's number before. */
function leftover(suffix: string): string {
  return join(temporary, `${LAB_PREFIX}${ownMark().replace(/\d+-$/, "1-")}${suffix}`);
}

it("holds manifests and texts, and goes away with what is in it", () => {
  const folder = new LabFolder();
  folder.write("cluster", { kind: "List" });
  expect(readFileSync(join(folder.path, "cluster.json"), "utf8")).toBe('{"kind":"List"}');
  expect(readFileSync(folder.writeText("hosts", "::1 localhost\n"), "utf8")).toBe("::1 localhost\n");
  expect(readdirSync(folder.path).sort()).toEqual(["cluster.json", "hosts"]);
  folder.remove();
  expect(readdirSync(temporary)).toEqual([]);
});

it("the folders of labs whose process has ended are removed, those of living ones are not", () => {
  const living = new LabFolder();
  onTestFinished(() => living.remove());
  mkdirSync(leftover("abc"));
  writeFileSync(join(leftover("abc"), "cluster.json"), "{}");
  expect(removeLeftoverFolders()).toBe(1);
  expect(existsSync(leftover("abc"))).toBe(false);
  expect(existsSync(living.path)).toBe(true);
});

it("what only bears such a name is left alone: files, and links to folders", () => {
  const target = join(temporary, "somebody's");
  mkdirSync(target);
  symlinkSync(target, leftover("link"));
  writeFileSync(leftover("file"), "");
  expect(removeLeftoverFolders()).toBe(0);
  expect(readdirSync(temporary)).toHaveLength(3);
});

it("that cannot be made says where, and what to do", () => {
  vi.stubEnv("TMPDIR", join(temporary, "absent"));
  expect(() => new LabFolder()).toThrow(
    expect.objectContaining({
      name: "LabError",
      message: expect.stringContaining("absent: ENOENT"),
      hint: expect.stringContaining("TMPDIR"),
    }),
  );
});
