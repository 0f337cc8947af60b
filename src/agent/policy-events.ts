// Findings about policies as Kubernetes Events, where the policy's author looks: `kubectl describe networkpolicy`.
// Owns which findings become one and how many wait; every node reports the same Event, the first one wins.

import type { EventOutcome, EventReport } from "../kube/events.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { Policy } from "../model/policy.ts";
import type { Log } from "./log.ts";
import type { ObjectFinding } from "./object-findings.ts";

/** A cluster full of broken policies must not keep every node busy with telling. */
const MOST_WAITING = 200;

const API_VERSIONS: Readonly<Record<string, string>> = { NetworkPolicy: "networking.k8s.io/v1" };

export interface PolicyEventsOptions {
  readonly nodeName: string;
  /** One request; never rejects for failures of the API. */
  readonly report: (report: EventReport) => Promise<EventOutcome>;
  readonly log: Log;
}

export class PolicyEvents {
  readonly #options: PolicyEventsOptions;
  readonly #waiting: { readonly report: EventReport; readonly onOutcome: (outcome: string) => void }[] = [];
  #sending = false;

  constructor(options: PolicyEventsOptions) {
    this.#options = options;
  }

  /** Returns at once; the Events follow one after the other. */
  add(findings: readonly ObjectFinding[], onOutcome: (outcome: string) => void): void {
    for (const finding of findings) {
      const { event } = finding;
      if (event.kind !== "policy" || event.policy === undefined) continue;
      if (this.#waiting.length >= MOST_WAITING) onOutcome("dropped");
      else this.#waiting.push({ report: this.#toReport(finding, event.policy), onOutcome });
    }
    if (!this.#sending) void this.#send();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const outcome = await this.#options.report(next.report);
      next.onOutcome(outcome.kind);
      if (outcome.kind === "failed") {
        const { kind, namespace, name } = next.report.regarding;
        const fields = { object: `${kind} ${namespace}/${name}`, err: outcome.failure };
        this.#options.log.warn(fields, "a Kubernetes Event cannot be reported");
      }
    }
    this.#sending = false;
  }

  #toReport({ uid, diagnostics }: ObjectFinding, policy: Policy): EventReport {
    const { kind, namespace = "", name } = policy;
    const isInvalid = diagnostics.some((each) => each.severity === "error");
    const sentences = diagnostics.map(({ field, message, hint }) => {
      const where = field === undefined ? "" : `${field}: `;
      return `${where}${message}${hint === undefined ? "" : ` (${hint})`}`;
    });
    const consequence = isInvalid ? consequenceOf(diagnostics) : "";
    return {
      regarding: { kind, apiVersion: API_VERSIONS[kind] ?? "", namespace, name, uid },
      reason: isInvalid ? "InvalidPolicy" : "DoubtfulPolicy",
      note: `${consequence}${sentences.join("; ")}`,
      type: "Warning",
      revision: JSON.stringify(sentences),
      reportingInstance: this.#options.nodeName,
    };
  }
}

/** How the policy is closed (SEMANTICS: fail-closed for what it declares). */
function consequenceOf(diagnostics: readonly Diagnostic[]): string {
  const isOfSubject = ({ severity, field }: Diagnostic) =>
    severity === "error" && (field === "spec.podSelector" || field?.startsWith("spec.podSelector."));
  return diagnostics.some(isOfSubject)
    ? "Conditions of podSelector that cannot be read are left out, so more pods are closed, and invalid rules allow nothing: "
    : "Invalid rules allow nothing: ";
}
