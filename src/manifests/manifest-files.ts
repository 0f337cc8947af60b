// The only door to the file system for manifests: an interface, its node:fs implementation and one in memory.
// Owns no decisions about which files are manifests.

import * as fs from "node:fs";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";

export interface FileStatus {
  /** `other`: pipes and devices, which can be read once. */
  readonly kind: "file" | "folder" | "other";
  readonly sizeBytes: number;
}

export interface FolderEntry {
  readonly name: string;
  /** A link to a folder counts as `other`: folders are not followed through links. */
  readonly kind: "file" | "folder" | "other";
}

/** Failing calls throw errors with a Node error code (`ENOENT`, `EACCES`, ...). The path `-` is standard input. */
export interface ManifestFiles {
  status(path: string): Promise<FileStatus>;
  list(folder: string): Promise<readonly FolderEntry[]>;
  read(path: string): AsyncIterable<Uint8Array>;
  /** A part of a file that was read before, to look a line up; undefined when it cannot be read again. */
  readAgain(path: string, offset: number, length: number): Uint8Array | undefined;
}

const CHUNK_BYTES = 1 << 20;

export const nodeManifestFiles: ManifestFiles = {
  async status(path) {
    if (path === "-") return { kind: "other", sizeBytes: 0 };
    const found = await stat(path);
    return { kind: found.isFile() ? "file" : found.isDirectory() ? "folder" : "other", sizeBytes: found.size };
  },
  async list(folder) {
    const entries: FolderEntry[] = [];
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      let kind: FolderEntry["kind"] = entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other";
      if (entry.isSymbolicLink()) kind = await linkedKind(`${folder}/${entry.name}`);
      entries.push({ name: entry.name, kind });
    }
    return entries;
  },
  read(path) {
    return path === "-" ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  },
  readAgain(path, offset, length) {
    if (path === "-") return undefined;
    let handle: number | undefined;
    try {
      handle = fs.openSync(path, "r");
      const bytes = new Uint8Array(length);
      return fs.readSync(handle, bytes, 0, length, offset) === length ? bytes : undefined;
    } catch {
      // The file is gone: its lines cannot be looked up any more, which is no reason to fail.
      return undefined;
    } finally {
      if (handle !== undefined) fs.closeSync(handle);
    }
  },
};

async function linkedKind(path: string): Promise<FolderEntry["kind"]> {
  try {
    return (await stat(path)).isDirectory() ? "other" : "file";
  } catch {
    // A dangling link: reading it reports what is wrong.
    return "file";
  }
}

/** Files by path (`folder/name`); folders exist because of the files in them. `-` is standard input. */
export function memoryManifestFiles(contents: Readonly<Record<string, string | Uint8Array>>): ManifestFiles {
  const files = new Map<string, Uint8Array>();
  for (const [path, content] of Object.entries(contents)) {
    files.set(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
  const withoutSlash = (path: string) => path.replace(/\/+$/, "");
  const missing = (path: string) => Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" });
  return {
    async status(named) {
      const path = withoutSlash(named);
      const bytes = files.get(path);
      if (bytes !== undefined) return { kind: path === "-" ? "other" : "file", sizeBytes: bytes.length };
      if (path === "." || [...files.keys()].some((file) => file.startsWith(`${path}/`)))
        return { kind: "folder", sizeBytes: 0 };
      throw missing(path);
    },
    async list(named) {
      const folder = withoutSlash(named);
      const kinds = new Map<string, FolderEntry["kind"]>();
      for (const file of files.keys()) {
        const inside =
          folder === "." ? file : file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : undefined;
        if (inside === undefined) continue;
        const slash = inside.indexOf("/");
        kinds.set(slash < 0 ? inside : inside.slice(0, slash), slash < 0 ? "file" : "folder");
      }
      return [...kinds].map(([name, kind]) => ({ name, kind }));
    },
    async *read(path) {
      const bytes = files.get(path);
      if (bytes === undefined) throw missing(path);
      for (let start = 0; start < bytes.length; start += CHUNK_BYTES) yield bytes.subarray(start, start + CHUNK_BYTES);
    },
    readAgain(path, offset, length) {
      return files.get(path)?.subarray(offset, offset + length);
    },
  };
}
