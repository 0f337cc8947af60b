// Which list to ask for: streamed as a watch (KEP-3157), from the server's cache, or consistent and in pages.
// Owns what a failure of one kind means for the next one.

import { ApiError, isGone, isNotFound, isUnauthorized, isUnreachable, isVersionTooLarge } from "./api-error.ts";
import { PAGE_LIMIT } from "./list-pages.ts";
import type { Query } from "./transport.ts";

export interface ListPlan {
  /** `streaming`: a watch that begins with everything that is there. */
  readonly kind: "streaming" | "list";
  readonly query: Query;
}

const NO_END = "NoEndOfInitialEvents";

/** The server does not say when everything has been sent: it has taken the request for a plain watch, as servers before 1.19 do. */
export function noEndOfInitialEvents(resource: string, why: string): ApiError {
  return new ApiError({
    kind: "protocol",
    message: `the API server does not end the streaming list of ${resource}: ${why}`,
    hint: "it is asked for a list in one piece instead",
    reason: NO_END,
  });
}

export class ListStrategy {
  /**
   * Streaming lists: a server that refuses one is asked for a list next; when that succeeds it is not asked for streaming
   * lists again. `doubted`: one list in between, since the server may only have been in trouble.
   */
  #streaming: "on" | "doubted" | "refused" | "off" = "on";
  #endlessStreams = 0;
  /** The last version is too old for the server, or from its future: ask without one. */
  #consistent = false;

  /** `lastVersion`: what has been seen; the list must not be older. undefined before the first one. */
  next(lastVersion: string | undefined): ListPlan {
    const version = this.#consistent ? undefined : lastVersion;
    const notOlder = { resourceVersion: version, resourceVersionMatch: "NotOlderThan" };
    if (this.#streaming === "on") return { kind: "streaming", query: { ...notOlder, sendInitialEvents: "true" } };
    if (this.#consistent) return { kind: "list", query: { limit: PAGE_LIMIT } };
    return { kind: "list", query: version === undefined ? { resourceVersion: "0" } : notOlder };
  }

  succeeded(plan: ListPlan): void {
    this.#consistent = false;
    if (plan.kind === "streaming") this.#endlessStreams = 0;
    else if (this.#streaming === "refused") this.#streaming = "off";
    else if (this.#streaming === "doubted") this.#streaming = "on";
  }

  /** A list failed, or a watch that a list has to follow. `refused`: the server wants another kind of list, at once. */
  failed(failure: ApiError, plan?: ListPlan): "failed" | "refused" {
    if (isVersionTooLarge(failure) || (plan !== undefined && isGone(failure))) this.#consistent = true;
    if (plan === undefined || this.#streaming === "off") return "failed";
    if (plan.kind === "list") {
      if (isUnreachable(failure)) this.#streaming = "on";
      return "failed";
    }
    this.#streaming = this.#afterStreaming(failure);
    return this.#streaming === "refused" ? "refused" : "failed";
  }

  #afterStreaming(failure: ApiError): "on" | "doubted" | "refused" {
    const { status } = failure;
    if (status === 400 || status === 422) return "refused";
    if (failure.reason === NO_END) return ++this.#endlessStreams > 1 ? "refused" : "doubted";
    // Nothing of that says anything about streaming.
    if (isUnreachable(failure) || isUnauthorized(failure) || isNotFound(failure)) return "on";
    if (isGone(failure) || isVersionTooLarge(failure) || status === 429) return "on";
    return "doubted";
  }
}
