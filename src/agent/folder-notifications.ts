// Hints of the operating system that something changed in a folder. Only hints: without them the folder is looked at all the
// same. Owns the watcher and the waiting for it.

import { watch } from "node:fs";
import type { Clock } from "./clock.ts";

export class FolderNotifications {
  readonly #signal: AbortSignal;
  readonly #watcher: ReturnType<typeof watch> | undefined;
  #pending = false;
  #wake: () => void = () => {};

  constructor(folder: string, signal: AbortSignal) {
    this.#signal = signal;
    this.#watcher = openWatcher(folder, () => {
      this.#pending = true;
      this.#wake();
    });
  }

  /** Until the time is over, the signal is aborted, or (unless `quietly`) something was heard. */
  async waitFor(ms: number, quietly: boolean, clock: Clock): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => {
      if (!quietly) woken.abort();
    };
    if (this.#pending) this.#wake();
    this.#pending = false;
    await clock.sleep(ms, AbortSignal.any([this.#signal, woken.signal]));
    this.#wake = () => {};
  }

  close(): void {
    this.#watcher?.close();
  }
}

function openWatcher(folder: string, onChange: () => void): ReturnType<typeof watch> | undefined {
  try {
    const watcher = watch(folder, { recursive: true }, onChange);
    // For example: too many watches, or the folder was replaced. Looking every second still works.
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
