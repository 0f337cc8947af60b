// A small API server over HTTPS on loopback: lists with paging, resourceVersions and expiring continue tokens, token and
// client certificate authentication, Status objects. Faults are injected per request. Watches will be added here.

import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import { type Authority, type Certificate, issueCertificate, makeAuthority } from "./certificates.ts";
import { applyFault, type Fault } from "./faults.ts";
import { type ApiObject, type ListQuery, ObjectStore } from "./object-store.ts";

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  /** Counts connections from 1. */
  readonly connection: number;
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
  /** Compress answers where the client takes it, as real servers do with large ones. */
  readonly gzip?: boolean;
  /** A path before all paths, as behind a shared gateway. */
  readonly pathPrefix?: string;
}

/** Decides for each request, before authentication, whether it goes wrong. */
export type FaultRule = (request: RecordedRequest) => Fault | undefined;

export class FakeApiServer {
  readonly store = new ObjectStore();
  /** All requests in order, those with faults too. */
  readonly requests: RecordedRequest[] = [];
  readonly authority = makeAuthority();
  tokens: readonly string[];
  /** Users may not list these paths. */
  forbidden: readonly string[] = [];
  readonly #options: FakeApiServerOptions;
  readonly #server: HttpServer;
  readonly #sockets = new Set<Socket>();
  readonly #connectionNumbers = new WeakMap<Socket, number>();
  #connectionCount = 0;
  #faults: FaultRule[] = [];

  private constructor(options: FakeApiServerOptions) {
    this.#options = options;
    this.tokens = options.tokens ?? [];
    const answer = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response);
    this.#server = options.plainHttp ? createHttpServer(answer) : createServer(this.#tlsOptions(), answer);
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#server.on(options.plainHttp ? "connection" : "secureConnection", (socket: Socket) => {
      this.#connectionNumbers.set(socket, ++this.#connectionCount);
    });
  }

  static async start(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
    const server = new FakeApiServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
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

  /** Asked before earlier rules; remove it with the function that is returned. */
  addFault(rule: FaultRule): () => void {
    this.#faults.unshift(rule);
    return () => {
      this.#faults = this.#faults.filter((other) => other !== rule);
    };
  }

  /** The next `times` requests to the path go wrong. */
  failNext(path: string, fault: Fault, times = 1): void {
    let left = times;
    this.addFault((request) => (request.path === path && left-- > 0 ? fault : undefined));
  }

  requestsTo(path: string): readonly RecordedRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  /** Cuts every connection: what a restart looks like to clients. */
  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
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
    };
    this.requests.push(recorded);
    for (const rule of this.#faults) {
      const fault = rule(recorded);
      if (fault === undefined) continue;
      applyFault(fault, request, response, () => this.#serve(recorded, request, response));
      return;
    }
    this.#serve(recorded, request, response);
  }

  #serve(recorded: RecordedRequest, request: IncomingMessage, response: ServerResponse): void {
    const value = this.#isKnown(request) ? this.#valueFor(recorded) : statusObject(401, "Unauthorized", "Unauthorized");
    const text = Buffer.from(JSON.stringify(value));
    const gzip = this.#options.gzip && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
    response.writeHead(value.kind === "Status" ? Number(value.code) : 200, {
      "content-type": "application/json",
      ...(gzip ? { "content-encoding": "gzip" } : {}),
    });
    response.end(gzip ? gzipSync(text) : text);
  }

  /** A list, or the Status that says why not. */
  #valueFor({ path, query }: RecordedRequest): ApiObject {
    if (this.forbidden.includes(path)) {
      const plural = path.split("/").at(-1);
      const message = `${plural} is forbidden: User "tester" cannot list resource "${plural}" at the cluster scope`;
      return statusObject(403, "Forbidden", message);
    }
    const page: ListQuery = { limit: Number(query.get("limit") ?? 0), continue: query.get("continue") ?? "" };
    const result = this.store.list(path, page);
    switch (result.kind) {
      case "list":
        return result.list;
      case "unknown":
        return statusObject(404, "NotFound", "the server could not find the requested resource");
      case "expired":
        return statusObject(410, "Expired", "The provided continue parameter is too old");
    }
  }

  #isKnown(request: IncomingMessage): boolean {
    const { authorization } = request.headers;
    if (this.#options.clientCertificates && (request.socket as TLSSocket).authorized) return true;
    if (this.tokens.length === 0) return !this.#options.clientCertificates;
    return this.tokens.some((token) => authorization === `Bearer ${token}`);
  }
}

export function statusObject(code: number, reason: string, message: string): ApiObject {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
}
