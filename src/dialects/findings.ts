// Collects what a decoder has to say about one object. Owns the list and the object's display name.

import { type Diagnostic, type FieldPath, formatFieldPath, type Severity } from "../model/diagnostic.ts";
import type { ObjectSource } from "./object-source.ts";

export interface Complaint {
  /** Stable kebab-case identifier. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export class Findings {
  readonly diagnostics: Diagnostic[] = [];
  readonly source: ObjectSource;
  /** `Kind namespace/name`, once it is known; findings made before carry none. */
  object: string | undefined;
  #errorCount = 0;

  constructor(source: ObjectSource) {
    this.source = source;
  }

  /** Compare two readings to learn whether the part between them was valid. */
  get errorCount(): number {
    return this.#errorCount;
  }

  error(path: FieldPath, complaint: Complaint): void {
    this.#errorCount++;
    this.#add("error", path, complaint);
  }

  warning(path: FieldPath, complaint: Complaint): void {
    this.#add("warning", path, complaint);
  }

  #add(severity: Severity, path: FieldPath, complaint: Complaint): void {
    this.diagnostics.push({
      code: complaint.code,
      severity,
      position: this.source.positionOf(path),
      ...(this.object === undefined ? {} : { object: this.object }),
      ...(path.length === 0 ? {} : { field: formatFieldPath(path) }),
      message: complaint.message,
      ...(complaint.hint === undefined ? {} : { hint: complaint.hint }),
    });
  }
}
