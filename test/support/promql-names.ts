// Which metrics and labels an expression of PromQL names. Reads words, not grammar: whether it is PromQL at all is promtool's to judge.

export interface LabelMatcher {
  readonly metric: string;
  readonly label: string;
  readonly operator: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

const METRIC = /\b(?:nftpol|process|nodejs|kube)_\w+/g;

export function metricNames(expression: string): readonly string[] {
  return [...withoutText(expression).matchAll(METRIC)].map(([name]) => name);
}

export function labelMatchers(expression: string): readonly LabelMatcher[] {
  return [...expression.matchAll(/(\w+)\{([^}]*)\}/g)].flatMap(([, metric = "", braces = ""]) =>
    [...braces.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(([, label = "", operator, value = ""]) => ({
      metric,
      label,
      operator: operator as LabelMatcher["operator"],
      value,
    })),
  );
}

/** Labels after `by`, `on` and the like. */
export function groupings(expression: string): readonly string[] {
  const lists = withoutText(expression).matchAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g);
  return [...lists].flatMap(([, list = ""]) => list.split(",").map((label) => label.trim()));
}

/** Label values may look like names. */
function withoutText(expression: string): string {
  return expression.replaceAll(/"[^"]*"/g, '""');
}
