// From the paths a user names to the manifest files to read, in a stable order.
// Owns which files of a folder are manifests; reading them happens elsewhere.

import type { Diagnostic } from "../model/diagnostic.ts";
import { describeFileError } from "./file-errors.ts";
import type { ManifestFiles } from "./manifest-files.ts";

export interface ManifestFile {
  /** As it was named, with the folder in front; `-` for standard input. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Named by the user, not found in a folder: then whatever is in it must be Kubernetes objects. */
  readonly explicit: boolean;
}

export interface FoundFiles {
  readonly files: readonly ManifestFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Each file once, however often it is named; folders' files sorted by name, subfolders only when `recursive`. */
export async function findFiles(
  paths: readonly string[],
  recursive: boolean,
  files: ManifestFiles,
): Promise<FoundFiles> {
  const found = new Map<string, ManifestFile>();
  const diagnostics: Diagnostic[] = [];
  const add = (file: ManifestFile) => {
    const known = found.get(normalPath(file.path));
    if (known === undefined || (file.explicit && !known.explicit)) found.set(normalPath(file.path), file);
  };
  for (const path of paths) {
    try {
      const { kind, sizeBytes } = await files.status(path);
      if (kind === "folder") await addFolder(path, recursive, files, add, diagnostics);
      else add({ path, sizeBytes, explicit: true });
    } catch (error) {
      diagnostics.push(describeFileError(path, error, "named"));
    }
  }
  return { files: [...found.values()], diagnostics };
}

async function addFolder(
  folder: string,
  recursive: boolean,
  files: ManifestFiles,
  add: (file: ManifestFile) => void,
  diagnostics: Diagnostic[],
): Promise<void> {
  const manifests: string[] = [];
  let hasSubfolders = false;
  const walk = async (current: string): Promise<void> => {
    const entries = [...(await files.list(current))].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    for (const { name, kind } of entries) {
      if (name.startsWith(".")) continue;
      const path = current.endsWith("/") ? `${current}${name}` : `${current}/${name}`;
      if (kind === "file" && isManifestName(name)) manifests.push(path);
      if (kind !== "folder") continue;
      hasSubfolders = true;
      if (recursive) await walk(path);
    }
  };
  await walk(folder);
  if (manifests.length === 0) {
    diagnostics.push({
      code: "no-manifests",
      severity: "error",
      position: { file: folder },
      message: "the folder has no manifests (*.yaml, *.yml, *.json)",
      ...(hasSubfolders && !recursive ? { hint: "it has subfolders: search them with -R" } : {}),
    });
  }
  for (const path of manifests) {
    try {
      add({ path, sizeBytes: (await files.status(path)).sizeBytes, explicit: false });
    } catch (error) {
      diagnostics.push(describeFileError(path, error, "found"));
    }
  }
}

/** Expectation files (`*.expect.yaml`) belong to `nftpol test`. */
function isManifestName(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name) && !/\.expect\.ya?ml$/.test(name);
}

function normalPath(path: string): string {
  return path.replace(/\/+/g, "/").replace(/(^|\/)(\.\/)+/g, "$1");
}
