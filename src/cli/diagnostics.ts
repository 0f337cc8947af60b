// How findings about the input are shown: one line each, then a count.

import type { Diagnostic } from "../model/diagnostic.ts";
import { countOf, printable } from "./terminal-text.ts";

/** `file:line:column: error: spec.x.y: message (hint)`; the object where there is no line to look at. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { position, severity, object, field, message, hint } = diagnostic;
  const { line, column } = position;
  const place = [position.file === "-" ? "<stdin>" : position.file, line, line === undefined ? undefined : column];
  const what = [place.filter((part) => part !== undefined).join(":"), severity];
  if (line === undefined && object !== undefined) what.push(object);
  if (field !== undefined && field !== "") what.push(field);
  return printable(`${what.join(": ")}: ${message}${hint === undefined ? "" : ` (${hint})`}`);
}

/** `2 errors, 1 warning`. */
export function countFindings(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((each) => each.severity === "error").length;
  const warnings = diagnostics.length - errors;
  const parts = [
    ...(errors > 0 ? [countOf(errors, "error")] : []),
    ...(warnings > 0 ? [countOf(warnings, "warning")] : []),
  ];
  return parts.join(", ");
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((each) => each.severity === "error");
}
