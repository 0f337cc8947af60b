// The temporary folders of labs: what the agents watch, what a shell is given. Owns their places and that they go away, also those of
// labs that were killed; each write replaces a whole file.

import { lstatSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LabError } from "./lab-error.ts";
import { isLeftover, LAB_PREFIX, ownMark } from "./process-mark.ts";

export class LabFolder {
  readonly path: string;
  readonly #remove = () => rmSync(this.path, { recursive: true, force: true });

  /** Throws LabError where no temporary folder can be made. */
  constructor() {
    try {
      this.path = mkdtempSync(join(tmpdir(), `${LAB_PREFIX}${ownMark()}`));
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const hint = "set TMPDIR to a folder that exists, that you may write to, and that has room";
      throw new LabError(`no temporary folder can be made in ${tmpdir()}: ${code}`, hint, cause);
    }
    process.once("exit", this.#remove);
  }

  /** A manifest, read by agents. `name`: without its ending. */
  write(name: string, object: unknown): void {
    this.writeText(`${name}.json`, JSON.stringify(object));
  }

  /** Returns the file's path. */
  writeText(name: string, text: string): string {
    const file = join(this.path, name);
    // A name that the agents do not read.
    const fresh = `${file}.new`;
    writeFileSync(fresh, text);
    renameSync(fresh, file);
    return file;
  }

  remove(): void {
    process.off("exit", this.#remove);
    this.#remove();
  }
}

/** Removes this user's folders of labs whose process has ended without doing so. Returns how many; one that cannot be removed stays. */
export function removeLeftoverFolders(): number {
  let count = 0;
  for (const name of readdirSync(tmpdir()).filter(isLeftover)) {
    const path = join(tmpdir(), name);
    // In a folder that all may write to, others could make such names.
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat?.isDirectory() || stat.uid !== process.geteuid?.()) continue;
    try {
      rmSync(path, { recursive: true, force: true });
      count++;
    } catch {
      // The next lab tries again.
    }
  }
  return count;
}
