// A folder in memory that tests write to, break and close. Owns its texts and their fingerprints.

import { memoryManifestFiles } from "../../src/manifests/manifest-files.ts";
import type { WatchedFiles } from "../../src/manifests/watched-folder.ts";

/** Files that tests write; each write is a new fingerprint. */
export class EditedFiles {
  #texts: Record<string, string> = {};
  #versions = new Map<string, number>();
  #writes = 0;
  /** Called before a file is read. */
  onRead: (path: string) => void = () => {};
  /** Called before a fingerprint is taken. */
  onFingerprint: (path: string) => void = () => {};
  readonly unreadable = new Set<string>();
  /** Folders that cannot be listed, and files that are listed and nothing else (dangling links). */
  readonly closed = new Set<string>();

  write(path: string, text: string): void {
    this.#texts = { ...this.#texts, [path]: text };
    this.#versions.set(path, ++this.#writes);
  }

  remove(path: string): void {
    const { [path]: _gone, ...rest } = this.#texts;
    this.#texts = rest;
  }

  get door(): WatchedFiles {
    const now = () => memoryManifestFiles(this.#texts);
    return {
      status: async (path) => {
        if (this.closed.has(path)) throw Object.assign(new Error("no"), { code: "ENOENT" });
        return now().status(path);
      },
      list: async (path) => {
        if (this.closed.has(path)) throw Object.assign(new Error("no"), { code: "EACCES" });
        if (Object.keys(this.#texts).length === 0) throw Object.assign(new Error("gone"), { code: "ENOENT" });
        return now().list(path);
      },
      read: (path) => {
        this.onRead(path);
        if (this.unreadable.has(path)) throw Object.assign(new Error("no"), { code: "EACCES" });
        return now().read(path);
      },
      readAgain: (path, offset, length) => now().readAgain(path, offset, length),
      fingerprint: async (path) => {
        this.onFingerprint(path);
        await this.door.status(path);
        return String(this.#versions.get(path));
      },
    };
  }
}
