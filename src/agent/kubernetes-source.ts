// The cluster from the API server: one reflector for each resource, their batches as changes of the cluster's state.
// Owns which resources are read and when all of them have been; reading is kube's.

import type { ObjectChange } from "../kube/object-change.ts";
import { Reflector } from "../kube/reflector.ts";
import type { ReflectorSettings } from "../kube/reflector-settings.ts";
import type { ReflectorStatus } from "../kube/reflector-status.ts";
import { type DecodedResource, NAMESPACES, NETWORK_POLICIES, NODES } from "../kube/resources.ts";
import { podsWithSharedParts } from "../kube/shared-pod-parts.ts";
import type { ReflectorClient } from "../kube/watch-stream.ts";
import type { PodKey } from "../model/cluster.ts";
import { type PolicyKey, policyKey } from "../model/policy.ts";
import type { ClusterEvent } from "../state/change.ts";
import type { Clock } from "./clock.ts";
import type { ClusterChange, ClusterSink, ClusterSource, SourceStatus } from "./cluster-change.ts";
import type { Log } from "./log.ts";
import { OutageHold } from "./outage-hold.ts";
import { UnenforcedKinds } from "./unenforced-kinds.ts";

export interface KubernetesSourceOptions {
  readonly client: ReflectorClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings?: Partial<ReflectorSettings>;
}

/** What a resource tells. */
interface ResourceOwner {
  changed(changes: readonly ClusterChange[]): void;
  /** After every list, its changes told. */
  listed(): void;
  /** It cannot be watched. */
  lost(): void;
  /** It is watched again. */
  back(): void;
}

interface ReflectedResource {
  readonly name: string;
  run(owner: ResourceOwner, signal: AbortSignal): Promise<void>;
  status(): ReflectorStatus | undefined;
  serverIsBack(): void;
}

export class KubernetesSource implements ClusterSource {
  readonly #resources: readonly ReflectedResource[];
  readonly #unenforced: UnenforcedKinds;
  readonly #clock: Clock;

  constructor(options: KubernetesSourceOptions) {
    this.#clock = options.clock;
    this.#unenforced = new UnenforcedKinds(options.client, options.log);
    this.#resources = [
      reflected(options, NAMESPACES, (name, namespace): ClusterEvent => ({ kind: "namespace", name, namespace })),
      reflected(options, NODES, (name, node): ClusterEvent => ({ kind: "node", name, node })),
      reflected(options, NETWORK_POLICIES, (key, policy): ClusterEvent => {
        return { kind: "policy", key: policy?.key ?? networkPolicyKey(key), policy };
      }),
      reflected(options, podsWithSharedParts(), (key, pod): ClusterEvent => ({ kind: "pod", key: key as PodKey, pod })),
    ];
  }

  async run(sink: ClusterSink, signal: AbortSignal): Promise<void> {
    const pass = (changes: readonly ClusterChange[]) => sink.changed(changes);
    const hold = new OutageHold({ clock: this.#clock, pass });
    const unsynced = new Set(this.#resources);
    const isWhole = () => unsynced.size === 0;
    const tasks = this.#resources.map((resource) =>
      resource.run(
        {
          // Before everything is known nothing is in force that could be half old and half new.
          changed: (changes) => (isWhole() ? hold.changed(resource.name, changes) : pass(changes)),
          listed: () => {
            if (unsynced.delete(resource) && isWhole()) sink.synced();
          },
          lost: () => {
            if (isWhole()) hold.lost(resource.name);
          },
          back: () => {
            hold.back(resource.name);
            for (const other of this.#resources) if (other !== resource) other.serverIsBack();
          },
        },
        signal,
      ),
    );
    try {
      await Promise.all([...tasks, this.#unenforced.run(signal)]);
    } finally {
      hold.close();
    }
  }

  unenforcedKinds(): readonly string[] {
    return this.#unenforced.served();
  }

  status(): readonly SourceStatus[] {
    return this.#resources.map((resource) => resource.status() ?? notBegun(resource.name));
  }
}

function reflected<T>(
  { client, log, settings }: KubernetesSourceOptions,
  resource: DecodedResource<T>,
  toEvent: (key: string, object: T | undefined) => ClusterEvent,
): ReflectedResource {
  let reflector: Reflector<T> | undefined;
  return {
    name: resource.name,
    status: () => reflector?.status(),
    serverIsBack: () => reflector?.serverIsBack(),
    async run(owner, signal) {
      let lastFailure: string | undefined;
      reflector = new Reflector<T>({
        resource,
        client,
        settings,
        onChanges(batch: readonly ObjectChange<T>[]) {
          const changes = batch.map(({ key, object, uid, diagnostics }) => ({
            event: toEvent(key, object),
            diagnostics,
            uid,
          }));
          if (changes.length > 0) owner.changed(changes);
          owner.listed();
        },
        onStatus(status) {
          if (status.lastFailure === lastFailure) return;
          lastFailure = status.lastFailure;
          const fields = { resource: resource.name, failures: status.failures, synced: status.synced };
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

/** Of a policy that is gone: its object is not there to say it. */
function networkPolicyKey(key: string): PolicyKey {
  const slash = key.indexOf("/");
  return policyKey("NetworkPolicy", key.slice(0, slash), key.slice(slash + 1));
}

function notBegun(resource: string): SourceStatus {
  return {
    resource,
    synced: false,
    lastEventAgeSeconds: undefined,
    relists: 0,
    watches: 0,
    failures: 0,
    lastFailure: undefined,
  };
}
