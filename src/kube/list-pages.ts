// A whole list in pages: what becomes of tokens that expire in the middle, of busy servers and of broken connections.
// Owns the order of requests; what is kept of the items is up to the caller.

import type { ApiClient, ListPage } from "./api-client.ts";
import { isGone } from "./api-error.ts";
import { patiently } from "./patience.ts";
import type { Resource } from "./resources.ts";
import { samePageFailure } from "./status-failures.ts";

/** kubectl's chunk size. */
export const PAGE_LIMIT = 500;

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

function listPatiently(
  client: ApiClient,
  resource: Resource,
  limit: number | undefined,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ListPage> {
  return patiently(() => client.list(resource, { limit, continue: token, signal }), signal);
}
