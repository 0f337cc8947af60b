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
import type { ClusterSink, ClusterSource, SourceStatus } from "./cluster-change.ts";
import type { Log } from "./log.ts";
import { UnenforcedKinds } from "./unenforced-kinds.ts";

export interface KubernetesSourceOptions {
  readonly client: ReflectorClient;
  readonly log: Log;
  readonly settings?: Partial<ReflectorSettings>;
}

interface ReflectedResource {
  readonly name: string;
  run(sink: Pick<ClusterSink, "changed">, onListed: () => void, signal: AbortSignal): Promise<void>;
  status(): ReflectorStatus | undefined;
}

export class KubernetesSource implements ClusterSource {
  readonly #resources: readonly ReflectedResource[];
  readonly #unenforced: UnenforcedKinds;

  constructor(options: KubernetesSourceOptions) {
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
    const unsynced = new Set(this.#resources);
    const tasks = this.#resources.map((resource) => {
      const onListed = () => {
        if (unsynced.delete(resource) && unsynced.size === 0) sink.synced();
      };
      return resource.run(sink, onListed, signal);
    });
    await Promise.all([...tasks, this.#unenforced.run(signal)]);
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
    async run(sink, onListed, signal) {
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
          if (changes.length > 0) sink.changed(changes);
          onListed();
        },
        onStatus(status) {
          if (status.lastFailure === lastFailure) return;
          lastFailure = status.lastFailure;
          const fields = { resource: resource.name, failures: status.failures, synced: status.synced };
          if (lastFailure === undefined) log.info(fields, "watching again");
          else
            log.warn(
              { ...fields, failure: lastFailure, hint: status.lastHint },
              "the API server cannot be watched: rules stay as they are",
            );
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
