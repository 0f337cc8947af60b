// What is wrong with text that the fast parser refused: every syntax error and every repeated key, with positions.
// Slow and thorough; imported only when a document is known to be bad, because its parser takes long to load.

import { YAMLException } from "js-yaml";
import { isPair, isScalar, parseDocument, type Scalar, visit, type YAMLMap } from "yaml";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { ManifestDocument } from "./document.ts";
import { resolvePlainScalar } from "./kubectl-schema.ts";
import { duplicateKey, syntaxError } from "./syntax-findings.ts";

/** Above this, only the fast parser's first error is reported. */
const THOROUGH_LIMIT = 2 << 20;
const MAX_ERRORS = 20;

const MESSAGES: Readonly<Record<string, { message: string; hint?: string }>> = {
  TAB_AS_INDENT: { message: "a tab is used for indentation", hint: "YAML is indented with spaces only" },
  MULTIPLE_DOCS: { message: "two documents stand in one", hint: "separate them with a line ---" },
};

/** At least one error. `cause` is what the fast parser threw. */
export function findSyntaxErrors(text: string, cause: unknown, document: ManifestDocument): Diagnostic[] {
  const errors = text.length > THOROUGH_LIMIT ? [] : findAllErrors(text, document);
  return errors.length > 0 ? errors : [describeCause(text, cause, document)];
}

function findAllErrors(text: string, document: ManifestDocument): Diagnostic[] {
  if (templateBraces(text) !== undefined) return [];
  const parsed = parseDocument(text, {
    version: "1.1",
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  const errors = parsed.errors.slice(0, MAX_ERRORS).map((error) => {
    const offset = error.pos[0];
    // The library has several names for what a tab in the indentation does.
    const tab = indentationTab(text, offset);
    const known = tab === undefined ? MESSAGES[error.code] : MESSAGES.TAB_AS_INDENT;
    return syntaxError(document, text, tab ?? offset, known ?? { message: lowerFirst(error.message) });
  });
  if (errors.length === 0 && parsed.contents !== null)
    errors.push(...findDuplicateKeys(parsed.contents, text, document));
  return errors.filter(
    (error, index) =>
      errors.findIndex((other) => other.position.line === error.position.line && other.message === error.message) ===
      index,
  );
}

/** Helm and the like: `{{ .Values.x }}` parses as a mapping with a mapping as its key. */
function templateBraces(text: string): number | undefined {
  const found = /^[^#\n"']*(\{\{)/m.exec(text);
  return found === null ? undefined : found.index + found[0].length - 2;
}

function indentationTab(text: string, offset: number): number | undefined {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  const indentation = /^[ \t]*/.exec(text.slice(lineStart))?.[0] ?? "";
  const tab = indentation.indexOf("\t");
  return tab < 0 ? undefined : lineStart + tab;
}

function findDuplicateKeys(
  root: NonNullable<ReturnType<typeof parseDocument>["contents"]>,
  text: string,
  document: ManifestDocument,
): Diagnostic[] {
  const errors: Diagnostic[] = [];
  visit(root, {
    Map(_, map: YAMLMap) {
      const seen = new Map<string, Scalar>();
      for (const item of map.items) {
        if (!isPair(item) || !isScalar(item.key)) continue;
        const name = keyText(item.key);
        const first = seen.get(name);
        if (first === undefined) seen.set(name, item.key);
        else if (errors.length < MAX_ERRORS)
          errors.push(duplicateKey(document, text, name, offsetOf(first), offsetOf(item.key)));
      }
    },
  });
  return errors;
}

function offsetOf(node: Scalar): number {
  return node.range?.[0] ?? 0;
}

function keyText(key: Scalar): string {
  if (key.source === undefined) return String(key.value);
  return key.type === "PLAIN" ? String(resolvePlainScalar(key.source)) : key.source;
}

function describeCause(text: string, cause: unknown, document: ManifestDocument): Diagnostic {
  const template = templateBraces(text);
  if (template !== undefined) {
    return syntaxError(document, text, template, {
      message: "this is a template ({{ }}), not YAML",
      hint: "render it first, for example with helm template",
    });
  }
  if (cause instanceof YAMLException) {
    return syntaxError(document, text, cause.mark?.position ?? 0, { message: cause.reason });
  }
  return syntaxError(document, text, 0, { message: cause instanceof Error ? cause.message : String(cause) });
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
