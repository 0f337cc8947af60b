// The frames of a watch's body: one JSON object a line. Owns which of them are understood; anything else is an error,
// never skipped, because a skipped frame is a lost event.

import { isMapping } from "../dialects/field-reader.ts";
import { identityOf, type ObjectIdentity } from "./object-identity.ts";
import { parseObject } from "./parse-object.ts";
import { SplitValue } from "./split-value.ts";

export type WatchEvent =
  | {
      readonly type: "ADDED" | "MODIFIED" | "DELETED";
      readonly identity: ObjectIdentity;
      readonly object: unknown;
    }
  | {
      readonly type: "BOOKMARK";
      readonly resourceVersion: string;
      /** The objects that were there when the watch began have all been sent (streaming lists). */
      readonly endsInitialEvents: boolean;
    }
  /** A Status object. */
  | { readonly type: "ERROR"; readonly status: unknown };

/** A frame that is no watch event, or a body that ends in the middle of one. */
export class WatchFrameError extends Error {
  override readonly name = "WatchFrameError";
}

const NEWLINE = 0x0a;

/** Cuts a body into lines. Chunks may end anywhere. */
export class FrameSplitter {
  readonly #line = new SplitValue();

  /** The lines that are complete now, without empty ones; valid until the chunk's memory is used again. Throws WatchFrameError. */
  *write(chunk: Buffer): Generator<Buffer, void, undefined> {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      if (end < 0) break;
      const line = this.#line.join(chunk.subarray(from, end));
      from = end + 1;
      if (!isBlank(line)) yield line;
    }
    if (from < chunk.length && !this.#line.keep(chunk.subarray(from))) {
      throw new WatchFrameError("one event is larger than 64 MB");
    }
  }

  /** After the last chunk. Throws WatchFrameError when a line is not complete. */
  end(): void {
    if (!isBlank(this.#line.join(Buffer.alloc(0)))) throw new WatchFrameError("it ends in the middle of an event");
  }
}

/** Throws WatchFrameError. */
export function parseWatchEvent(line: Buffer): WatchEvent {
  const { type, object } = parseFrame(line);
  switch (type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED": {
      const identity = identityOf(object);
      if (identity === undefined) throw new WatchFrameError("an event's object has no name or no resourceVersion");
      return { type, identity, object };
    }
    case "BOOKMARK":
      return parseBookmark(object);
    case "ERROR":
      return { type, status: object };
    default:
      throw new WatchFrameError(`an event has an unknown type: ${JSON.stringify(type)?.slice(0, 40) ?? "none"}`);
  }
}

function parseFrame(line: Buffer): Readonly<Record<string, unknown>> {
  let frame: unknown;
  try {
    frame = parseObject(line);
  } catch {
    throw new WatchFrameError("an event is not valid JSON in UTF-8");
  }
  if (!isMapping(frame)) throw new WatchFrameError("an event is not a JSON object");
  return frame;
}

function parseBookmark(object: unknown): WatchEvent {
  const metadata = isMapping(object) && isMapping(object.metadata) ? object.metadata : {};
  const { resourceVersion, annotations } = metadata;
  if (typeof resourceVersion !== "string" || resourceVersion === "") {
    throw new WatchFrameError("a bookmark has no resourceVersion");
  }
  const endsInitialEvents = isMapping(annotations) && annotations["k8s.io/initial-events-end"] === "true";
  return { type: "BOOKMARK", resourceVersion, endsInitialEvents };
}

/** Empty, or a carriage return. */
function isBlank(line: Buffer): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x0d && byte !== 0x09) return false;
  return true;
}
