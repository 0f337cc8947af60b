// One resource of the API server, mirrored: list, watch, and again after every failure, until it is told to stop.
// Owns the order of requests and when what they brought counts; what is done with the objects is its owner's business.
//
//   backoff ─> list ─> one batch ─> watch ─> batches ─┬─ closed, broken ──> backoff ─> watch from the last version
//      ^                                              └─ version gone, failing ─┐
//      └────────────────────────────────────────────────────────────────────────┘

import { type ObjectSource, textlessSource } from "../dialects/object-source.ts";
import { ApiError, isGone, isIdle, isNotFound, isVersionTooLarge, isWithoutConnection } from "./api-error.ts";
import { Backoff } from "./backoff.ts";
import { KnownObjects } from "./known-objects.ts";
import { type ListPlan, ListStrategy } from "./list-strategy.ts";
import { confirmVersion, readList } from "./list-stream.ts";
import type { ObjectChange } from "./object-change.ts";
import { isOlderVersion, type ObjectIdentity } from "./object-identity.ts";
import type { ReflectorOptions } from "./reflector-options.ts";
import { DEFAULT_REFLECTOR_SETTINGS, type ReflectorSettings } from "./reflector-settings.ts";
import { type ReflectorStatus, StatusRecord } from "./reflector-status.ts";
import { RetryPause } from "./retry-pause.ts";
import { readInitialEvents } from "./streaming-list.ts";
import { type ObjectEvent, WatchStream } from "./watch-stream.ts";

/** Watches that bring nothing this often, one after the other, are replaced by a list: it also tells what is new. */
const FRUITLESS_WATCHES_BEFORE_LIST = 5;

export class Reflector<T> {
  readonly #options: ReflectorOptions<T>;
  readonly #settings: ReflectorSettings;
  readonly #source: ObjectSource;
  readonly #status: StatusRecord;
  readonly #pause: RetryPause;
  readonly #known: KnownObjects<T>;
  readonly #strategy = new ListStrategy();
  /** Everything up to here has been handed over; undefined before the first list. */
  #resourceVersion: string | undefined;
  #fruitlessWatches = 0;
  #isRunning = false;

  constructor(options: ReflectorOptions<T>) {
    const settings = { ...DEFAULT_REFLECTOR_SETTINGS, ...options.settings };
    this.#options = options;
    this.#settings = settings;
    this.#source = textlessSource(options.client.contextName);
    this.#status = new StatusRecord(options.resource.name, settings.clock, options.onStatus);
    this.#pause = new RetryPause(new Backoff(settings.backoff, settings.clock, settings.random));
    this.#known = new KnownObjects((item, identity) => this.#decode(item, identity));
  }

  status(): ReflectorStatus {
    return this.#status.current();
  }

  /** Another reflector has the server again. */
  serverIsBack(): void {
    this.#pause.serverIsBack();
  }

  /** The deletion of everything that was told: the resource is not served any more. Not while it runs. */
  takeBack(): readonly ObjectChange<T>[] {
    this.#resourceVersion = undefined;
    return this.#known.clear();
  }

