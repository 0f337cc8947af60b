// A reflector beside a fake API server for one test: short times, a mirror of what it tells, and a clean end.

import { onTestFinished } from "vitest";
import { connectApiClient, type StreamingApiClient } from "../../src/kube/api-client.ts";
import type { ObjectChange } from "../../src/kube/object-change.ts";
import { Reflector } from "../../src/kube/reflector.ts";
import type { ReflectorSettings } from "../../src/kube/reflector-settings.ts";
import type { ReflectorStatus } from "../../src/kube/reflector-status.ts";
import { type DecodedResource, PODS } from "../../src/kube/resources.ts";
import type { PulseTimeouts } from "../../src/kube/server-pulse.ts";
import type { Pod } from "../../src/model/cluster.ts";
import { eventually } from "./eventually.ts";
import type { FakeApiServer } from "./fake-api-server.ts";
import { type ConfigEntry, clusterOf, writeKubeconfig } from "./kubeconfig-files.ts";
import { Mirror } from "./mirror.ts";

export const SHORT_TIMES: Partial<ReflectorSettings> = {
  backoff: { minMs: 20, maxMs: 200, maxAfterCloseMs: 100, healthyMs: 500, maxRetryAfterMs: 5_000 },
  listTimeouts: { headersMs: 3_000, idleMs: 1_000 },
  watchHeadersMs: 3_000,
  watchIdleMs: 20_000,
  initialEventsIdleMs: 500,
};

export const SHORT_PULSE: PulseTimeouts = { quietMs: 5_000, answerMs: 1_000 };

export interface Reflection<T> {
  readonly reflector: Reflector<T>;
  readonly mirror: Mirror<T>;
  readonly statuses: readonly ReflectorStatus[];
  /** Settles when the reflector has stopped. */
  readonly ended: Promise<void>;
  stop(): void;
  synced(): Promise<void>;
  /** Until the mirror has exactly these keys. */
  shows(...keys: readonly string[]): Promise<void>;
}

export interface ConnectOptions {
  readonly pulse?: PulseTimeouts;
  readonly cluster?: ConfigEntry;
  readonly user?: ConfigEntry;
}

export interface ReflectOptions<T> extends ConnectOptions {
  readonly resource?: DecodedResource<T>;
  readonly settings?: Partial<ReflectorSettings>;
  readonly client?: StreamingApiClient;
  /** Before the mirror takes the batch. */
  readonly onChanges?: (batch: readonly ObjectChange<T>[]) => void;
  /** The test is about its end. */
  readonly mayFail?: boolean;
}

export async function connectTo(server: FakeApiServer, options: ConnectOptions = {}): Promise<StreamingApiClient> {
  const { cluster = clusterOf(server), user, pulse } = options;
  return connectWith(writeKubeconfig({ cluster, user }), pulse);
}

/** Closed at the test's end. */
export async function connectWith(kubeconfig: string, pulse = SHORT_PULSE): Promise<StreamingApiClient> {
  const client = await connectApiClient({ kubeconfig, pulse });
  onTestFinished(() => client.close());
  return client;
}

/** Starts at once. At the test's end it is stopped, and must not have failed. */
export async function reflectPods(server: FakeApiServer, options: ReflectOptions<Pod> = {}): Promise<Reflection<Pod>> {
  const client = options.client ?? (await connectTo(server, options));
  return reflect(client, { ...options, resource: options.resource ?? PODS });
}

export function reflect<T>(
  client: StreamingApiClient,
  options: ReflectOptions<T> & { readonly resource: DecodedResource<T> },
): Reflection<T> {
  const mirror = new Mirror<T>();
  const statuses: ReflectorStatus[] = [];
  const reflector = new Reflector({
    resource: options.resource,
    client,
    onChanges: (batch) => {
      options.onChanges?.(batch);
      mirror.take(batch);
    },
    onStatus: (status) => void statuses.push(status),
    settings: { ...SHORT_TIMES, ...options.settings },
  });
  const controller = new AbortController();
  const ended = reflector.run(controller.signal);
  const stop = () => controller.abort(new Error("the test has ended"));
  let failure: unknown;
  ended.catch((error: unknown) => {
    failure = error;
  });
  onTestFinished(async () => {
    stop();
    if (options.mayFail !== true) await ended;
  });
  const until = (what: string, condition: () => boolean) =>
    eventually(what, () => {
      if (failure !== undefined) throw failure;
      return condition();
    });
  const synced = () => until("the first list", () => reflector.status().synced);
  const shows = (...keys: readonly string[]) => {
    const wanted = [...keys].sort().join(" ");
    return until(`the mirror shows ${wanted}`, () => mirror.keys.join(" ") === wanted);
  };
  return { reflector, mirror, statuses, ended, stop, synced, shows };
}
