// The agent's log: one JSON object a line. Owns the levels and the fields that lines share; docs/operations.md lists them.

import pino from "pino";

export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, unknown>>;

/** `message` is a fixed text: what varies is in the fields. An error goes under `err`. */
export interface Log {
  error(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
}

/** Lines go to `write` at once: nothing is lost when the process is killed. */
export function createLog(level: LogLevel, node: string, write: (line: string) => void): Log {
  const options = {
    level,
    base: { node },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
  };
  return pino(options, { write: (line: string) => write(withoutControls(line)) });
}

/**
 * Names and messages of others must not drive the terminal that shows the log. JSON escapes the controls of ASCII only; the
 * others, and marks that turn the direction of text, are escaped here.
 */
function withoutControls(line: string): string {
  return line.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** An error with what its class adds (kind, hint, output), its causes in words, and its stack only where it is a bug. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, cause } = error;
  const details: Record<string, unknown> = { name, message };
  for (const key of ["kind", "hint", "output", "status", "reason"]) {
    const value = (error as unknown as Record<string, unknown>)[key];
    if (value !== undefined && value !== "") details[key] = value;
  }
  if (cause instanceof Error) details.cause = cause.message;
  if (name === "Error" || name === "TypeError" || name === "RangeError") details.stack = error.stack;
  return details;
}
