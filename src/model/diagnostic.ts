// What the user is told about bad input. Owns the shape of a finding and nothing else:
// readers and dialects collect diagnostics, the command line prints them.

/** `error` makes the input unusable (exit code 2); `warning` is accepted but deserves a look. */
export type Severity = "error" | "warning";

/** Where an object or a field stands in the input. Line and column count from 1; undefined for objects without a text (API server). */
export interface SourcePosition {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** `policies.yaml:12`; the file alone where there are no lines. */
export function formatPosition({ file, line }: SourcePosition): string {
  const name = file === "-" ? "<stdin>" : file;
  return line === undefined ? name : `${name}:${line}`;
}

/** One step into a YAML or JSON value: a mapping key or a sequence index. */
export type FieldPath = readonly (string | number)[];

export interface Diagnostic {
  /** Stable kebab-case identifier, for example `except-outside-cidr`. */
  readonly code: string;
  readonly severity: Severity;
  readonly position: SourcePosition;
  /** The object, `Kind namespace/name`, where it is known. */
  readonly object?: string;
  /** Kubernetes notation: `spec.ingress[0].from[1].ipBlock.cidr`. */
  readonly field?: string;
  /** What is wrong. */
  readonly message: string;
  /** What would be right. */
  readonly hint?: string;
}

/** `["spec", "ingress", 0, "from"]` -> `spec.ingress[0].from`. Keys that are not plain words are quoted: `labels["a/b"]`. */
export function formatFieldPath(path: FieldPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
