// A whole list in pages: what becomes of tokens that expire in the middle, of busy servers and of broken connections.
// Owns the order of requests; what is kept of the items is up to the caller.

import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient, ListPage } from "./api-client.ts";
import { ApiError, isConnectionBroken, isGone } from "./api-error.ts";
import type { Resource } from "./resources.ts";
import { samePageFailure } from "./status-failures.ts";

/** kubectl's chunk size. */
export const PAGE_LIMIT = 500;

const MAX_RETRIES = 4;
const LONGEST_PAUSE_MS = 30_000;
const FIRST_PAUSE_MS = 200;

export interface PageReader {
  /** The list begins, perhaps anew: forget what came before. */
  restart(): void;
  /** Take what you need: the page is not kept. */
  page(page: ListPage): void;
}

/**
 * Hands every page to the reader, in order. When the continue token expires (410) the list is asked for once more and whole,
 * as kubectl's chunking does. Requests that the server wants later (Retry-After) and those whose connection broke are
 * repeated a few times, as client-go does. Rejects with ApiError or the signal's reason.
 */
export async function listInPages(
  client: ApiClient,
  resource: Resource,
  reader: PageReader,
  signal?: AbortSignal,
): Promise<void> {
  reader.restart();
  let token: string | undefined;
  do {
    let page: ListPage;
    try {
      page = await listPatiently(client, resource, PAGE_LIMIT, token, signal);
    } catch (error) {
      if (!isGone(error) || token === undefined) throw error;
      reader.restart();
      reader.page(await listPatiently(client, resource, undefined, undefined, signal));
      return;
    }
    if (page.continue !== undefined && page.continue === token) {
      throw samePageFailure(client.contextName, resource);
    }
    reader.page(page);
    token = page.continue;
  } while (token !== undefined);
}

async function listPatiently(
  client: ApiClient,
  resource: Resource,
  limit: number | undefined,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ListPage> {
  for (let retry = 0; ; retry++) {
    try {
      return await client.list(resource, { limit, continue: token, signal });
    } catch (error) {
      const pauseMs = retry < MAX_RETRIES ? pauseBeforeRetry(error, retry) : undefined;
      if (pauseMs === undefined) throw error;
      await delay(pauseMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

function pauseBeforeRetry(error: unknown, retry: number): number | undefined {
  if (isConnectionBroken(error)) return FIRST_PAUSE_MS * 2 ** retry;
  if (!(error instanceof ApiError) || error.retryAfterMs === undefined || error.status === undefined) return undefined;
  if (error.status !== 429 && error.status < 500) return undefined;
  return Math.min(error.retryAfterMs, LONGEST_PAUSE_MS);
}
