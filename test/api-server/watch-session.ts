// One watch of the fake API server: what a client gets from a version on, initial events, bookmarks, its end, and
// everything that can go wrong with it on the way. Owns what is written; who may watch is decided before.

import type { ServerResponse } from "node:http";
import {
  type ApiObject,
  type Collection,
  type ObjectStore,
  type StoredEvent,
  sortedObjects,
  typed,
  type Watcher,
} from "./object-store.ts";
import { tooLarge, tooOld } from "./status-object.ts";

/** How a watch goes wrong; events are counted from its begin, bookmarks too. */
export type WatchFault =
  | { readonly kind: "end watch"; readonly afterEvents: number; readonly ending: WatchEnding }
  /** The server closes it in peace after this time. */
  | { readonly kind: "close watch"; readonly afterMs: number }
  /** Each event comes twice, and from the second on the one before once more. */
  | { readonly kind: "repeat events" }
  | { readonly kind: "slow watch"; readonly eventEveryMs: number };

export type WatchEnding =
  | { readonly kind: "reset" }
  | { readonly kind: "close" }
  /** Never another byte, and no end. */
  | { readonly kind: "silence" }
  /** This line in the place of an event; the watch goes on after it as if nothing had happened. */
  | { readonly kind: "bad frame"; readonly line: string }
  /** The first half of an event, then a reset or an end in peace. */
  | { readonly kind: "half frame"; readonly followedBy: "reset" | "close" }
  | { readonly kind: "error event"; readonly status: ApiObject };

export interface WatchQuery {
  /** "" or "0": from now, with everything that is there as events. */
  readonly resourceVersion: string;
  readonly sendInitialEvents: boolean;
  readonly allowBookmarks: boolean;
  /** undefined: never. */
  readonly timeoutSeconds: number | undefined;
}

export class WatchSession {
  readonly #store: ObjectStore;
  readonly #collection: Collection;
  readonly #query: WatchQuery;
  readonly #response: ServerResponse;
  readonly #fault: WatchFault | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();
  #watcher: Watcher | undefined;
  #previous: string | undefined;
  #sent = 0;
  #slowUntilMs = 0;
  #isDumb = false;

  constructor(
    store: ObjectStore,
    collection: Collection,
    query: WatchQuery,
    response: ServerResponse,
    fault: WatchFault | undefined,
  ) {
    this.#store = store;
    this.#collection = collection;
    this.#query = query;
    this.#response = response;
    this.#fault = fault;
  }

  /** `compressed` headers are not used for watches, as real servers. */
  start(): void {
    this.#response.writeHead(200, { "content-type": "application/json" });
    this.#response.flushHeaders();
    this.#response.on("close", () => this.#stop());
    const { resourceVersion, sendInitialEvents, timeoutSeconds } = this.#query;
    const asked = Number(resourceVersion === "" ? 0 : resourceVersion);
    if (this.#fault?.kind === "end watch") this.#endNow(this.#fault);
    const changes = this.#store.changesSince(this.#collection, asked);
    const fromNow = sendInitialEvents || asked === 0;
    if (asked > this.#store.resourceVersion && sendInitialEvents) {
      this.#fail(tooLarge(asked, this.#store.resourceVersion));
      return;
    }
    if (!fromNow && changes === undefined) {
      this.#fail(tooOld(asked, this.#store.oldestVersion));
      return;
    }
    if (fromNow) this.#sendInitialEvents();
    else for (const change of changes ?? []) this.#sendChange(change);
    // As real servers: nothing is sent before the version that was asked for, however long that takes.
    this.#watcher = {
      changed: (event) => {
        if (event.version > asked) this.#sendChange(event);
      },
      ended: () => this.#response.end(),
    };
    this.#collection.watchers.add(this.#watcher);
    if (timeoutSeconds !== undefined) this.#endAfter(timeoutSeconds * 1000);
    if (this.#fault?.kind === "close watch") this.#later(this.#fault.afterMs, () => this.#response.end());
  }

  /** As real servers: a bookmark two seconds before, so that the next watch begins where this one ends. */
  #endAfter(durationMs: number): void {
    this.#later(Math.max(0, durationMs - 2_000), () => this.sendBookmark());
    this.#later(durationMs, () => this.#response.end());
  }

