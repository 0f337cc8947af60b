// One line on stderr for work that takes longer than a second; erased when it is over. Silent unless stderr is a terminal.

import type { VerbContext } from "./verb.ts";

const PATIENCE_MS = 1000;
const INTERVAL_MS = 100;
const ERASE_LINE = "\r\u001b[2K";

/** Shows a text while something goes on that does not report by itself. */
export async function withProgress<T>(context: VerbContext, text: string, work: () => Promise<T>): Promise<T> {
  const progress = startProgress(context);
  const timer = setInterval(() => progress.report(text), INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    progress.finish();
  }
}

export interface Progress {
  /** Cheap enough for inner loops; shows something only now and then. */
  report(text: string): void;
  /** Erases the line. Call it before other messages, and at the end. */
  finish(): void;
}

export function startProgress(context: VerbContext, now: () => number = performance.now.bind(performance)): Progress {
  if (!context.isTerminal) return { report: () => undefined, finish: () => undefined };
  let nextAt = now() + PATIENCE_MS;
  let shown = false;
  return {
    report(text) {
      const at = now();
      if (at < nextAt) return;
      nextAt = at + INTERVAL_MS;
      shown = true;
      context.stderr(`${ERASE_LINE}${text}`);
    },
    finish() {
      if (shown) context.stderr(ERASE_LINE);
      shown = false;
    },
  };
}
