// apimachinery LabelSelector: decoding and the API server's validation. Requirements with a fault are reported and left out.

import { canonicalSelector, type LabelRequirement, type LabelSelector } from "../model/labels.ts";
import { closestWord } from "./closest-word.ts";
import { describeValue, type Field, type FieldHints } from "./field-reader.ts";
import { labelKeyFault, labelValueFault } from "./names.ts";

const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;
type Operator = (typeof OPERATORS)[number];

export interface SelectorOptions {
  readonly hints?: FieldHints;
  /**
   * What the API server makes of values that are null: the empty string in its own types; in those of a CRD it takes a label that is
   * null out of matchLabels (PruneNonNullableNullsWithoutDefaults) and refuses one in a list.
   */
  readonly nulls: "empty" | "pruned";
}

/** The selector of a present field; an absent one reads as the empty selector, so ask for presence first where that matters. */
export function readSelector(field: Field, { hints, nulls }: SelectorOptions = { nulls: "empty" }): LabelSelector {
  const selector = field.asMapping();
  selector.refuseUnknownFields(["matchLabels", "matchExpressions"], hints);
  const requirements: LabelRequirement[] = [];
  for (const [key, value] of selector.mapping("matchLabels").entries()) {
    const requirement = readMatchLabel(key, value, nulls);
    if (requirement !== undefined) requirements.push(requirement);
  }
  for (const item of selector.list("matchExpressions")) {
    const requirement = readExpression(item, nulls);
    if (requirement !== undefined) requirements.push(requirement);
  }
  return canonicalSelector(requirements);
}

function readMatchLabel(key: string, field: Field, nulls: SelectorOptions["nulls"]): LabelRequirement | undefined {
  const keyIsValid = checkKey(key, field);
  if (!field.present && nulls === "pruned") {
    field.warning({
      code: "null-label-value",
      message: `the value of ${JSON.stringify(key)} is missing: the API server drops the condition, and so it selects more`,
      hint: `write ${key}: "" if the empty value is meant`,
    });
    return undefined;
  }
  if (!field.present) {
    field.warning({
      code: "null-label-value",
      message: `the value of ${JSON.stringify(key)} is missing; it is read as the empty string`,
      hint: `write ${key}: ""`,
    });
  }
  const value = readLabelValue(field, nulls);
  return keyIsValid && value !== undefined ? { operator: "In", key, values: [value] } : undefined;
}

function readExpression(item: Field, nulls: SelectorOptions["nulls"]): LabelRequirement | undefined {
  const errorsBefore = item.findings.errorCount;
  const expression = item.asMapping();
  expression.refuseUnknownFields(["key", "operator", "values"]);
  const keyField = expression.member("key");
  const key = keyField.asString();
  if (!keyField.present && expression.findings.errorCount === errorsBefore) {
    keyField.error({ code: "missing-field", message: "a match expression needs a key" });
  } else if (key !== undefined) {
    checkKey(key, keyField);
  }
  const operator = readOperator(expression);
  const valuesField = expression.member("values");
  const values = expression.list("values").map((value) => readLabelValue(value, nulls));
  const takesValues = operator === "In" || operator === "NotIn";
  if (takesValues && values.length === 0 && (!valuesField.present || Array.isArray(valuesField.value))) {
    valuesField.error({ code: "selector-values-missing", message: `operator ${operator} needs at least one value` });
  } else if (operator !== undefined && !takesValues && values.length > 0) {
    valuesField.error({
      code: "selector-values-forbidden",
      message: `operator ${operator} takes no values`,
      hint: operator === "Exists" ? "use operator In, or drop the values" : "use operator NotIn, or drop the values",
    });
  }
  if (item.findings.errorCount !== errorsBefore || key === undefined || operator === undefined) return undefined;
  if (operator === "In" || operator === "NotIn") {
    return { operator, key, values: values.filter((value) => value !== undefined) };
  }
  return { operator, key };
}

function readOperator(expression: Field): Operator | undefined {
  const field = expression.member("operator");
  const operator = OPERATORS.find((known) => known === field.value);
  if (operator !== undefined || !expression.present) return operator;
  if (!field.present) {
    field.error({ code: "missing-field", message: "a match expression needs an operator", hint: OPERATORS.join(", ") });
    return undefined;
  }
  const meant = typeof field.value === "string" ? closestWord(field.value, OPERATORS) : undefined;
  field.error({
    code: "unknown-operator",
    message: `operator must be one of ${OPERATORS.join(", ")}, not ${describeValue(field.value)}`,
    ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }),
  });
  return undefined;
}

function readLabelValue(field: Field, nulls: SelectorOptions["nulls"]): string | undefined {
  if (!field.present && nulls === "pruned") {
    field.error({ code: "wrong-type", message: "must be a string, not nothing", hint: 'write ""' });
    return undefined;
  }
  const value = field.present ? field.asString() : "";
  if (value === undefined) return undefined;
  const fault = labelValueFault(value);
  if (fault === undefined) return value;
  field.error({ code: "invalid-label-value", message: `label value ${JSON.stringify(value)} ${fault}` });
  return undefined;
}

function checkKey(key: string, field: Field): boolean {
  const fault = labelKeyFault(key);
  if (fault !== undefined) {
    field.error({ code: "invalid-label-key", message: `label key ${JSON.stringify(key)} ${fault}` });
  }
  return fault === undefined;
}
