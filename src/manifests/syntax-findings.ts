// The findings about a document's text, in one wording for YAML and JSON.

import type { Diagnostic } from "../model/diagnostic.ts";
import type { ManifestDocument } from "./document.ts";

/** A key that is written twice in one mapping; the position is that of the second. */
export function duplicateKey(
  document: ManifestDocument,
  text: string,
  key: string,
  first: number,
  second: number,
): Diagnostic {
  const firstLine = document.lineAndColumn(text, first).line;
  return {
    code: "duplicate-key",
    severity: "error",
    position: { file: document.file, ...document.lineAndColumn(text, second) },
    message: `the key ${JSON.stringify(key)} is written twice; first in line ${firstLine}`,
    hint: "remove or rename one of them",
  };
}

export function syntaxError(
  document: ManifestDocument,
  text: string,
  offset: number,
  what: { readonly message: string; readonly hint?: string },
): Diagnostic {
  return {
    code: "syntax-error",
    severity: "error",
    position: { file: document.file, ...document.lineAndColumn(text, offset) },
    ...what,
  };
}
