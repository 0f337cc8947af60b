// Row files made by programs (`expected.json`): what truth tables of other engines are kept in.

import type { Diagnostic, SourcePosition } from "../model/diagnostic.ts";
import type { Expectation, ExpectationFile, ExpectedVerdict } from "./expectations.ts";
import { locateJson } from "./locate-json.ts";

/** Reads `expected.json`: rows `{from, to, protocol, port, ingress, egress, combined}`, null where nothing is asked. */
export function readExpectedRows(file: string, text: string): ExpectationFile {
  const diagnostics: Diagnostic[] = [];
  const position = (path: readonly (string | number)[]): SourcePosition => lazyPosition(file, text, path);
  const report = (path: readonly (string | number)[], message: string) =>
    diagnostics.push({ code: "expectation-file", severity: "error", position: position(path), message });
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return failed({
      code: "syntax-error",
      severity: "error",
      position: { file },
      message: `not valid JSON: ${message}`,
    });
  }
  if (!Array.isArray(rows)) {
    return failed({
      code: "expectation-file",
      severity: "error",
      position: { file },
      message: "must be a list of rows",
    });
  }
  const expectations = rows.flatMap((row: unknown, index): Expectation[] => {
    const parsed = readRow(row);
    if (typeof parsed === "string") {
      report([index], `row ${index + 1}: ${parsed}`);
      return [];
    }
    return [{ ...parsed, position: position([index]) }];
  });
  return { description: undefined, manifests: undefined, expectations, diagnostics };
}

function failed(diagnostic: Diagnostic): ExpectationFile {
  return { description: undefined, manifests: undefined, expectations: [], diagnostics: [diagnostic] };
}

/** The expectation, or what is wrong with the row. */
function readRow(row: unknown): Omit<Expectation, "position"> | string {
  if (typeof row !== "object" || row === null || Array.isArray(row)) return "must be an object";
  const { from, to, protocol, port, ingress, egress, combined } = row as Record<string, unknown>;
  if (typeof from !== "string" || typeof to !== "string") return "from and to must be texts";
  if (typeof protocol !== "string") return "protocol must be a text";
  if (port !== null && port !== undefined && !Number.isInteger(port)) return "port must be a number or null";
  const halves = [ingress, egress, combined].map((verdict) => verdict ?? undefined);
  if (halves.some((verdict) => verdict !== undefined && verdict !== "allow" && verdict !== "deny")) {
    return "ingress, egress and combined must be allow, deny or null";
  }
  const [ingressWanted, egressWanted, verdict] = halves as (ExpectedVerdict | undefined)[];
  const traffic = port === null || port === undefined ? protocol : `${port as number}/${protocol}`;
  const wanted = { ingress: ingressWanted, egress: egressWanted, verdict };
  return { from: [from], to: [to], ports: [traffic], ...wanted, family: undefined, why: undefined };
}

/** Located only when it is shown: most rows agree. */
function lazyPosition(file: string, text: string, path: readonly (string | number)[]): SourcePosition {
  let found: { line: number; column: number } | undefined;
  const locate = () => {
    if (found === undefined) {
      const before = text.slice(0, locateJson(text, path));
      found = { line: before.split("\n").length, column: before.length - before.lastIndexOf("\n") };
    }
    return found;
  };
  return {
    file,
    get line() {
      return locate().line;
    },
    get column() {
      return locate().column;
    },
  };
}
