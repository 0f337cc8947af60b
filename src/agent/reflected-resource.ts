// One resource of the API server as changes of the cluster's state. Owns its reflector and what is logged about it; what its
// owner does with the changes, and with others' when it is lost, is not its business.

import type { ObjectChange } from "../kube/object-change.ts";
import { Reflector } from "../kube/reflector.ts";
import type { ReflectorSettings } from "../kube/reflector-settings.ts";
import type { DecodedResource } from "../kube/resources.ts";
import type { ReflectorClient } from "../kube/watch-stream.ts";
import type { ClusterEvent } from "../state/change.ts";
import type { ClusterChange, SourceStatus } from "./cluster-change.ts";
import type { Log } from "./log.ts";

/** What a resource tells. */
export interface ResourceOwner {
  changed(changes: readonly ClusterChange[]): void;
  /** After every list, its changes told. */
  listed(): void;
  /** It cannot be watched. */
  lost(): void;
  /** It is watched again. */
  back(): void;
  /** The server, or some proxy, says 404: perhaps it is not served any more. */
  notFound?(): void;
}

export interface ReflectedResource {
  /** kubectl's. */
  readonly name: string;
  /** Begins with a new list. Resolves after the abort. */
  run(owner: ResourceOwner, signal: AbortSignal): Promise<void>;
  /** The removal of everything that the last run told. Not while it runs. */
  takeBack(): readonly ClusterChange[];
  status(): SourceStatus;
  serverIsBack(): void;
}

export interface ReflectedResourceOptions {
  readonly client: ReflectorClient;
  readonly log: Log;
  readonly settings?: Partial<ReflectorSettings>;
}

export function reflectedResource<T>(
  { client, log, settings }: ReflectedResourceOptions,
  resource: DecodedResource<T>,
  toEvent: (key: string, object: T | undefined) => ClusterEvent,
): ReflectedResource {
  let reflector: Reflector<T> | undefined;
  const toChange = ({ key, object, uid, diagnostics }: ObjectChange<T>): ClusterChange => {
    return { event: toEvent(key, object), diagnostics, uid };
  };
  return {
    name: resource.name,
    status: () => (reflector === undefined ? notBegun(resource.name) : { ...reflector.status(), installed: true }),
    serverIsBack: () => reflector?.serverIsBack(),
    takeBack: () => reflector?.takeBack().map(toChange) ?? [],
    async run(owner, signal) {
      let lastFailure: string | undefined;
      let failures = 0;
      reflector = new Reflector<T>({
        resource,
        client,
        settings,
        onChanges(batch) {
          if (batch.length > 0) owner.changed(batch.map(toChange));
          owner.listed();
        },
        onStatus(status) {
          const hasFailed = status.failures > failures;
          failures = status.failures;
          if (hasFailed && status.notFound) owner.notFound?.();
          if (status.lastFailure === lastFailure) return;
          lastFailure = status.lastFailure;
          const fields = { resource: resource.name, failures, synced: status.synced };
          if (lastFailure === undefined) {
            log.info(fields, "watching again");
            owner.back();
            return;
          }
          log.warn(
            { ...fields, failure: lastFailure, hint: status.lastHint },
            "the API server cannot be watched: rules stay as they are",
          );
          owner.lost();
        },
      });
      await reflector.run(signal);
    },
  };
}

/** Of what has not been asked for; `installed`: as far as it is known. */
export function notBegun(resource: string, installed?: boolean): SourceStatus {
  return {
    resource,
    installed,
    synced: false,
    lastEventAgeSeconds: undefined,
    relists: 0,
    watches: 0,
    failures: 0,
    lastFailure: undefined,
  };
}
