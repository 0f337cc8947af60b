// Looks whether manifests have been edited. Owns when they are looked at; what is in them is the caller's to read.

import { setTimeout as sleep } from "node:timers/promises";
import { watchedNodeFiles } from "../../agent/manifest-source.ts";
import { findFiles } from "../../manifests/find-files.ts";

const PAUSE_MS = 200;

export class ManifestWatch {
  readonly #paths: readonly string[];
  readonly #recursive: boolean;
  /** How the files looked when they were last read. */
  #read: string;

  private constructor(paths: readonly string[], recursive: boolean, read: string) {
    this.#paths = paths;
    this.#recursive = recursive;
    this.#read = read;
  }

  /** To be read now: what is changed from here on is told. */
  static async begin(paths: readonly string[], recursive: boolean): Promise<ManifestWatch> {
    return new ManifestWatch(paths, recursive, await looks(paths, recursive));
  }

  /** Resolves when they have changed, and then not again for a moment: two looks saw the same. Rejects when the signal is aborted. */
  async changed(signal: AbortSignal): Promise<void> {
    let last = this.#read;
    for (;;) {
      await sleep(PAUSE_MS, undefined, { signal });
      const now = await looks(this.#paths, this.#recursive);
      if (now !== this.#read && now === last) {
        this.#read = now;
        return;
      }
      last = now;
    }
  }
}

/** Another text means that something was written, replaced, added or removed. */
async function looks(paths: readonly string[], recursive: boolean): Promise<string> {
  const { files, diagnostics } = await findFiles(paths, recursive, watchedNodeFiles);
  const fingerprints = files.map(async ({ path }) => {
    const fingerprint = await watchedNodeFiles.fingerprint(path).catch(() => "gone");
    return `${path}\0${fingerprint}`;
  });
  return [...(await Promise.all(fingerprints)), ...diagnostics.map(({ code, position }) => `${code}\0${position.file}`)]
    .sort()
    .join("\n");
}
