// The API server as nftpol uses it: pages of lists, parsed; streams; documents; failures as ApiError.
// Owns what whole answers mean; connections are transport.ts, credentials credentials.ts, streams reflector.ts.

import { constants } from "node:buffer";
import { isMapping } from "../dialects/field-reader.ts";
import { ClusterAccess } from "./credentials.ts";
import { type KubeContext, type KubeconfigOptions, loadKubeContext } from "./kubeconfig.ts";
import type { Resource } from "./resources.ts";
import { DEFAULT_PULSE, type PulseTimeouts, ServerPulse } from "./server-pulse.ts";
import { VERSION_PATH } from "./server-version.ts";
import { answerFailure, statusFailure } from "./status-failures.ts";
import { type Answer, ApiTransport, DEFAULT_TIMEOUTS, type RequestOptions, type Timeouts } from "./transport.ts";

export interface ListOptions {
  /** Items per page; all in one answer without. */
  readonly limit?: number | undefined;
  /** Of the page before. */
  readonly continue?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ListPage {
  /** Raw objects, without the kind and apiVersion that the list's type already says. */
  readonly items: readonly unknown[];
  /** Asks for the next page; undefined on the last one. */
  readonly continue: string | undefined;
  /** Of the whole list: where a watch would begin. */
  readonly resourceVersion: string;
  /** How many items follow after this page, where the server says so. */
  readonly remainingCount: number | undefined;
}

export interface ApiClient {
  /** For people and for positions: the context's name. */
  readonly contextName: string;
  /** One request. Rejects with ApiError, or with the signal's reason after an abort. A page is held in memory whole. */
  list(resource: Resource, options: ListOptions): Promise<ListPage>;
  /** Ends all connections. */
  close(): void;
}

export interface StreamingApiClient extends ApiClient {
  /** `https://10.96.0.1:443`, without what the URL may have besides. */
  readonly serverOrigin: string;
  /**
   * Any request, answered as soon as the headers are there, whatever the status. Request and body fail with ApiError
   * (`timeout`) when the server dies meanwhile: it may be quiet for ever, but not dead.
   */
  stream(path: string, options: RequestOptions): Promise<Answer>;
}

export interface ApiClientOptions extends KubeconfigOptions {
  readonly timeouts?: Partial<Timeouts>;
  readonly pulse?: PulseTimeouts;
  readonly userAgent?: string;
  /** For a credential plugin to answer, or a login to be renewed. Default: a minute. */
  readonly credentialsWithinMs?: number;
}

/** Reads the kubeconfig; sends nothing yet. Throws ApiError (kind `kubeconfig`). */
export async function connectApiClient(options: ApiClientOptions = {}): Promise<StreamingApiClient> {
  const context = await loadKubeContext(options);
  // The same context again, even when another one has become the current one meanwhile.
  const reload = () => loadKubeContext({ ...options, context: context.name });
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const access = new ClusterAccess(context, reload, options.credentialsWithinMs);
  const transport = new ApiTransport(access, timeouts, options.userAgent ?? "nftpol");
  return new HttpApiClient(context, transport, options.pulse ?? DEFAULT_PULSE);
}

class HttpApiClient implements StreamingApiClient {
  readonly contextName: string;
  readonly serverOrigin: string;
  readonly #transport: ApiTransport;
  readonly #pulse: ServerPulse;

  constructor({ name, cluster }: KubeContext, transport: ApiTransport, pulse: PulseTimeouts) {
    this.contextName = name;
    this.serverOrigin = URL.parse(cluster.server)?.origin ?? cluster.server;
    this.#transport = transport;
    this.#pulse = new ServerPulse((signal) => this.#probe(signal), pulse);
  }

  async list(resource: Resource, options: ListOptions): Promise<ListPage> {
    const answer = await this.#transport.request(resource.path, {
      query: { limit: options.limit, continue: options.continue },
      signal: options.signal,
    });
    if (answer.status !== 200) throw await statusFailure(answer, resource);
    return toPage(parseAnswer(await readWhole(answer), answer), answer);
  }

  async stream(path: string, options: RequestOptions): Promise<Answer> {
    const life = new AbortController();
    const abort = () => life.abort(options.signal?.reason);
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener("abort", abort);
    const release = this.#pulse.guard((failure) => life.abort(failure));
    const finish = () => {
      release();
      options.signal?.removeEventListener("abort", abort);
    };
    try {
      const answer = await this.#transport.request(path, { ...options, signal: life.signal });
      this.#pulse.heard();
      const cut = () => {
        finish();
        answer.cut();
      };
      return { ...answer, body: this.#listen(answer.body, finish), cut };
    } catch (error) {
      finish();
      throw error;
    }
  }

  close(): void {
    this.#pulse.close();
    this.#transport.close();
  }

  async *#listen(body: AsyncIterable<Buffer>, finish: () => void): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of body) {
        this.#pulse.heard();
        yield chunk;
      }
    } finally {
      finish();
    }
  }

  async #probe(signal: AbortSignal): Promise<void> {
    const answer = await this.#transport.request(VERSION_PATH, { signal, freshConnection: true });
    for await (const _chunk of answer.body) break;
  }
}

async function readWhole(answer: Answer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of answer.body) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes > constants.MAX_STRING_LENGTH) throw answerFailure(answer, "it is larger than 512 MB");
  }
  return Buffer.concat(chunks, sizeBytes);
}

function parseAnswer(bytes: Buffer, answer: Answer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    const start = bytes.subarray(0, 1).toString();
    throw answerFailure(answer, start === "{" ? "the JSON is cut off or broken" : "it is not JSON");
  }
}

function toPage(list: unknown, answer: Answer): ListPage {
  if (!isMapping(list) || typeof list.kind !== "string" || !list.kind.endsWith("List")) {
    throw answerFailure(answer, "it is JSON, but not a list of objects");
  }
  const items = list.items ?? [];
  if (!Array.isArray(items)) throw answerFailure(answer, "the items of the list are no list");
  const metadata = isMapping(list.metadata) ? list.metadata : {};
  const token = metadata.continue;
  const { resourceVersion, remainingItemCount } = metadata;
  return {
    items,
    continue: typeof token === "string" && token !== "" ? token : undefined,
    resourceVersion: typeof resourceVersion === "string" ? resourceVersion : "",
    remainingCount: typeof remainingItemCount === "number" ? remainingItemCount : undefined,
  };
}
