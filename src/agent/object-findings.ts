// What is wrong with objects of the cluster, now. Owns the ledger: which findings stand, and which of them are new.

import type { Diagnostic, Severity } from "../model/diagnostic.ts";
import type { ClusterEvent } from "../state/change.ts";
import type { ClusterChange, StandingFinding } from "./cluster-change.ts";

export interface ObjectFinding {
  /** `policy NetworkPolicy/shop/api`, `pod shop/api-0`. */
  readonly object: string;
  readonly event: ClusterEvent;
  readonly uid: string;
  readonly diagnostics: readonly Diagnostic[];
}

export class ObjectFindings {
  readonly #standing = new Map<string, readonly Diagnostic[]>();

  /** Takes the batch in and returns the objects whose findings are not those of before, the findings that ended left out. */
  update(changes: readonly ClusterChange[]): ObjectFinding[] {
    const fresh = new Map<string, ObjectFinding>();
    for (const { event, diagnostics, uid } of changes) {
      // Nearly every object of nearly every list: worth no look-up.
      if (diagnostics.length === 0 && this.#standing.size === 0) continue;
      const object = objectName(event);
      const findings = diagnostics.filter(isWorthTelling);
      const before = this.#standing.get(object);
      if (findings.length === 0) {
        if (before !== undefined) this.#standing.delete(object);
        fresh.delete(object);
        continue;
      }
      this.#standing.set(object, findings);
      if (before === undefined || !sameFindings(before, findings)) {
        fresh.set(object, { object, event, uid, diagnostics: findings });
      }
    }
    return [...fresh.values()];
  }

  /** How many objects of each kind have findings, by their worst one. */
  counts(): { readonly kind: string; readonly severity: Severity; readonly objects: number }[] {
    const counts = new Map<string, { kind: string; severity: Severity; objects: number }>();
    for (const [object, findings] of this.#standing) {
      const kind = object.slice(0, object.indexOf(" "));
      const severity = findings.some((finding) => finding.severity === "error") ? "error" : "warning";
      const key = `${kind} ${severity}`;
      const count = counts.get(key) ?? { kind, severity, objects: 0 };
      counts.set(key, { ...count, objects: count.objects + 1 });
    }
    return [...counts.values()].sort((a, b) => (`${a.kind} ${a.severity}` < `${b.kind} ${b.severity}` ? -1 : 1));
  }

  /** Objects with findings now, by name. */
  standing(): StandingFinding[] {
    return [...this.#standing]
      .map(([object, diagnostics]) => ({ object, diagnostics }))
      .sort((a, b) => (a.object < b.object ? -1 : 1));
  }
}

/** A pod that waits for its address is no fault: every pod does, for a second. */
function isWorthTelling(diagnostic: Diagnostic): boolean {
  return diagnostic.code !== "pod-without-address";
}

function objectName(event: ClusterEvent): string {
  const name = event.kind === "pod" || event.kind === "policy" ? event.key : event.name;
  return `${event.kind} ${name}`;
}

function sameFindings(a: readonly Diagnostic[], b: readonly Diagnostic[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ code, field, message }, index) => {
      const other = b[index] as Diagnostic;
      return code === other.code && field === other.field && message === other.message;
    })
  );
}
