import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { safeFileName, writeFilesAtomically } from "./write-files.ts";

describe("a file name made from a name of the input", () => {
  it.each([
    ["worker-1.example_x", "worker-1.example_x"],
    ["../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"],
    [".", "%2E"],
    ["a b%2F\u0000\n", "a%20b%252F%00%0A"],
    ["Ä😀", "%C3%84%F0%9F%98%80"],
  ])("%j", (name, file) => {
    expect(safeFileName(name)).toBe(file);
  });

  it("stays within what file systems take, and long names stay different", () => {
    const names = ["a", "b"].map((last) => safeFileName(`${"x".repeat(252)}${last}`));
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(200);
  });
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nftpol-write-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("writing files", () => {
  it("makes the folder, replaces what is there and leaves nothing else behind", async () => {
    const folder = join(temporaryFolder(), "deep/er");
    await writeFilesAtomically(folder, [{ name: "a", text: "old" }]);
    await writeFilesAtomically(folder, [
      { name: "a", text: "new" },
      { name: "b", text: "b" },
    ]);
    expect(readdirSync(folder).sort()).toEqual(["a", "b"]);
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("new");
  });

  it("ends with code 3 and the reason where that cannot be done", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    const writing = writeFilesAtomically(join(file, "sub"), [{ name: "a", text: "" }]);
    await expect(writing).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining("cannot write to") });
  });
});
