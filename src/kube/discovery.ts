// Which resources of other projects the API server serves, asked again and again: CRDs come and go.
// Owns what an answer means; what is done about a resource is its owner's business.

import { isMapping } from "../dialects/field-reader.ts";
import { ApiError } from "./api-error.ts";
import { readDocument } from "./documents.ts";
import { waitMs } from "./monotonic-clock.ts";
import type { DiscoverableResource } from "./resources.ts";
import { confirmsNotFound } from "./server-version.ts";
import type { ReflectorClient } from "./watch-stream.ts";

export interface DiscoveryOptions<R extends DiscoverableResource> {
  readonly client: ReflectorClient;
  readonly resources: readonly R[];
  /** At every change of what is known; at first nothing is taken to be served. What it throws ends the discovery. */
  onChange(resource: R, served: boolean): void;
  /** Between two rounds, give or take a tenth. Default: a minute. */
  readonly intervalMs?: number | undefined;
  /** As Math.random. */
  readonly random?: (() => number) | undefined;
}

export interface DiscoveryStatus {
  /** kubectl's names, in the order of the options. */
  readonly served: readonly string[];
  /** Every question has been answered at least once. */
  readonly complete: boolean;
  /** Of the last round; undefined when all answered. */
  readonly lastFailure: string | undefined;
}

export class ResourceDiscovery<R extends DiscoverableResource> {
  readonly #options: DiscoveryOptions<R>;
  readonly #served = new Set<R>();
  readonly #answered = new Set<R>();
  #lastFailure: string | undefined;

  constructor(options: DiscoveryOptions<R>) {
    this.#options = options;
  }

  status(): DiscoveryStatus {
    const { resources } = this.#options;
    return {
      served: resources.filter((resource) => this.#served.has(resource)).map((resource) => resource.name),
      complete: resources.every((resource) => this.#answered.has(resource)),
      lastFailure: this.#lastFailure,
    };
  }

  /** Resolves after the abort. Rejects only with what onChange threw; a failure keeps what was known. */
  async run(signal: AbortSignal): Promise<void> {
    const { intervalMs = 60_000, random = Math.random } = this.#options;
    while (!signal.aborted) {
      await this.#round(signal);
      await waitMs(intervalMs * (0.9 + 0.2 * random()), signal);
    }
  }

  /** One request for each group and version. */
  async #round(signal: AbortSignal): Promise<void> {
    this.#lastFailure = undefined;
    const byPath = Map.groupBy(this.#options.resources, groupVersionPath);
    for (const [path, resources] of byPath) {
      const names = await this.#namesAt(path, signal);
      if (signal.aborted) return;
      if (names === undefined) continue;
      for (const resource of resources) {
        this.#answered.add(resource);
        this.#note(resource, names.has(resource.path.slice(resource.path.lastIndexOf("/") + 1)));
      }
    }
  }

  #note(resource: R, served: boolean): void {
    if (this.#served.has(resource) === served) return;
    if (served) this.#served.add(resource);
    else this.#served.delete(resource);
    this.#options.onChange(resource, served);
  }

  /** undefined when it is not known now. */
  async #namesAt(path: string, signal: AbortSignal): Promise<ReadonlySet<string> | undefined> {
    const { client } = this.#options;
    try {
      const { status, value } = await readDocument(client, path, signal);
      const names = status === 200 ? resourceNames(value) : undefined;
      if (names !== undefined) return names;
      // Some proxy's 404 says nothing about the cluster.
      if (status === 404 && (await confirmsNotFound(client, path, signal))) return new Set();
      this.#lastFailure = `${path} was answered with ${status}, not with a list of resources`;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof ApiError)) throw error;
      this.#lastFailure = error.message;
    }
    return undefined;
  }
}

function groupVersionPath({ group, version }: DiscoverableResource): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

function resourceNames(value: unknown): ReadonlySet<string> | undefined {
  if (!isMapping(value) || value.kind !== "APIResourceList" || !Array.isArray(value.resources)) return undefined;
  return new Set(value.resources.map((resource: unknown) => (isMapping(resource) ? String(resource.name) : "")));
}
