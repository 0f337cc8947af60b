// Which resources of an API group the API server serves, asked again and again: CRDs come and go.
// Owns when it asks and what it takes to believe that a resource has gone; what is done about it is its owner's business.
//
//   look ─> served, or never seen: told at once; the next look follows soon after a change, else after a minute
//     └──> missing: told when the next look agrees and the list itself is refused, too

import { ApiError } from "./api-error.ts";
import { type GroupContents, lookAtGroup, pluralOf, unreadKinds } from "./api-group.ts";
import { Backoff } from "./backoff.ts";
import { type DocumentOptions, readDocument } from "./documents.ts";
import { waitMs } from "./monotonic-clock.ts";
import { DEFAULT_REFLECTOR_SETTINGS, type ReflectorSettings } from "./reflector-settings.ts";
import type { DiscoverableResource } from "./resources.ts";
import { RetryPause } from "./retry-pause.ts";
import type { ReflectorClient } from "./watch-stream.ts";

export interface DiscoveryTimes {
  /** Between two looks at a group that does not change, give or take a tenth. */
  readonly intervalMs: number;
  /** After a change: CRDs come and go together. Also between the two looks that a removal takes. */
  readonly soonMs: number;
}

export const DEFAULT_DISCOVERY_TIMES: DiscoveryTimes = { intervalMs: 60_000, soonMs: 10_000 };

export interface DiscoveryOptions<R extends DiscoverableResource> {
  readonly client: ReflectorClient;
  readonly group: string;
  /** All of that group. */
  readonly resources: readonly R[];
  /** At every change of what is known; at first nothing is taken to be served. What it throws ends the discovery. */
  onChange(resource: R, served: boolean): void;
  /** After every look, the changes told. */
  onLook?(status: DiscoveryStatus): void;
  readonly times?: Partial<DiscoveryTimes> | undefined;
  readonly settings?: Partial<ReflectorSettings> | undefined;
}

export interface DiscoveryStatus {
  /** kubectl's names, in the order of the options. */
  readonly served: readonly string[];
  /** Those about which there has been an answer; the others may be there or not. */
  readonly answered: readonly string[];
  /** What the group has besides the resources, when it was last known as a whole. */
  readonly unread: readonly string[];
  /** Looks that failed. */
  readonly failures: number;
  /** Of the last look; undefined when it has told everything. */
  readonly lastFailure: string | undefined;
  readonly lastHint: string | undefined;
}

export class ResourceDiscovery<R extends DiscoverableResource> {
  readonly #options: DiscoveryOptions<R>;
  readonly #times: DiscoveryTimes;
  readonly #settings: ReflectorSettings;
  readonly #pause: RetryPause;
  readonly #answered = new Set<R>();
  readonly #served = new Set<R>();
  /** Served, but not seen any more since then. */
  readonly #missingSinceMs = new Map<R, number>();
  #unread: readonly string[] = [];
  #groupIsAbsent = false;
  #failures = 0;
  #failure: ApiError | undefined;
  /** Of the last look that did not fail. */
  #wellSinceMs: number | undefined;
  #rest: AbortController | undefined;
  #isAskedToLook = false;

  constructor(options: DiscoveryOptions<R>) {
    const settings = { ...DEFAULT_REFLECTOR_SETTINGS, ...options.settings };
    this.#options = options;
    this.#times = { ...DEFAULT_DISCOVERY_TIMES, ...options.times };
    this.#settings = settings;
    this.#pause = new RetryPause(new Backoff(settings.backoff, settings.clock, settings.random));
  }

