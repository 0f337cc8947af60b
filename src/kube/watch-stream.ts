// One watch: opened, read batch by batch, ended. Owns what its answer means up to single events; what follows from
// them, and from its end, is the reflector's business.

import { ApiError } from "./api-error.ts";
import type { Resource } from "./resources.ts";
import { answerFailure, errorEventFailure, statusFailure } from "./status-failures.ts";
import type { Answer, Query, RequestOptions } from "./transport.ts";
import { FrameSplitter, parseWatchEvent, type WatchEvent, WatchFrameError } from "./watch-events.ts";

/** What reflectors need of an API client. */
export interface ReflectorClient {
  readonly contextName: string;
  stream(path: string, options: RequestOptions): Promise<Answer>;
}

export type ObjectEvent = Exclude<WatchEvent, { type: "ERROR" }>;

export interface WatchTimeouts {
  readonly headersMs: number;
  /** Without a byte; may change while the watch is read. */
  idleMs: number;
}

export class WatchStream {
  readonly timeouts: WatchTimeouts;
  readonly #resource: Resource;
  readonly #answer: Answer;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #frames = new FrameSplitter();
  #failure: ApiError | undefined;

  private constructor(resource: Resource, answer: Answer, timeouts: WatchTimeouts) {
    this.#resource = resource;
    this.#answer = answer;
    this.#chunks = answer.body[Symbol.asyncIterator]();
    this.timeouts = timeouts;
  }

  /** Rejects with ApiError, or with the signal's reason. */
  static async open(
    client: ReflectorClient,
    resource: Resource,
    query: Query,
    timeouts: WatchTimeouts,
    signal: AbortSignal,
  ): Promise<WatchStream> {
    const answer = await client.stream(resource.path, { query: { watch: "1", ...query }, signal, timeouts });
    if (answer.status !== 200) throw await statusFailure(answer, resource, "watch");
    return new WatchStream(resource, answer, timeouts);
  }

  /**
   * The next events, in order; undefined when the server has ended the watch between two events. Rejects with ApiError or
   * the signal's reason, but only after all events before the failure have been handed out.
   */
  async next(): Promise<readonly ObjectEvent[] | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const step = await this.#chunks.next();
      if (step.done) {
        this.#attempt(() => this.#frames.end());
        if (this.#failure === undefined) return undefined;
        continue;
      }
      const events: ObjectEvent[] = [];
      this.#attempt(() => {
        for (const line of this.#frames.write(step.value)) events.push(this.#eventOf(line));
      });
      if (events.length > 0) return events;
    }
  }

  /** Ends the connection. */
  close(): void {
    this.#answer.cut();
  }

  #eventOf(line: Buffer): ObjectEvent {
    const event = parseWatchEvent(line);
    if (event.type === "ERROR") throw errorEventFailure(event.status, this.#answer, this.#resource);
    return event;
  }

  #attempt(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (error instanceof WatchFrameError) this.#failure = answerFailure(this.#answer, error.message);
      else if (error instanceof ApiError) this.#failure = error;
      else throw error;
    }
  }
}
