// The agent's HTTP side: plain GETs, answered from memory. Owns addresses, routes and codes; what the answers say comes from others.

import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Path -> answer. Unknown paths get 404, other methods than GET and HEAD 405. */
export type Routes = Readonly<Record<string, () => Answer | Promise<Answer>>>;

/** An address cannot be listened on. */
export class ListenError extends Error {
  /** What to do. */
  readonly hint: string;

  constructor(address: string, cause: NodeJS.ErrnoException) {
    super(`cannot listen on ${address}: ${cause.message}`, { cause });
    this.name = "ListenError";
    this.hint = HINTS[cause.code ?? ""] ?? "choose another address";
  }
}

const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: "is another agent running? if not, another program has the port: choose another one",
  EADDRNOTAVAIL: "this machine has no such address: write one of its own, or :port for all",
  ENOTFOUND: "the name does not resolve: write an address",
  EAI_AGAIN: "the name does not resolve: write an address",
  EACCES: "ports below 1024 need CAP_NET_BIND_SERVICE: choose a higher one",
};

export interface HttpServer {
  /** `127.0.0.1:10360`, with the port that was really taken. */
  readonly address: string;
  close(): Promise<void>;
}

/** `host:port`, `[v6]:port` or `:port` (every address); port 0 takes a free one. undefined: not an address. */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return undefined;
  return { host: match[1] ?? match[2] ?? "", port };
}

/** Whoever opens more, or says nothing, is cut off: files and memory are the agent's own. */
const MOST_CONNECTIONS = 100;
const TIME_LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
};

/** Throws ListenError. `onError` is told about bugs in routes; the client gets 500. */
export async function serveHttp(
  address: string,
  routes: Routes,
  onError: (error: unknown) => void,
): Promise<HttpServer> {
  const parsed = parseListenAddress(address);
  if (parsed === undefined) throw new ListenError(address, new Error("it is not host:port"));
  const server = createServer(TIME_LIMITS, (request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    void respond(routes, request.method ?? "", path, response, onError);
  });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(new ListenError(address, cause)));
    server.listen({ port: parsed.port, ...(parsed.host === "" ? {} : { host: parsed.host }) }, resolve);
  });
  server.on("error", onError);
  return { address: describe(server), close: () => closeServer(server) };
}

async function respond(
  routes: Routes,
  method: string,
  path: string,
  response: ServerResponse,
  onError: (error: unknown) => void,
): Promise<void> {
  let answer: Answer;
  try {
    answer = await answerFor(routes, method, path);
  } catch (error) {
    onError(error);
    answer = text(500, "internal error; see the agent's log\n");
  }
  response.writeHead(answer.status, { "content-type": answer.contentType, "cache-control": "no-store" });
  response.end(method === "HEAD" ? undefined : answer.body);
}

async function answerFor(routes: Routes, method: string, path: string): Promise<Answer> {
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return text(404, `nothing here; there is: ${Object.keys(routes).join(" ")}\n`);
  if (method !== "GET" && method !== "HEAD") return text(405, "only GET\n");
  return route();
}

export function text(status: number, body: string): Answer {
  return { status, contentType: "text/plain; charset=utf-8", body };
}

export function json(value: unknown): Answer {
  return { status: 200, contentType: "application/json", body: `${JSON.stringify(value, null, 2)}\n` };
}

function describe(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
