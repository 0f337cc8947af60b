// Labels and label selectors, with the meaning of the Kubernetes API (apimachinery LabelSelector).

export type Labels = Readonly<Record<string, string>>;

/** One condition of a selector. NotIn and DoesNotExist also match objects that lack the key. */
export type LabelRequirement =
  | { readonly operator: "In" | "NotIn"; readonly key: string; readonly values: readonly string[] }
  | { readonly operator: "Exists" | "DoesNotExist"; readonly key: string };

/** All requirements AND together; no requirement matches everything. Build it with `canonicalSelector`. */
export interface LabelSelector {
  readonly requirements: readonly LabelRequirement[];
}

export const EVERYTHING: LabelSelector = { requirements: [] };

/** `matchLabels` and `matchExpressions` as one sorted, duplicate-free list: equal meaning by spelling gives equal text. */
export function canonicalSelector(requirements: readonly LabelRequirement[]): LabelSelector {
  const byText = new Map<string, LabelRequirement>();
  for (const requirement of requirements) {
    const canonical: LabelRequirement =
      "values" in requirement
        ? { ...requirement, values: [...new Set(requirement.values)].sort() }
        : { operator: requirement.operator, key: requirement.key };
    byText.set(
      JSON.stringify([canonical.key, canonical.operator, "values" in canonical ? canonical.values : []]),
      canonical,
    );
  }
  return { requirements: [...byText.keys()].sort().map((text) => byText.get(text) as LabelRequirement) };
}

/** Whether an object with these labels is selected. Cost: one look-up per requirement. */
export function selectorMatches(selector: LabelSelector, labels: Labels): boolean {
  for (const requirement of selector.requirements) {
    if (!requirementMatches(requirement, labels)) return false;
  }
  return true;
}

/** Whether one condition holds for these labels. */
export function requirementMatches(requirement: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  switch (requirement.operator) {
    case "In":
      return value !== undefined && requirement.values.includes(value);
    case "NotIn":
      return value === undefined || !requirement.values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

/** kubectl's notation (`app=web,tier in (a,b),!legacy`), for people and for comments; empty selector -> `all`. */
export function formatSelector(selector: LabelSelector): string {
  if (selector.requirements.length === 0) return "all";
  return selector.requirements.map(formatRequirement).join(",");
}

function formatRequirement(requirement: LabelRequirement): string {
  switch (requirement.operator) {
    case "In":
      return requirement.values.length === 1
        ? `${requirement.key}=${requirement.values[0]}`
        : `${requirement.key} in (${requirement.values.join(",")})`;
    case "NotIn":
      return requirement.values.length === 1
        ? `${requirement.key}!=${requirement.values[0]}`
        : `${requirement.key} notin (${requirement.values.join(",")})`;
    case "Exists":
      return requirement.key;
    case "DoesNotExist":
      return `!${requirement.key}`;
  }
}
