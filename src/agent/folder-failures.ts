// What of a watched folder cannot be read now. Owns the sentence for status and readiness, how often something failed, and that
// each failure is logged once.

import type { FolderError } from "../manifests/watched-folder.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { Log } from "./log.ts";
import { placeOf } from "./loose-findings.ts";

export class FolderFailures {
  readonly #log: Log;
  #folder: string | undefined;
  #files: string | undefined;
  #count = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** One sentence; undefined: all can be read. */
  get now(): string | undefined {
    return this.#folder ?? this.#files;
  }

  get count(): number {
    return this.#count;
  }

  /** `inForce`: something was read before. */
  folderFailed(error: FolderError, inForce: boolean): void {
    if (error.message === this.#folder) return;
    this.#folder = error.message;
    this.#tell({ err: error }, inForce);
  }

  /** At a look that saw the folder. */
  folderSeen(): void {
    if (this.#folder === undefined) return;
    this.#log.info({ failure: this.#folder }, "the folder of manifests can be read again");
    this.#folder = undefined;
  }

  /** All findings about files that are not in force as they are; none: all files can be read. */
  filesRead(broken: readonly Diagnostic[], inForce: boolean): void {
    const before = this.#files;
    this.#files = sentence(broken);
    if (this.#files === undefined || this.#files === before) return;
    const findings = broken.map((finding) => {
      const { code, field, message, hint } = finding;
      return { at: placeOf(finding), code, field, message, hint };
    });
    this.#tell({ files: countFiles(broken), findings }, inForce);
  }

  #tell(fields: Readonly<Record<string, unknown>>, inForce: boolean): void {
    this.#count++;
    this.#log.warn(
      fields,
      inForce
        ? "manifests cannot be read: what they said before stays in force"
        : "manifests cannot be read yet: nothing is written, rules that are there stay",
    );
  }
}

export function countFiles(broken: readonly Diagnostic[]): number {
  return new Set(broken.map(({ position }) => position.file)).size;
}

/** The first finding of each file names it; one file is as long as a line should be. */
function sentence(broken: readonly Diagnostic[]): string | undefined {
  const [first] = broken;
  if (first === undefined) return undefined;
  const field = first.field === undefined ? "" : `${first.field}: `;
  const text = `${placeOf(first)}: ${field}${first.message}`;
  const others = [...new Set(broken.map(({ position }) => position.file))].slice(1);
  return others.length === 0 ? text : `${text} (1 of ${others.length + 1} files; the others: ${others.join(", ")})`;
}