  /**
   * Resolves after the abort, when nothing is running any more. Rejects only with what onChanges, onStatus or a decoder
   * threw: failures of the API are in the status, and what failed is tried again for ever.
   */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#isRunning) throw new Error(`the reflector of ${this.#options.resource.name} is running already`);
    this.#isRunning = true;
    try {
      while (!signal.aborted) {
        await this.#pause.wait(signal);
        if (signal.aborted) return;
        const listed = await this.#list(signal);
        if (listed !== "failed") await this.#follow(listed.watch, signal);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** With the watch, where the list came as one. */
  async #list(signal: AbortSignal): Promise<"failed" | { readonly watch: WatchStream | undefined }> {
    const plan = this.#strategy.next(this.#resourceVersion);
    try {
      return {
        watch: plan.kind === "streaming" ? await this.#listByWatch(plan, signal) : await this.#listWhole(plan, signal),
      };
    } catch (error) {
      const failure = apiFailure(error, signal);
      if (failure === undefined) return "failed";
      // No failure of the server: it is asked otherwise at once.
      if (this.#strategy.failed(failure, plan) === "refused") return "failed";
      this.#failed(failure, 0);
      return "failed";
    }
  }

  async #listWhole(plan: ListPlan, signal: AbortSignal): Promise<undefined> {
    const { client, resource } = this.#options;
    const list = this.#known.beginList();
    const resourceVersion = await readList(client, resource, plan.query, this.#settings.listTimeouts, list, signal);
    signal.throwIfAborted();
    this.#listed(plan, resourceVersion, list.commit());
  }

  async #listByWatch(plan: ListPlan, signal: AbortSignal): Promise<WatchStream> {
    const { initialEventsIdleMs, watchIdleMs } = this.#settings;
    const watch = await this.#open(plan.query, initialEventsIdleMs, signal);
    try {
      const list = this.#known.beginList();
      const end = await readInitialEvents(watch, this.#options.resource, list);
      signal.throwIfAborted();
      watch.timeouts.idleMs = watchIdleMs;
      this.#listed(plan, end.resourceVersion, list.commit());
      this.#status.watching();
      this.#apply(end.laterEvents);
      return watch;
    } catch (error) {
      watch.close();
      throw error;
    }
  }

  #listed(plan: ListPlan, resourceVersion: string, changes: readonly ObjectChange<T>[]): void {
    const isFirst = !this.#status.current().synced;
    this.#resourceVersion = resourceVersion;
    this.#strategy.succeeded(plan);
    this.#fruitlessWatches = 0;
    if (isFirst || changes.length > 0) this.#handOver(changes);
    this.#status.listed();
  }

  /** Watch after watch, until only a list helps. */
  async #follow(opened: WatchStream | undefined, signal: AbortSignal): Promise<void> {
    let watch = opened;
    let isDoubtful = false;
    do {
      let beganAtMs = this.#settings.clock();
      const livedMs = () => (watch === undefined ? 0 : this.#settings.clock() - beganAtMs);
      try {
        if (watch === undefined) {
          await this.#pause.wait(signal);
          if (signal.aborted) return;
          watch = await this.#resume(isDoubtful, signal);
          beganAtMs = this.#settings.clock();
        }
        // The owner may have stopped us while it took over the first list.
        signal.throwIfAborted();
        this.#pause.answered();
        isDoubtful = false;
        isDoubtful = (await this.#consume(watch, signal)) === "quiet";
        this.#pause.closed(livedMs());
        if (this.#pause.remainingMs > 0) this.#fruitlessWatches++;
      } catch (error) {
        const failure = apiFailure(error, signal);
        if (failure === undefined) return;
        isDoubtful = true;
        this.#failed(failure, livedMs());
        if (!isWithoutConnection(failure)) this.#fruitlessWatches++;
        if (isGone(failure) || isVersionTooLarge(failure) || isNotFound(failure)) {
          this.#strategy.failed(failure);
          return;
        }
      } finally {
        watch?.close();
        watch = undefined;
      }
    } while (!signal.aborted && this.#fruitlessWatches < FRUITLESS_WATCHES_BEFORE_LIST);
  }

  /**
   * A watch from a version that lies in the server's future (a restored etcd) brings nothing until the server gets there,
   * and nothing of what happens before. Servers go down for that, so after every failure, and after a quiet watch, the server is
   * asked whether it has our version.
   */
  async #resume(isDoubtful: boolean, signal: AbortSignal): Promise<WatchStream> {
    const { client, resource } = this.#options;
    const resourceVersion = this.#resourceVersion ?? "";
    if (isDoubtful) await confirmVersion(client, resource, resourceVersion, this.#settings.listTimeouts, signal);
    const watch = await this.#open({ resourceVersion }, this.#settings.watchIdleMs, signal);
    this.#status.watching();
    return watch;
  }

  #open(query: ListPlan["query"], idleMs: number, signal: AbortSignal): Promise<WatchStream> {
    const { client, resource } = this.#options;
    const [shortest, longest] = this.#settings.watchSeconds;
    const timeoutSeconds = Math.round(shortest + this.#settings.random() * (longest - shortest));
    const whole = { ...query, allowWatchBookmarks: "true", timeoutSeconds };
    return WatchStream.open(client, resource, whole, { headersMs: this.#settings.watchHeadersMs, idleMs }, signal);
  }

  /** Resolves when the server has ended the watch, or when nothing has come for so long that it is better begun anew. */
  async #consume(watch: WatchStream, signal: AbortSignal): Promise<"closed" | "quiet"> {
    for (;;) {
      const events = await watch.next().catch(quietOrFailure);
      signal.throwIfAborted();
      if (events === undefined) return "closed";
      if (events === "quiet") return "quiet";
      this.#apply(events);
    }
  }

  #apply(events: readonly ObjectEvent[]): void {
    if (events.length === 0) return;
    const changes: ObjectChange<T>[] = [];
    for (const event of events) {
      if (event.type === "BOOKMARK") {
        this.#advance(event.resourceVersion);
        continue;
      }
      const { identity, object } = event;
      // A watch is in the order of versions: what is older than its place comes late, and was told or overtaken before.
      if (isOlderVersion(identity.resourceVersion, this.#resourceVersion ?? "")) continue;
      changes.push(...(event.type === "DELETED" ? this.#known.delete(identity) : this.#known.put(object, identity)));
      this.#advance(identity.resourceVersion);
    }
    this.#fruitlessWatches = 0;
    this.#status.heard();
    if (changes.length > 0) this.#handOver(changes);
  }

  #advance(resourceVersion: string): void {
    if (this.#resourceVersion === undefined || !isOlderVersion(resourceVersion, this.#resourceVersion)) {
      this.#resourceVersion = resourceVersion;
    }
  }

  #failed(failure: ApiError, livedMs: number): void {
    this.#pause.failed(failure, livedMs);
    this.#status.failed(failure);
  }

  #decode(item: unknown, identity: ObjectIdentity): ObjectChange<T> {
    const { object, diagnostics } = this.#options.resource.decode(item, this.#source, identity.key);
    return { key: identity.key, object, uid: identity.uid, diagnostics };
  }

  #handOver(changes: readonly ObjectChange<T>[]): void {
    try {
      this.#options.onChanges(changes);
    } catch (error) {
      // Whatever it is, it must not be taken for a failure of the API, which would be tried again.
      throw new Error(`changes of ${this.#options.resource.name} could not be taken over`, { cause: error });
    }
  }
}

function quietOrFailure(error: unknown): "quiet" {
  if (isIdle(error)) return "quiet";
  throw error;
}

/** undefined after an abort. Anything but a failure of the API is a bug, and goes on up. */
function apiFailure(error: unknown, signal: AbortSignal): ApiError | undefined {
  if (signal.aborted && (error === signal.reason || error instanceof ApiError)) return undefined;
  if (error instanceof ApiError) return error;
  throw error;
}
