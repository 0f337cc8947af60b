// The pods of a subject or a peer of the tier APIs: `namespaces`, or `pods` with its two selectors.

import { EVERYTHING } from "../model/labels.ts";
import type { PodQuery } from "../model/policy.ts";
import { readExactlyOne } from "./exactly-one.ts";
import type { Field, FieldHints } from "./field-reader.ts";
import { readSelector } from "./label-selectors.ts";

export interface PodsGrammar {
  /** Whether `pods` may go without its namespaceSelector, which then selects all namespaces. */
  readonly namespacesAreOptional: boolean;
  /** For fields that earlier versions had in place of the selectors. */
  readonly formerFields: FieldHints;
}

export const ALL_PODS: PodQuery = { namespaces: { kind: "selector", selector: EVERYTHING }, pods: EVERYTHING };

export const NAMESPACES_IS_A_SELECTOR = "namespaces is the selector itself: write its matchLabels one level up";

const SUBJECT_FIELDS = ["namespaces", "pods"] as const;

/**
 * Whom the policy is for. Where it cannot be read (reported), all that its readable part selects and never fewer: conditions with a
 * fault are left out, and two subjects are all pods, since a policy has but one.
 */
export function readSubject(subject: Field, grammar: PodsGrammar): PodQuery {
  if (!subject.present) {
    const hint = "for the pods of all namespaces write namespaces: {}";
    subject.error({ code: "missing-field", message: "a policy needs a subject", hint });
    return ALL_PODS;
  }
  const one = readExactlyOne(subject, {
    what: "a subject",
    fields: SUBJECT_FIELDS,
    apart: "write a policy of its own for each",
  });
  if (one === undefined) return ALL_PODS;
  return readPodQuery(one.key, one.field, grammar);
}

/** Selectors that are empty select all; those that are absent count as empty, reported where the API wants them. */
export function readPodQuery(key: "namespaces" | "pods", field: Field, grammar: PodsGrammar): PodQuery {
  if (key === "namespaces") return { ...ALL_PODS, namespaces: namespacesOf(field, grammar) };
  const entry = field.asMapping();
  const isMapping = entry.present;
  entry.refuseUnknownFields(["namespaceSelector", "podSelector"], grammar.formerFields);
  const namespaces = entry.member("namespaceSelector");
  const pods = entry.member("podSelector");
  if (isMapping && !namespaces.present && !grammar.namespacesAreOptional) requireSelector(namespaces, "namespaces");
  if (isMapping && !pods.present) requireSelector(pods, "pods");
  return { namespaces: namespacesOf(namespaces, grammar), pods: readSelector(pods, { nulls: "pruned" }) };
}

function namespacesOf(field: Field, { formerFields }: PodsGrammar): PodQuery["namespaces"] {
  return { kind: "selector", selector: readSelector(field, { hints: formerFields, nulls: "pruned" }) };
}

function requireSelector(field: Field, all: string): void {
  const name = field.path().at(-1);
  const hint = `for all ${all} write ${name}: {}`;
  field.error({ code: "missing-field", message: `pods needs a ${name}`, hint });
}
