// Status objects as the API server writes them.

import type { ApiObject } from "./object-store.ts";

export function statusObject(code: number, reason: string, message: string, details?: ApiObject): ApiObject {
  const extra = details === undefined ? {} : { details };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, ...extra, code };
}

export function invalid(message: string): ApiObject {
  return statusObject(422, "Invalid", message);
}

/** The resourceVersion lies in the server's future. */
export function tooLarge(asked: number, current: number): ApiObject {
  const message = `Timeout: Too large resource version: ${asked}, current: ${current}`;
  return statusObject(504, "Timeout", message, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}

export function tooOld(asked: number, oldest: number): ApiObject {
  return statusObject(410, "Expired", `too old resource version: ${asked} (${oldest})`);
}