  /** Where the client takes bookmarks. As real servers, none before something has happened since the watch's version. */
  sendBookmark(): void {
    const { resourceVersion } = this.#store;
    if (!this.#query.allowBookmarks || resourceVersion <= Number(this.#query.resourceVersion)) return;
    this.#send("BOOKMARK", this.#bookmark(resourceVersion));
  }

  #sendInitialEvents(): void {
    for (const object of sortedObjects(this.#collection)) this.#send("ADDED", typed(this.#collection, object));
    if (!this.#query.sendInitialEvents) return;
    const annotations = { "k8s.io/initial-events-end": "true" };
    this.#send("BOOKMARK", this.#bookmark(this.#store.resourceVersion, { annotations }));
  }

  #bookmark(version: number, more: ApiObject = {}): ApiObject {
    const metadata = { resourceVersion: String(version), creationTimestamp: null, ...more };
    return typed(this.#collection, { metadata, spec: {}, status: {} });
  }

  #sendChange({ type, object }: StoredEvent): void {
    this.#send(type, object);
  }

  #fail(status: ApiObject): void {
    if (this.#isDumb) return;
    this.#write(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
    this.#response.end();
  }

  #send(type: string, object: ApiObject): void {
    if (this.#isDumb || this.#response.writableEnded) return;
    const line = `${JSON.stringify({ type, object })}\n`;
    const fault = this.#fault;
    if (fault?.kind === "end watch" && this.#sent === fault.afterEvents) {
      this.#end(fault.ending, line);
      return;
    }
    this.#sent++;
    if (fault?.kind === "slow watch") this.#writeSlowly(line, fault.eventEveryMs);
    else this.#write(line);
    if (fault?.kind === "end watch") this.#endNow(fault);
    if (fault?.kind === "repeat events") this.#repeat(line);
  }

  #repeat(line: string): void {
    this.#write(line);
    if (this.#previous !== undefined) this.#write(this.#previous);
    this.#previous = line;
  }

  /** A frame goes wrong in the place of the next event; all other endings come without one. */
  #endNow({ afterEvents, ending }: Extract<WatchFault, { kind: "end watch" }>): void {
    if (this.#sent !== afterEvents || ending.kind === "bad frame" || ending.kind === "half frame") return;
    this.#end(ending, "");
  }

  #end(ending: WatchEnding, line: string): void {
    const { socket } = this.#response;
    switch (ending.kind) {
      case "reset":
        this.#isDumb = true;
        // What was sent before arrives.
        setImmediate(() => socket?.destroy());
        return;
      case "close":
        this.#isDumb = true;
        this.#response.end();
        return;
      case "silence":
        this.#isDumb = true;
        return;
      case "bad frame":
        this.#sent++;
        this.#write(`${ending.line}\n`);
        return;
      case "half frame":
        this.#isDumb = true;
        this.#write(line.slice(0, line.length / 2));
        if (ending.followedBy === "close") this.#response.end();
        else setImmediate(() => socket?.destroy());
        return;
      case "error event":
        this.#fail(ending.status);
        this.#isDumb = true;
        return;
    }
  }

  #writeSlowly(line: string, everyMs: number): void {
    const nowMs = performance.now();
    this.#slowUntilMs = Math.max(this.#slowUntilMs, nowMs) + everyMs;
    this.#later(this.#slowUntilMs - nowMs, () => this.#write(line));
  }

  #write(text: string): void {
    if (!this.#response.writableEnded && !this.#response.destroyed) this.#response.write(text);
  }

  #later(delayMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, delayMs);
    this.#timers.add(timer);
  }

  #stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#watcher !== undefined) this.#collection.watchers.delete(this.#watcher);
  }
}
