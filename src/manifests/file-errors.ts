// What the operating system says about a file, in words for people.

import type { Diagnostic } from "../model/diagnostic.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ELOOP: "too many symbolic links",
  ENOTDIR: "a part of the path is not a folder",
  EMFILE: "too many open files",
};

/** `found`: the folder listed the file, or its reading had begun, before it failed. */
export function describeFileError(path: string, error: unknown, how: "named" | "found"): Diagnostic {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  const vanished = how === "found" && code === "ENOENT";
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return {
    code: vanished ? "file-vanished" : "file-unreadable",
    severity: "error",
    position: { file: path },
    message: vanished ? "the file vanished while it was read" : `cannot be read: ${reason}`,
  };
}
