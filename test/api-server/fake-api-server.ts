// A small API server over HTTPS on loopback: lists and watches with resourceVersions, streaming lists, bookmarks,
// compaction, Events, token and client certificate authentication. Faults are injected per request.
// Owns connections, authentication and faults; what is answered is api-answers.ts and watch-session.ts.

import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import { onTestFinished } from "vitest";
import { type ApiAnswer, answerTo, createEvent, type StreamingLists, type WholeAnswer } from "./api-answers.ts";
import { type Authority, type Certificate, issueCertificate, makeAuthority } from "./certificates.ts";
import { applyFault, type Fault, isWatchFault } from "./faults.ts";
import { type ApiObject, ObjectStore } from "./object-store.ts";
import { statusObject } from "./status-object.ts";
import { type WatchFault, WatchSession } from "./watch-session.ts";

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  /** Counts connections from 1. */
  readonly connection: number;
  /** When it came; milliseconds of performance.now(). */
  readonly atMs: number;
}

export interface FakeApiServerOptions {
  /** Plain HTTP instead, as `kubectl proxy` serves it. */
  readonly plainHttp?: boolean;
  /** Accepted bearer tokens; none: everybody may. */
  readonly tokens?: readonly string[];
  /** Accept clients whose certificate the server's own authority has signed. */
  readonly clientCertificates?: boolean;
  /** Instead of one for localhost and 127.0.0.1. */
  readonly certificate?: (authority: Authority) => Certificate;
  /** Compress lists where the client takes it, as real servers do with large ones. */
  readonly gzip?: boolean;
  /** A path before all paths, as behind a shared gateway. */
  readonly pathPrefix?: string;
  /** Default: served. */
  readonly streamingLists?: StreamingLists;
  /** Default: only on demand. */
  readonly bookmarkEveryMs?: number;
}

/** Decides for each request, before authentication, whether it goes wrong. */
export type FaultRule = (request: RecordedRequest) => Fault | undefined;

export class FakeApiServer {
  readonly store = new ObjectStore();
  /** All requests in order, those with faults too. */
  readonly requests: RecordedRequest[] = [];
  /** Events that were created, as they were sent. */
  readonly postedEvents: ApiObject[] = [];
  readonly authority = makeAuthority();
  tokens: readonly string[];
  /** Users may not list or watch these paths. */
  forbidden: readonly string[] = [];
  streamingLists: StreamingLists;
  readonly #options: FakeApiServerOptions;
  readonly #server: HttpServer;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<WatchSession>();
  readonly #connectionNumbers = new WeakMap<Socket, number>();
  readonly #bookmarkTimer: NodeJS.Timeout | undefined;
  #connectionCount = 0;
  #faults: FaultRule[] = [];