  status(): DiscoveryStatus {
    const { resources } = this.#options;
    const namesIn = (some: ReadonlySet<R>) => resources.filter((each) => some.has(each)).map(({ name }) => name);
    return {
      served: namesIn(this.#served),
      answered: namesIn(this.#answered),
      unread: this.#unread,
      failures: this.#failures,
      lastFailure: this.#failure?.message,
      lastHint: this.#failure?.hint,
    };
  }

  /** There is reason to believe that something has changed. The two looks that a removal takes stay as far apart as they are. */
  lookSoon(): void {
    if (this.#missingSinceMs.size > 0) return;
    this.#isAskedToLook = true;
    this.#rest?.abort();
  }

  /** Somebody else has the server again. */
  serverIsBack(): void {
    this.#pause.serverIsBack();
  }

  /** Resolves after the abort. Rejects only with what the callbacks threw: a failure keeps what was known, and is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#pause.wait(signal);
      if (signal.aborted) return;
      this.#isAskedToLook = false;
      const hasChanged = await this.#look(signal);
      if (signal.aborted) return;
      this.#options.onLook?.(this.status());
      if (this.#failure === undefined) await this.#restFor(hasChanged, signal);
    }
  }

  async #restFor(hasChanged: boolean, signal: AbortSignal): Promise<void> {
    const { intervalMs, soonMs } = this.#times;
    const isSoon = hasChanged || this.#missingSinceMs.size > 0;
    const restMs = isSoon ? soonMs : intervalMs * (0.9 + 0.2 * this.#settings.random());
    this.#rest = new AbortController();
    if (!this.#isAskedToLook) await waitMs(restMs, AbortSignal.any([signal, this.#rest.signal]));
    this.#rest = undefined;
  }

  /** Whether something has changed. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const { client, group } = this.#options;
    const document: DocumentOptions = { signal, timeouts: this.#settings.listTimeouts };
    try {
      const contents = await lookAtGroup(client, group, { ...document, wasAbsent: this.#groupIsAbsent });
      const hasChanged = await this.#take(contents, document);
      this.#ended(this.#firstFailure(contents));
      return hasChanged;
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof ApiError)) throw error;
      this.#ended(error);
      return false;
    }
  }

  async #take(contents: GroupContents, document: DocumentOptions): Promise<boolean> {
    const { group, resources } = this.#options;
    let hasChanged = false;
    for (const resource of resources) {
      const names = contents.get(resource.version);
      if (names instanceof ApiError) continue;
      const isThere = names?.has(pluralOf(resource)) ?? false;
      if (await this.#note(resource, isThere, document)) hasChanged = true;
    }
    this.#groupIsAbsent = contents.size === 0;
    if (![...contents.values()].some((names) => names instanceof ApiError)) {
      this.#unread = unreadKinds(group, contents, resources);
    }
    return hasChanged;
  }

  async #note(resource: R, isThere: boolean, document: DocumentOptions): Promise<boolean> {
    const isFirstAnswer = !this.#answered.has(resource);
    if (isThere === this.#served.has(resource)) {
      this.#missingSinceMs.delete(resource);
      this.#answered.add(resource);
      return false;
    }
    if (!isThere && !(await this.#hasGone(resource, document))) return false;
    if (isThere) this.#served.add(resource);
    else this.#served.delete(resource);
    this.#answered.add(resource);
    this.#options.onChange(resource, isThere);
    return !isFirstAnswer;
  }

  /**
   * What is lost with a resource may have closed something, so one answer is not enough: a later look must agree, and the list itself
   * must be refused (403: who may not list is not told that there is nothing to list).
   */
  async #hasGone(resource: R, document: DocumentOptions): Promise<boolean> {
    const nowMs = this.#settings.clock();
    const sinceMs = this.#missingSinceMs.get(resource) ?? nowMs;
    this.#missingSinceMs.set(resource, sinceMs);
    // Half: a look after a failure comes sooner, and timers are not exact.
    if (nowMs - sinceMs < this.#times.soonMs / 2) return false;
    const { status } = await readDocument(this.#options.client, resource.path, { ...document, query: { limit: 1 } });
    if (status !== 404 && status !== 403) return false;
    this.#missingSinceMs.delete(resource);
    return true;
  }

  /** Versions that none of the resources has may be somebody's server that is down. */
  #firstFailure(contents: GroupContents): ApiError | undefined {
    return this.#options.resources
      .map(({ version }) => contents.get(version))
      .find((names) => names instanceof ApiError);
  }

  #ended(failure: ApiError | undefined): void {
    const nowMs = this.#settings.clock();
    this.#failure = failure;
    if (failure === undefined) {
      this.#wellSinceMs = nowMs;
      this.#pause.answered();
      return;
    }
    this.#failures++;
    this.#pause.failed(failure, this.#wellSinceMs === undefined ? 0 : nowMs - this.#wellSinceMs);
    this.#wellSinceMs = undefined;
  }
}
