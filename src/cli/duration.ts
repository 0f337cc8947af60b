// Durations on the command line, as Kubernetes components write them: 60s, 10ms, 1m30s, 0.

import { CommandError } from "./verb.ts";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds. Throws CommandError with exit code 2. */
export function parseDuration(flag: string, text: string): number {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    throw new CommandError(
      2,
      `${flag} ${JSON.stringify(text)} is no duration`,
      "write for example 500ms, 60s, 5m or 0",
    );
  }
  let ms = 0;
  for (const [, amount, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g)) {
    ms += Number(amount) * (UNIT_MS[unit as string] as number);
  }
  // Timers hold 31 bits of milliseconds; 24 days are long enough.
  if (ms >= 2 ** 31) throw new CommandError(2, `${flag} ${text} is too long`, "the longest is 24 days");
  return ms;
}

/** `0.56 s`, of milliseconds. */
export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