  private constructor(options: FakeApiServerOptions) {
    this.#options = options;
    this.tokens = options.tokens ?? [];
    this.streamingLists = options.streamingLists ?? "served";
    const answer = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response);
    this.#server = options.plainHttp ? createHttpServer(answer) : createServer(this.#tlsOptions(), answer);
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#server.on(options.plainHttp ? "connection" : "secureConnection", (socket: Socket) => {
      this.#connectionNumbers.set(socket, ++this.#connectionCount);
    });
    const { bookmarkEveryMs } = options;
    if (bookmarkEveryMs !== undefined) this.#bookmarkTimer = setInterval(() => this.sendBookmarks(), bookmarkEveryMs);
  }

  /** `port`: of an earlier server that has come back. */
  static async start(options: FakeApiServerOptions = {}, port = 0): Promise<FakeApiServer> {
    const server = new FakeApiServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(port, "127.0.0.1", resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#options.plainHttp ? "http" : "https"}://127.0.0.1:${this.port}${this.#options.pathPrefix ?? ""}`;
  }

  get connectionCount(): number {
    return this.#connectionCount;
  }

  get openConnectionCount(): number {
    return this.#sockets.size;
  }

  /** Watches that are open now. */
  get watchCount(): number {
    return this.#watches.size;
  }

  /** Asked before earlier rules; remove it with the function that is returned. */
  addFault(rule: FaultRule): () => void {
    this.#faults.unshift(rule);
    return () => {
      this.#faults = this.#faults.filter((other) => other !== rule);
    };
  }

  clearFaults(): void {
    this.#faults = [];
  }

  /** The next `times` requests to the path go wrong. */
  failNext(path: string, fault: Fault, times = 1): void {
    let left = times;
    this.addFault((request) => (request.path === path && left-- > 0 ? fault : undefined));
  }

  /** The next `times` lists, plain or streaming, go wrong. */
  failNextLists(path: string, fault: Fault, times = 1): void {
    let left = times;
    this.addFault((request) => (request.path === path && isList(request) && left-- > 0 ? fault : undefined));
  }

  /** The next `times` watches that go on from a version go wrong. */
  failNextWatches(path: string, fault: Fault, times = 1): void {
    let left = times;
    this.addFault((request) =>
      request.path === path && isWatchFromVersion(request) && left-- > 0 ? fault : undefined,
    );
  }

  requestsTo(path: string): readonly RecordedRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  /** Plain lists and streaming ones. */
  listsOf(path: string): readonly RecordedRequest[] {
    return this.requestsTo(path).filter(isList);
  }

  /** Watches that go on from a version. */
  watchesOf(path: string): readonly RecordedRequest[] {
    return this.requestsTo(path).filter(isWatchFromVersion);
  }

  /** Whether the server has a version. */
  versionQuestionsOf(path: string): readonly RecordedRequest[] {
    return this.requestsTo(path).filter(isVersionQuestion);
  }

  sendBookmarks(): void {
    for (const watch of this.#watches) watch.sendBookmark();
  }

  /** Cuts every connection: what a restart looks like to clients. */
  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    clearInterval(this.#bookmarkTimer);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cutConnections();
    await closed;
  }

  #tlsOptions() {
    const { certificate, clientCertificates } = this.#options;
    const own =
      certificate?.(this.authority) ??
      issueCertificate(this.authority, { commonName: "api server", names: ["localhost", "127.0.0.1"] });
    return {
      key: own.keyPem,
      cert: own.certPem,
      ...(clientCertificates ? { requestCert: true, rejectUnauthorized: false, ca: this.authority.certPem } : {}),
    };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "https://fake");
    const prefix = this.#options.pathPrefix ?? "";
    const recorded: RecordedRequest = {
      method: request.method ?? "",
      path: url.pathname.startsWith(prefix) ? url.pathname.slice(prefix.length) : `outside the prefix: ${url.pathname}`,
      query: url.searchParams,
      headers: request.headers,
      connection: this.#connectionNumbers.get(request.socket) ?? 0,
      atMs: performance.now(),
    };
    this.requests.push(recorded);
    for (const rule of this.#faults) {
      const fault = rule(recorded);
      if (fault === undefined) continue;
      if (isWatchFault(fault)) this.#serve(recorded, request, response, fault);
      else applyFault(fault, request, response, () => this.#serve(recorded, request, response));
      return;
    }
    this.#serve(recorded, request, response);
  }

  #serve(recorded: RecordedRequest, request: IncomingMessage, response: ServerResponse, fault?: WatchFault): void {
    const { path, query, method } = recorded;
    if (!this.#isKnown(request)) {
      this.#send(
        { kind: "value", code: 401, value: statusObject(401, "Unauthorized", "Unauthorized") },
        request,
        response,
      );
    } else if (method === "POST") {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => this.#send(createEvent(this, path, Buffer.concat(chunks).toString()), request, response));
    } else {
      const answer = answerTo(this, path, query);
      if (answer.kind === "watch") this.#watch(path, answer, response, fault);
      else this.#send(answer, request, response);
    }
  }

  #send(answer: WholeAnswer, request: IncomingMessage, response: ServerResponse): void {
    const bytes = Buffer.from(answer.kind === "text" ? answer.text : JSON.stringify(answer.value));
    const gzip = this.#options.gzip && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
    const wish =
      answer.kind === "value" ? (answer.value.details as ApiObject | undefined)?.retryAfterSeconds : undefined;
    response.writeHead(answer.code, {
      ...(wish === undefined ? {} : { "retry-after": String(wish) }),
      "content-type": answer.kind === "text" ? "text/plain" : "application/json",
      ...(gzip ? { "content-encoding": "gzip" } : {}),
    });
    response.end(gzip ? gzipSync(bytes) : bytes);
  }

  #watch(path: string, { query }: Extract<ApiAnswer, { kind: "watch" }>, response: ServerResponse, fault?: WatchFault) {
    const collection = this.store.collection(path);
    if (collection === undefined) throw new Error(`no resource at ${path}`);
    const session = new WatchSession(this.store, collection, query, response, fault);
    this.#watches.add(session);
    response.on("close", () => this.#watches.delete(session));
    session.start();
  }

  #isKnown(request: IncomingMessage): boolean {
    const { authorization } = request.headers;
    if (this.#options.clientCertificates && (request.socket as TLSSocket).authorized) return true;
    if (this.tokens.length === 0) return !this.#options.clientCertificates;
    return this.tokens.some((token) => authorization === `Bearer ${token}`);
  }
}

function isList(request: RecordedRequest): boolean {
  return !isVersionQuestion(request) && !isWatchFromVersion(request);
}

function isWatchFromVersion({ query }: RecordedRequest): boolean {
  return ["1", "true"].includes(query.get("watch") ?? "") && !query.has("sendInitialEvents");
}

/** At which version the server is, is asked as a list of one. */
function isVersionQuestion({ query }: RecordedRequest): boolean {
  return query.get("limit") === "1";
}

/** One that is closed when the test has ended. */
export async function startServer(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
  const server = await FakeApiServer.start(options);
  onTestFinished(() => server.close());
  return server;
}
