// What can go wrong with one answer of the fake API server. Owns how each fault looks on the wire.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { WatchFault } from "./watch-session.ts";

export type Fault = AnswerFault | WatchFault;

export type AnswerFault =
  /** Another answer altogether. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string | Buffer;
    }
  /** The connection is reset before a byte of the answer. */
  | { readonly kind: "reset" }
  /** Nothing comes, for ever. */
  | { readonly kind: "silence" }
  /** The true answer, later. */
  | { readonly kind: "late"; readonly delayMs: number }
  /** Headers one byte at a time: no single wait is long. */
  | { readonly kind: "slow headers"; readonly byteEveryMs: number }
  /** The beginning of an answer, and then silence or a reset. */
  | {
      readonly kind: "broken body";
      readonly begin: string | Buffer;
      readonly ending: "silence" | "reset";
      readonly headers?: Readonly<Record<string, string>>;
    };

const WATCH_FAULTS: readonly string[] = [
  "end watch",
  "close watch",
  "repeat events",
  "slow watch",
] satisfies WatchFault["kind"][];

/** The request is answered truly at first; what goes wrong is up to the watch. */
export function isWatchFault(fault: Fault): fault is WatchFault {
  return WATCH_FAULTS.includes(fault.kind);
}

export function applyFault(
  fault: AnswerFault,
  request: IncomingMessage,
  response: ServerResponse,
  serve: () => void,
): void {
  const { socket } = request;
  switch (fault.kind) {
    case "answer":
      response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers });
      response.end(fault.body);
      return;
    case "reset":
      socket.destroy();
      return;
    case "silence":
      return;
    case "late":
      setTimeout(() => {
        if (!socket.destroyed) serve();
      }, fault.delayMs);
      return;
    case "slow headers": {
      const text = `HTTP/1.1 200 OK\r\nX-Padding: ${"x".repeat(100_000)}`;
      let sent = 0;
      const timer = setInterval(() => socket.write(text.charAt(sent++)), fault.byteEveryMs);
      socket.on("close", () => clearInterval(timer));
      return;
    }
    case "broken body":
      response.writeHead(200, { "content-type": "application/json", ...fault.headers });
      response.write(fault.begin, () => {
        if (fault.ending === "reset") setImmediate(() => socket.destroy());
      });
      return;
  }
}
