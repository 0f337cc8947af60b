// From the paths given to `nftpol test` to the cases to run, in a stable order.

import { describeFileError } from "../../manifests/file-errors.ts";
import type { ManifestFiles } from "../../manifests/manifest-files.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";

export interface TestCase {
  readonly folder: string;
  /** The file with the expectations. */
  readonly file: string;
  /** `rows`: expected.json beside state.yaml; `lines`: *.expect.yaml beside manifests. */
  readonly form: "rows" | "lines";
}

export interface FoundCases {
  readonly cases: readonly TestCase[];
  readonly diagnostics: readonly Diagnostic[];
}

const ROWS_FILE = "expected.json";
const STATE_FILE = "state.yaml";

/** Folders are searched recursively; each case once, however often it is named. */
export async function findCases(paths: readonly string[], files: ManifestFiles): Promise<FoundCases> {
  const cases = new Map<string, TestCase>();
  const diagnostics: Diagnostic[] = [];
  const add = (testCase: TestCase) => cases.set(testCase.file, testCase);
  for (const path of paths.map(withoutTrailingSlash)) {
    const before = cases.size;
    try {
      const { kind } = await files.status(path);
      if (kind === "folder") await searchFolder(path, files, add);
      else addFile(path, add, diagnostics);
    } catch (error) {
      diagnostics.push(describeFileError(path, error, "named"));
      continue;
    }
    if (cases.size === before && !isCovered(path, cases)) diagnostics.push(nothingToTest(path, diagnostics));
  }
  return { cases: [...cases.values()], diagnostics: diagnostics.filter((each) => each.message !== "") };
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}

function isCovered(path: string, cases: ReadonlyMap<string, TestCase>): boolean {
  return [...cases.values()].some(
    (each) => each.file === path || each.folder === path || each.folder.startsWith(`${path}/`),
  );
}

function nothingToTest(path: string, before: readonly Diagnostic[]): Diagnostic {
  const isSaid = before.some((each) => each.position.file === path);
  return {
    code: "no-expectations",
    severity: "error",
    position: { file: path },
    message: isSaid ? "" : "no expectations here",
    hint: `folders have *.expect.yaml, or ${STATE_FILE} and ${ROWS_FILE}`,
  };
}

async function searchFolder(folder: string, files: ManifestFiles, add: (found: TestCase) => void): Promise<void> {
  const entries = [...(await files.list(folder))].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const names = new Set(entries.filter(({ kind }) => kind === "file").map(({ name }) => name));
  const inside = (name: string) => `${folder === "/" ? "" : folder}/${name}`;
  for (const name of names) if (isLinesFile(name)) add({ folder, file: inside(name), form: "lines" });
  if (names.has(ROWS_FILE) && names.has(STATE_FILE)) add({ folder, file: inside(ROWS_FILE), form: "rows" });
  for (const { name, kind } of entries) {
    if (kind === "folder" && !name.startsWith(".") && name !== "node_modules")
      await searchFolder(inside(name), files, add);
  }
}

function addFile(path: string, add: (found: TestCase) => void, diagnostics: Diagnostic[]): void {
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? "." : path.slice(0, Math.max(1, slash));
  const name = path.slice(slash + 1);
  if (isLinesFile(name)) add({ folder, file: path, form: "lines" });
  else if (name === ROWS_FILE) add({ folder, file: path, form: "rows" });
  else {
    diagnostics.push({
      code: "no-expectations",
      severity: "error",
      position: { file: path },
      message: "not an expectation file",
      hint: `its name must end in .expect.yaml, or be ${ROWS_FILE}`,
    });
  }
}

function isLinesFile(name: string): boolean {
  return /\.expect\.ya?ml$/.test(name);
}

/** What to load for a case: the manifests that its file names, or else those of its folder. */
export function manifestsOf({ folder, form }: TestCase, named: readonly string[] | undefined): readonly string[] {
  if (form === "rows") return [`${folder}/${STATE_FILE}`];
  return named === undefined ? [folder] : named.map((path) => (path.startsWith("/") ? path : `${folder}/${path}`));
}
