// One list, read while it arrives: each item is parsed and handed on at once, the body is never held.
// Owns what makes an answer a list; which list to ask for is the reflector's business.

import { setImmediate as nextTurn } from "node:timers/promises";
import { isMapping } from "../dialects/field-reader.ts";
import { ApiError, isGone, VERSION_TOO_LARGE } from "./api-error.ts";
import { type ListEnvelope, ListSplitter, ListSyntaxError } from "./list-splitter.ts";
import { identityOf, isOlderVersion, type ObjectIdentity } from "./object-identity.ts";
import { parseObject } from "./parse-object.ts";
import type { Resource } from "./resources.ts";
import { answerFailure, samePageFailure, statusFailure } from "./status-failures.ts";
import type { Query, Timeouts } from "./transport.ts";
import type { ReflectorClient } from "./watch-stream.ts";

/** Where the items go, in the server's order. */
export interface ItemReceiver {
  /** The list begins, perhaps anew: forget what came before. */
  restart(): void;
  put(item: unknown, identity: ObjectIdentity): void;
}

interface PageEnd {
  readonly resourceVersion: string;
  /** Asks for the next page; undefined on the last one. */
  readonly continue: string | undefined;
}

/** Other work of this process waits no longer than about this. */
const LONGEST_TURN_MS = 8;

/**
 * Resolves with the list's resourceVersion (never "") when it is complete: only then do the items count. Follows pages,
 * where the query has a limit. Rejects with ApiError or the signal's reason; what the receiver throws comes out as it is.
 * Memory: the largest item.
 */
export async function readList(
  client: ReflectorClient,
  resource: Resource,
  query: Query,
  timeouts: Timeouts,
  receiver: ItemReceiver,
  signal: AbortSignal,
): Promise<string> {
  const read = (page: Query) => readPage(client, resource, page, timeouts, receiver, signal);
  receiver.restart();
  let end = await read(query);
  while (end.continue !== undefined) {
    signal.throwIfAborted();
    const token = end.continue;
    try {
      // Every page is of the first one's version: with the token none may be named.
      end = await read({ limit: query.limit, continue: token });
    } catch (error) {
      if (!isGone(error)) throw error;
      // As client-go: in pages it takes longer than the server keeps tokens.
      receiver.restart();
      end = await read({ ...query, limit: undefined });
    }
    if (end.continue === token) throw samePageFailure(client.contextName, resource);
  }
  return end.resourceVersion;
}

/**
 * Resolves when the server has got to the version; rejects with ApiError (isVersionTooLarge) when it has not. One small request,
 * read past the server's cache: asking for a version that it lacks would be waited for, and may so come true.
 */
export async function confirmVersion(
  client: ReflectorClient,
  resource: Resource,
  resourceVersion: string,
  timeouts: Timeouts,
  signal: AbortSignal,
): Promise<void> {
  const end = await readPage(client, resource, { limit: 1 }, timeouts, { put: () => {} }, signal);
  if (!isOlderVersion(end.resourceVersion, resourceVersion)) return;
  throw new ApiError({
    kind: "protocol",
    message: `the API server has gone back from version ${resourceVersion} of ${resource.name} to ${end.resourceVersion}`,
    hint: "was etcd restored from a backup? Everything is listed again",
    reason: VERSION_TOO_LARGE,
    path: resource.path,
  });
}

async function readPage(
  client: ReflectorClient,
  resource: Resource,
  query: Query,
  timeouts: Timeouts,
  receiver: Pick<ItemReceiver, "put">,
  signal: AbortSignal,
): Promise<PageEnd> {
  const answer = await client.stream(resource.path, { query, signal, timeouts });
  if (answer.status !== 200) throw await statusFailure(answer, resource);
  const splitter = new ListSplitter((bytes) => receiver.put(...parseItem(bytes)));
  let turnBeganAtMs = performance.now();
  try {
    for await (const chunk of answer.body) {
      splitter.write(chunk);
      // Chunks that are already there come without a turn of the event loop.
      if (performance.now() - turnBeganAtMs < LONGEST_TURN_MS) continue;
      await nextTurn();
      signal.throwIfAborted();
      turnBeganAtMs = performance.now();
    }
    return pageEnd(splitter.end());
  } catch (error) {
    if (error instanceof ListSyntaxError) throw answerFailure(answer, error.message);
    throw error;
  } finally {
    answer.cut();
  }
}

function parseItem(bytes: Buffer): [item: unknown, identity: ObjectIdentity] {
  let item: unknown;
  try {
    item = parseObject(bytes);
  } catch {
    throw new ListSyntaxError("an item is not valid JSON in UTF-8");
  }
  const identity = identityOf(item);
  if (identity === undefined) throw new ListSyntaxError("an item has no name or no resourceVersion");
  return [item, identity];
}

function pageEnd(envelope: ListEnvelope): PageEnd {
  const { kind } = envelope;
  if (typeof kind !== "string" || !kind.endsWith("List")) {
    throw new ListSyntaxError("it is JSON, but not a list of objects");
  }
  const metadata = isMapping(envelope.metadata) ? envelope.metadata : {};
  const { resourceVersion, continue: token } = metadata;
  if (typeof resourceVersion !== "string" || resourceVersion === "") {
    throw new ListSyntaxError("the list has no resourceVersion");
  }
  return { resourceVersion, continue: typeof token === "string" && token !== "" ? token : undefined };
}
