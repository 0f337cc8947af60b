// One request to the API server: authenticated, over connections that are kept, with time-outs, gzip and abort.
// Lists and watches stand on it; what an answer means is up to them.

import {
  type Agent,
  type AgentOptions,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { connectionFailure, headerTimeout, idleTimeout, type RequestPlace } from "./connection-failures.ts";
import type { ClusterAccess, Credentials } from "./credentials.ts";
import { proxyEnvironment } from "./proxy-environment.ts";

export interface Timeouts {
  /** From sending to the end of the answer's headers, connecting included. */
  readonly headersMs: number;
  /** Without a byte in the answer's body. Looked up for each wait: it may change while a body is being read. */
  readonly idleMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = { headersMs: 30_000, idleMs: 30_000 };

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface Answer {
  /** Any status. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /**
   * Decompressed. Fails with ApiError, or with the signal's reason after an abort. Read it to its end, stop iterating or
   * cut it: an answer that nobody reads holds its connection.
   */
  readonly body: AsyncIterable<Buffer>;
  /** Ends the answer where it is, and its connection with it; nothing happens to one that has been read to its end. */
  cut(): void;
  readonly place: RequestPlace;
}

export interface RequestOptions {
  readonly query?: Query | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeouts?: Timeouts | undefined;
  /** Over a connection of its own, which is closed after the answer. */
  readonly freshConnection?: boolean | undefined;
  /** JSON text; with it the request is a POST. Its answer must not depend on how often it arrives: a broken kept connection repeats it. */
  readonly body?: string | undefined;
}

/**
 * TCP keepalive after 10 s, also while an answer is being read; libuv then asks each second, ten times: a peer that has
 * vanished breaks the connection within 20 s.
 */
const KEPT_CONNECTIONS: AgentOptions = { keepAlive: true, keepAliveMsecs: 10_000, maxFreeSockets: 8 };

/** How often a request is repeated because a kept connection turned out to be closed by the server. */
const MAX_STALE_CONNECTIONS = 5;

export class ApiTransport {
  readonly #access: ClusterAccess;
  readonly #timeouts: Timeouts;
  readonly #userAgent: string;
  #kept: { readonly key: string; readonly agent: Agent } | undefined;
  readonly #agents = new Set<Agent>();

  constructor(access: ClusterAccess, timeouts: Timeouts, userAgent: string) {
    this.#access = access;
    this.#timeouts = timeouts;
    this.#userAgent = userAgent;
  }

  /**
   * Resolves with the headers, whatever the status. After a 401 the credentials are obtained anew and, if they differ, the
   * request is sent once more. Rejects with ApiError, or with the signal's reason.
   */
  async request(path: string, options: RequestOptions = {}): Promise<Answer> {
    const credentials = await abortable(this.#access.credentials(), options.signal);
    const answer = await this.#requestWith(credentials, path, options);
    if (answer.status !== 401) return answer;
    const fresh = await abortable(this.#access.renewed(credentials), options.signal);
    if (fresh === undefined) return answer;
    await discard(answer);
    return this.#requestWith(fresh, path, options);
  }

  /** Closes all connections; answers that are still being read break. */
  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  async #requestWith(credentials: Credentials, path: string, options: RequestOptions): Promise<Answer> {
    const { signal, timeouts = this.#timeouts } = options;
    const url = requestUrl(this.#access.server, path, options.query ?? {});
    const place: RequestPlace = {
      origin: url.origin,
      path: url.pathname,
      contextName: this.#access.contextName,
      secrets: credentials.secrets,
    };
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.#send(url, credentials, place, { ...options, timeouts });
        return {
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: readBody(response, place, timeouts, signal),
          cut: () => {
            if (!response.readableEnded) response.destroy();
          },
          place,
        };
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof StaleConnection && attempt <= MAX_STALE_CONNECTIONS) continue;
        throw connectionFailure(error instanceof StaleConnection ? error.cause : error, place);
      }
    }
  }

  #send(
    url: URL,
    credentials: Credentials,
    place: RequestPlace,
    options: RequestOptions & { readonly timeouts: Timeouts },
  ): Promise<IncomingMessage> {
    const { signal, timeouts, body } = options;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const send = url.protocol === "http:" ? httpRequest : httpsRequest;
      const request = send(url, {
        method: body === undefined ? "GET" : "POST",
        ...(credentials.proxyAgent === undefined ? {} : tlsOptions(credentials)),
        agent: credentials.proxyAgent ?? this.#agent(url, credentials, options.freshConnection === true),
        headers: {
          Accept: "application/json",
          "Accept-Encoding": "gzip",
          "User-Agent": this.#userAgent,
          ...(body === undefined
            ? {}
            : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(body)) }),
          ...credentials.headers,
        },
      });
      const timer = setTimeout(() => request.destroy(headerTimeout(place, timeouts.headersMs)), timeouts.headersMs);
      const abort = () => request.destroy(signal?.reason);
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      signal?.addEventListener("abort", abort, { once: true });
      request.on("response", (response) => {
        settle();
        resolve(response);
      });
      // Stays for the request's life: a late error without a listener would end the process.
      request.on("error", (error: NodeJS.ErrnoException) => {
        settle();
        const isStale = request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
        reject(isStale ? new StaleConnection(error) : error);
      });
      request.end(body);
    });
  }

  /** One agent for as long as certificates stay the same. Old ones end with their last answer. */
  #agent(url: URL, credentials: Credentials, fresh: boolean): Agent {
    if (fresh) return newAgent(url, credentials, {});
    const key = `${url.protocol} ${credentials.tlsFingerprint}`;
    if (this.#kept?.key === key) return this.#kept.agent;
    const agent = newAgent(url, credentials, KEPT_CONNECTIONS);
    this.#kept = { key, agent };
    this.#agents.add(agent);
    return agent;
  }
}

