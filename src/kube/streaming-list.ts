// The first part of a streaming list (KEP-3157): a watch that sends everything that is there as events, and a bookmark
// that says so at the end. Owns how to tell that the server has not understood.

import { ApiError, isIdle } from "./api-error.ts";
import { noEndOfInitialEvents } from "./list-strategy.ts";
import type { ObjectIdentity } from "./object-identity.ts";
import type { Resource } from "./resources.ts";
import type { ObjectEvent, WatchStream } from "./watch-stream.ts";

export interface InitialEvents {
  readonly resourceVersion: string;
  /** What came together with the end: the watch has begun. */
  readonly laterEvents: readonly ObjectEvent[];
}

export interface InitialObjects {
  put(item: unknown, identity: ObjectIdentity): void;
  delete(key: string): void;
}

/**
 * Servers since 1.19 that have no streaming lists refuse the request (resourceVersionMatch is forbidden for a watch).
 * Older ones and some proxies' servers ignore what they do not know, and send a plain watch: the same events without an
 * end. That is told by an ordinary bookmark, which never comes before the end, or by a silence (the watch's idle time-out).
 */
export async function readInitialEvents(
  watch: WatchStream,
  resource: Resource,
  objects: InitialObjects,
): Promise<InitialEvents> {
  for (;;) {
    const events = await nextEvents(watch, resource);
    for (const [index, event] of events.entries()) {
      if (event.type === "BOOKMARK") {
        if (!event.endsInitialEvents) throw noEndOfInitialEvents(resource.name, "there was a bookmark before");
        return { resourceVersion: event.resourceVersion, laterEvents: events.slice(index + 1) };
      }
      if (event.type === "DELETED") objects.delete(event.identity.key);
      else objects.put(event.object, event.identity);
    }
  }
}

async function nextEvents(watch: WatchStream, resource: Resource): Promise<readonly ObjectEvent[]> {
  try {
    const events = await watch.next();
    if (events !== undefined) return events;
  } catch (error) {
    if (isIdle(error)) throw noEndOfInitialEvents(resource.name, "nothing comes any more");
    throw error;
  }
  throw new ApiError({
    kind: "protocol",
    message: `the API server ended the streaming list of ${resource.name} before it was complete`,
    path: resource.path,
  });
}
