// The cluster from the API server: one reflector for each resource, their batches as changes of the cluster's state.
// Owns which resources are read and when all of them have been; reading is kube's.

import type { DiscoveryTimes } from "../kube/discovery.ts";
import type { ReflectorSettings } from "../kube/reflector-settings.ts";
import { NAMESPACES, NETWORK_POLICIES, NODES } from "../kube/resources.ts";
import { podsWithSharedParts } from "../kube/shared-pod-parts.ts";
import type { ReflectorClient } from "../kube/watch-stream.ts";
import type { PodKey } from "../model/cluster.ts";
import { type PolicyKey, policyKey } from "../model/policy.ts";
import type { ClusterEvent } from "../state/change.ts";
import type { Clock } from "./clock.ts";
import type { ClusterChange, ClusterSink, ClusterSource, SourceStatus } from "./cluster-change.ts";
import type { Log } from "./log.ts";
import { OutageHold } from "./outage-hold.ts";
import { PolicyKinds } from "./policy-kinds.ts";
import { type ReflectedResource, type ResourceOwner, reflectedResource } from "./reflected-resource.ts";

export interface KubernetesSourceOptions {
  readonly client: ReflectorClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings?: Partial<ReflectorSettings>;
  readonly discoveryTimes?: Partial<DiscoveryTimes>;
}

export class KubernetesSource implements ClusterSource {
  /** Of every cluster. */
  readonly #resources: readonly ReflectedResource[];
  readonly #kinds: PolicyKinds;
  readonly #clock: Clock;

  constructor(options: KubernetesSourceOptions) {
    this.#clock = options.clock;
    this.#kinds = new PolicyKinds(options);
    this.#resources = [
      reflectedResource(
        options,
        NAMESPACES,
        (name, namespace): ClusterEvent => ({ kind: "namespace", name, namespace }),
      ),
      reflectedResource(options, NODES, (name, node): ClusterEvent => ({ kind: "node", name, node })),
      reflectedResource(options, NETWORK_POLICIES, (key, policy): ClusterEvent => {
        return { kind: "policy", key: policy?.key ?? networkPolicyKey(key), policy };
      }),
      reflectedResource(options, podsWithSharedParts(), (key, pod): ClusterEvent => {
        return { kind: "pod", key: key as PodKey, pod };
      }),
    ];
  }

  async run(sink: ClusterSink, signal: AbortSignal): Promise<void> {
    const pass = (changes: readonly ClusterChange[]) => sink.changed(changes);
    const hold = new OutageHold({ clock: this.#clock, pass });
    const everything = [...this.#resources, ...this.#kinds.resources];
    // A kind that may be missing is waited for, too: until it has been read or is known not to be there.
    const awaited = new Set(everything);
    let isWhole = false;
    const settle = (resource: ReflectedResource) => {
      awaited.delete(resource);
      if (isWhole || awaited.size > 0) return;
      isWhole = true;
      sink.synced();
    };
    const ownerOf = (resource: ReflectedResource): ResourceOwner => ({
      // Before everything is known nothing is in force that could be half old and half new.
      changed: (changes) => (isWhole ? hold.changed(resource.name, changes) : pass(changes)),
      listed: () => settle(resource),
      lost: () => {
        if (isWhole) hold.lost(resource.name);
      },
      back: () => {
        hold.back(resource.name);
        for (const other of everything) if (other !== resource) other.serverIsBack();
        this.#kinds.serverIsBack();
      },
    });
    const kindsOwner = {
      ownerOf,
      installed: (kind: ReflectedResource) => void awaited.add(kind),
      notInstalled: settle,
    };
    try {
      await Promise.all([
        ...this.#resources.map((resource) => resource.run(ownerOf(resource), signal)),
        this.#kinds.run(kindsOwner, signal),
      ]);
    } finally {
      hold.close();
    }
  }

  unenforcedKinds(): readonly string[] {
    return this.#kinds.unenforced();
  }

  status(): readonly SourceStatus[] {
    return [...this.#resources.map((resource) => resource.status()), ...this.#kinds.status()];
  }
}

/** Of a policy that is gone: its object is not there to say it. */
function networkPolicyKey(key: string): PolicyKey {
  const slash = key.indexOf("/");
  return policyKey("NetworkPolicy", key.slice(0, slash), key.slice(slash + 1));
}
