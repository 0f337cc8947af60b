// The folder of manifests that the agents of a lab watch. Owns its place and that it goes away; each write replaces a whole file.

import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class LabFolder {
  readonly path = mkdtempSync(join(tmpdir(), "nftpol-lab-"));
  readonly #remove = () => rmSync(this.path, { recursive: true, force: true });

  constructor() {
    process.once("exit", this.#remove);
  }

  /** `name`: without its ending. */
  write(name: string, object: unknown): void {
    const file = join(this.path, `${name}.json`);
    // A name that the agents do not read.
    const fresh = `${file}.new`;
    writeFileSync(fresh, JSON.stringify(object));
    renameSync(fresh, file);
  }

  remove(): void {
    process.off("exit", this.#remove);
    this.#remove();
  }
}
