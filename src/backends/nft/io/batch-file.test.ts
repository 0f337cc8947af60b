// Where batches may lie, and whose they are.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  BatchFileError,
  batchFileName,
  findBatchFolder,
  removeBatchFile,
  removeLeftovers,
  writeBatchFile,
} from "./batch-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nfpt-files-"));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

describe("the folder", () => {
  it.each(["a b", 'quote"', "star*", "set[1]", "semi;colon", "ümlaut", "new\nline", "back\\slash", "$home", "{a,b}"])(
    "is none whose name nft would read otherwise: %j",
    (name) => {
      const odd = join(folder, name);
      mkdirSync(odd);
      expect(findBatchFolder([odd])).toBeUndefined();
      expect(findBatchFolder([odd, folder])).toBe(folder);
    },
  );

  it("is none that is not there, or relative", () => {
    expect(findBatchFolder([join(folder, "none"), "relative", ""])).toBeUndefined();
  });

  it("is none that cannot be written to", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(findBatchFolder([file])).toBeUndefined();
    // Root may write anywhere.
    if (process.getuid?.() === 0) return;
    chmodSync(folder, 0o500);
    expect(findBatchFolder([folder])).toBeUndefined();
  });
});

it("what a killed process left is removed after ten minutes, and nothing else", () => {
  const inMinutes = (count: number) => Date.now() + count * 60_000;
  const batch = batchFileName(folder);
  for (const name of [batch, join(folder, "nftpol-x.nft"), join(folder, "other.nft")]) writeFileSync(name, "text");
  mkdirSync(batchFileName(folder));
  removeLeftovers(folder, inMinutes(9));
  expect(readdirSync(folder)).toHaveLength(4);
  removeLeftovers(folder, inMinutes(11));
  expect(readdirSync(folder)).toHaveLength(3);
  expect(readdirSync(folder)).not.toContain(basename(batch));
});

describe("the file", () => {
  it("has a name of its own each time, is private, and goes", () => {
    const [one, other] = [batchFileName(folder), batchFileName(folder)];
    expect(one).not.toBe(other);
    writeBatchFile(one, "text");
    expect(statSync(one).mode & 0o777).toBe(0o600);
    removeBatchFile(one);
    removeBatchFile(one);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is never one that was there before", () => {
    const path = batchFileName(folder);
    writeFileSync(path, "theirs");
    expect(() => writeBatchFile(path, "ours")).toThrow(BatchFileError);
    expect(statSync(path).size).toBe(6);
  });

  it("that cannot be written is an error with its cause", () => {
    expect(() => writeBatchFile(join(folder, "none", "x.nft"), "text")).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ code: "ENOENT" }) }),
    );
  });
});
