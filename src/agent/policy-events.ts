// Findings about policies as Kubernetes Events, where the policy's author looks: `kubectl describe networkpolicy`.
// Owns which findings become one and how many wait; every node reports the same Event, the first one wins.

import type { EventOutcome, EventReport } from "../kube/events.ts";
import { TIER_POLICIES } from "../kube/resources.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { Policy } from "../model/policy.ts";
import type { Log } from "./log.ts";
import type { ObjectFinding } from "./object-findings.ts";

/** A cluster full of broken policies must not keep every node busy with telling. */
const MOST_WAITING = 200;

const API_VERSIONS: ReadonlyMap<string, string> = new Map([
  ["NetworkPolicy", "networking.k8s.io/v1"],
  ...TIER_POLICIES.map(({ kind, group, version }) => [kind, `${group}/${version}`] as const),
]);

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
        const fields = { object: `${kind} ${namespace === "" ? name : `${namespace}/${name}`}`, err: outcome.failure };
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
    const consequence = isInvalid ? consequenceOf(policy, diagnostics) : "";
    return {
      regarding: { kind, apiVersion: API_VERSIONS.get(kind) ?? "", namespace, name, uid },
      reason: isInvalid ? "InvalidPolicy" : "DoubtfulPolicy",
      note: `${consequence}${sentences.join("; ")}`,
      type: "Warning",
      revision: JSON.stringify(sentences),
      reportingInstance: this.#options.nodeName,
    };
  }
}

/** How the policy is closed (SEMANTICS: fail-closed for what it declares). */
function consequenceOf({ tier }: Policy, diagnostics: readonly Diagnostic[]): string {
  const fields = diagnostics.filter(({ severity }) => severity === "error").map(({ field = "" }) => field);
  if (tier === "namespace") {
    return fields.some((field) => field === "spec.podSelector" || field.startsWith("spec.podSelector."))
      ? "Conditions of podSelector that cannot be read are left out, so more pods are closed, and invalid rules allow nothing: "
      : "Invalid rules allow nothing: ";
  }
  return fields.every((field) => /^spec\.(ingress|egress)\[/.test(field))
    ? "Invalid rules that allow match nothing, and those that deny or pass deny everything: "
    : "It allows nothing, denies what it would pass, and applies to every pod that it may be meant for: ";
}
