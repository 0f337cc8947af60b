// Manifests as text in tests: loads them from memory and shows findings in one line each.

import { type LoadedManifests, loadManifests } from "../../src/manifests/load-manifests.ts";
import { memoryManifestFiles } from "../../src/manifests/manifest-files.ts";
import type { Diagnostic } from "../../src/model/diagnostic.ts";

/** Loads files given as text. Without `paths` all of them are named, in their order. */
export async function loadTexts(
  contents: Readonly<Record<string, string | Uint8Array>>,
  paths: readonly string[] = Object.keys(contents),
  recursive = false,
): Promise<LoadedManifests> {
  return loadManifests(paths, { recursive, files: memoryManifestFiles(contents) });
}

/** `a.yaml:3:5 error unknown-field spec.ingres` */
export function findingLine(diagnostic: Diagnostic): string {
  const { file, line, column } = diagnostic.position;
  const place = line === undefined ? file : `${file}:${line}:${column}`;
  const field = diagnostic.field === undefined ? "" : ` ${diagnostic.field}`;
  return `${place} ${diagnostic.severity} ${diagnostic.code}${field}`;
}