function newAgent(url: URL, credentials: Credentials, connections: AgentOptions): Agent {
  const options = { ...connections, ...proxyEnvironment(url) };
  return url.protocol === "http:" ? new HttpAgent(options) : new HttpsAgent({ ...options, ...tlsOptions(credentials) });
}

/** A kept connection that the server had closed before our request arrived: a fresh one may do. */
class StaleConnection extends Error {
  constructor(cause: Error) {
    super("stale connection", { cause });
  }
}

function tlsOptions({ tls }: Credentials) {
  return {
    ca: tls.ca as string | Buffer | (string | Buffer)[],
    rejectUnauthorized: tls.rejectUnauthorized,
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.servername === undefined ? {} : { servername: tls.servername }),
  };
}

/** The server's URL may have a path of its own (several clusters behind one host). */
function requestUrl(server: URL, path: string, query: Query): URL {
  const url = new URL(server.origin);
  url.pathname = `${server.pathname.replace(/\/+$/, "")}${path}`;
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url;
}

function readBody(
  response: IncomingMessage,
  place: RequestPlace,
  timeouts: Timeouts,
  signal: AbortSignal | undefined,
): AsyncIterable<Buffer> {
  const raw = guardedChunks(response, place, timeouts, signal);
  if (response.headers["content-encoding"] !== "gzip") return raw;
  return gunzipped(raw, place, signal);
}

/** The clock runs only while we wait for the server, not while our reader is busy. */
async function* guardedChunks(
  response: IncomingMessage,
  place: RequestPlace,
  timeouts: Timeouts,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const abort = () => response.destroy(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let complete = false;
  try {
    for (;;) {
      const { idleMs } = timeouts;
      const timer = setTimeout(() => response.destroy(idleTimeout(place, idleMs)), idleMs);
      const step = await chunks.next().finally(() => clearTimeout(timer));
      complete = step.done === true;
      if (step.done) return;
      yield step.value;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw connectionFailure(error, place);
  } finally {
    signal?.removeEventListener("abort", abort);
    // A complete answer's connection goes back to the agent; any other is useless.
    if (!complete) response.destroy();
  }
}

async function* gunzipped(
  raw: AsyncGenerator<Buffer>,
  place: RequestPlace,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: 65_536 });
  // The error comes out of the iteration below.
  pipeline(Readable.from(raw, { objectMode: false }), gunzip, () => {});
  try {
    yield* gunzip;
  } catch (error) {
    signal?.throwIfAborted();
    throw connectionFailure(error, place);
  }
}

/** Reads a short answer to its end, so that its connection can be used again; longer ones are cut. */
async function discard(answer: Answer): Promise<void> {
  let sizeBytes = 0;
  try {
    for await (const chunk of answer.body) {
      sizeBytes += chunk.length;
      if (sizeBytes > 65_536) return;
    }
  } catch {
    // Nobody wanted it.
  }
}

/** The promise's work goes on after an abort (an exec plugin cannot be stopped); its outcome is ignored. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
