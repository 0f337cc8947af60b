// Answers by which servers refuse, and how long a client waited after them.

import { expect } from "vitest";
import type { RecordedRequest } from "./fake-api-server.ts";
import type { Fault } from "./faults.ts";
import { statusObject, tooOld } from "./status-object.ts";

export const GONE = {
  kind: "end watch",
  afterEvents: 0,
  ending: { kind: "error event", status: tooOld(1, 9) },
} as const;

export function statusAnswer(code: number, reason: string, headers: Readonly<Record<string, string>> = {}): Fault {
  return { kind: "answer", status: code, headers, body: JSON.stringify(statusObject(code, reason, "because")) };
}

function gapsMs(requests: readonly RecordedRequest[]): number[] {
  return requests.slice(1).map((request, index) => request.atMs - (requests[index] as RecordedRequest).atMs);
}

/** Each gap is at least as long as the delay without jitter, less what two processes' clocks may differ. */
export function expectGaps(requests: readonly RecordedRequest[], delaysMs: readonly number[]): void {
  const gaps = gapsMs(requests).slice(0, delaysMs.length);
  const tooShort = gaps.filter((gap, index) => gap < (delaysMs[index] as number) - 3);
  expect({ gaps, tooShort }).toEqual({ gaps, tooShort: [] });
}
