// Findings of a folder that belong to none of its objects, and so come with no change: a policy of a kind that is not enforced, a
// file that has nothing of Kubernetes. Owns which of them stand, and that each is logged once.

import type { Diagnostic } from "../model/diagnostic.ts";
import type { StandingFinding } from "./cluster-change.ts";
import type { Log } from "./log.ts";

export class LooseFindings {
  readonly #log: Log;
  #standing = new Map<string, Diagnostic>();

  constructor(log: Log) {
    this.#log = log;
  }

  update(diagnostics: readonly Diagnostic[]): void {
    const before = this.#standing;
    this.#standing = new Map(diagnostics.map((diagnostic) => [identity(diagnostic), diagnostic]));
    for (const [key, { position, object, field, code, message, hint }] of this.#standing) {
      if (before.has(key)) continue;
      const fields = { file: position.file, line: position.line, object, field, code, message, hint };
      this.#log.warn(fields, "found in manifests, and about nothing that is enforced");
    }
  }

  /** By object, or place where there is none, in the order of the files. */
  standing(): StandingFinding[] {
    const byObject = new Map<string, Diagnostic[]>();
    for (const diagnostic of this.#standing.values()) {
      const object = diagnostic.object ?? placeOf(diagnostic);
      byObject.set(object, [...(byObject.get(object) ?? []), diagnostic]);
    }
    return [...byObject].map(([object, diagnostics]) => ({ object, diagnostics }));
  }
}

/** `folder/file.yaml:3`. */
export function placeOf({ position }: Diagnostic): string {
  return position.line === undefined ? position.file : `${position.file}:${position.line}`;
}

function identity({ position, object, field, code, message }: Diagnostic): string {
  return [position.file, object, field, code, message].join("\0");
}
