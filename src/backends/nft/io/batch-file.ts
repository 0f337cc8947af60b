// The file through which a batch gets to `nft -i`: private, in memory where possible, gone after use.

import { randomBytes } from "node:crypto";
import { accessSync, constants, lstatSync, readdirSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Folders to try in turn; the first is in memory. */
export function batchFolders(): readonly string[] {
  return ["/dev/shm", tmpdir()];
}

/** The first folder that can be written to and whose name nft's `include` takes literally; undefined: none. */
export function findBatchFolder(folders: readonly string[] = batchFolders()): string | undefined {
  return folders.find((folder) => PLAIN_PATH.test(folder) && isWritable(folder));
}

/** `include` expands patterns and ends at a quote. */
const PLAIN_PATH = /^\/[A-Za-z0-9._/-]*$/;

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** No batch is under way for so long. */
const LEFTOVER_AGE_MS = 600_000;

/** Removes batches of processes that were killed in the middle of one: ours, and older than ten minutes. Fine where it may not look. */
export function removeLeftovers(folder: string, now = Date.now()): void {
  for (const name of namesIn(folder)) {
    if (!BATCH_NAME.test(name)) continue;
    const path = join(folder, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() && stat.uid === process.geteuid?.() && now - stat.mtimeMs > LEFTOVER_AGE_MS)
      removeBatchFile(path);
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const BATCH_NAME = /^nftpol-[0-9a-f]{24}\.nft$/;

/** The batch could not be put into a file. */
export class BatchFileError extends Error {}

/**
 * Writes the batch to a file that must not be there yet and that only we can read. Throws BatchFileError and leaves no file.
 * Synchronous: in memory this takes microseconds, less than a turn of the event loop.
 */
export function writeBatchFile(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    // A full folder leaves half a file; one that was there before is not ours.
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") removeBatchFile(path);
    throw new BatchFileError(`cannot write ${path}`, { cause });
  }
}

/** Fine if it is gone. One that cannot be removed is told by the next write. */
export function removeBatchFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // See above.
  }
}

/** A name that nobody can guess, for all batches of one session. */
export function batchFileName(folder: string): string {
  return join(folder, `nftpol-${randomBytes(12).toString("hex")}.nft`);
}
