// The kinds of policies that a cluster need not have: their CRDs come and go. Owns that each is read while it is installed, that
// its policies go with it, and who is told which kinds are there; whether one is there, is discovery's to find out.
//
//   discovery ─┬─ installed ──────> reflector ─> changes
//      ^       └─ not any more ───> the reflector ends, its policies are taken back
//      └── 404 ──────────────────── reflector

import { type DiscoveryStatus, type DiscoveryTimes, ResourceDiscovery } from "../kube/discovery.ts";
import { CLUSTER_NETWORK_POLICIES, TIER_POLICIES, type TierResource } from "../kube/resources.ts";
import { policyKey } from "../model/policy.ts";
import type { ClusterEvent } from "../state/change.ts";
import type { SourceStatus } from "./cluster-change.ts";
import {
  notBegun,
  type ReflectedResource,
  type ReflectedResourceOptions,
  type ResourceOwner,
  reflectedResource,
} from "./reflected-resource.ts";

export interface PolicyKindsOptions extends ReflectedResourceOptions {
  readonly discoveryTimes?: Partial<DiscoveryTimes>;
}

/** What the kinds tell. */
export interface PolicyKindsOwner {
  ownerOf(resource: ReflectedResource): ResourceOwner;
  /** From now on it is read. */
  installed(resource: ReflectedResource): void;
  /** The cluster does not have it, and nothing of it is known any more. Repeated. */
  notInstalled(resource: ReflectedResource): void;
}

type Kind = TierResource & { readonly reflected: ReflectedResource };

export class PolicyKinds {
  readonly #options: PolicyKindsOptions;
  readonly #kinds: readonly Kind[];
  readonly #discovery: ResourceDiscovery<Kind>;
  readonly #installed = new Set<Kind>();
  /** Those that are read, to the end of their reflectors. */
  readonly #running = new Map<Kind, AbortController>();
  #start: (kind: Kind) => void = () => {};
  #looked: (status: DiscoveryStatus) => void = () => {};
  #lastFailure: string | undefined;
  #unread: readonly string[] = [];
  #isTold = false;

  constructor(options: PolicyKindsOptions) {
    const { client, settings, discoveryTimes } = options;
    this.#options = options;
    this.#kinds = TIER_POLICIES.map((resource) => ({ ...resource, reflected: reflectedKind(options, resource) }));
    this.#discovery = new ResourceDiscovery<Kind>({
      client,
      group: CLUSTER_NETWORK_POLICIES.group,
      resources: this.#kinds,
      onChange: (kind, served) => this.#changed(kind, served),
      onLook: (status) => this.#looked(status),
      times: discoveryTimes,
      settings,
    });
  }

  get resources(): readonly ReflectedResource[] {
    return this.#kinds.map(({ reflected }) => reflected);
  }

  /** Resolves after the abort. Rejects only for bugs. */
  async run(owner: PolicyKindsOwner, signal: AbortSignal): Promise<void> {
    const failed = new AbortController();
    const life = AbortSignal.any([signal, failed.signal]);
    const tasks: Promise<void>[] = [];
    this.#start = (kind) => {
      const task = this.#read(kind, owner, life);
      task.catch((error) => failed.abort(error));
      tasks.push(task);
    };
    this.#looked = (status) => {
      this.#tell(status);
      for (const kind of this.#kinds) {
        if (status.answered.includes(kind.name) && !this.#running.has(kind)) owner.notInstalled(kind.reflected);
      }
    };
    await this.#discovery.run(life);
    await Promise.all(tasks);
  }

  serverIsBack(): void {
    this.#discovery.serverIsBack();
  }

  /** One for each kind, installed or not. */
  status(): readonly SourceStatus[] {
    const { answered, failures, lastFailure } = this.#discovery.status();
    return this.#kinds.map((kind) => {
      if (this.#running.has(kind)) return kind.reflected.status();
      const installed = answered.includes(kind.name) ? false : undefined;
      const question = installed === false ? "whether it has been installed since" : "whether it is installed";
      const doubt = lastFailure === undefined ? undefined : `${question} is not known: ${lastFailure}`;
      return { ...notBegun(kind.name, installed), synced: installed === false, failures, lastFailure: doubt };
    });
  }

  /** kubectl's names of kinds of the same group that the cluster has and we do not read, or not in the versions that it has. */
  unenforced(): readonly string[] {
    return this.#discovery.status().unread;
  }

  async #read(kind: Kind, owner: PolicyKindsOwner, signal: AbortSignal): Promise<void> {
    const { reflected } = kind;
    const own = new AbortController();
    this.#running.set(kind, own);
    owner.installed(reflected);
    const resourceOwner = owner.ownerOf(reflected);
    const notFound = () => this.#discovery.lookSoon();
    await reflected.run({ ...resourceOwner, notFound }, AbortSignal.any([signal, own.signal]));
    if (signal.aborted) return;
    const removals = reflected.takeBack();
    const fields = { resource: kind.name, policies: removals.length };
    this.#options.log.warn(fields, "not installed in this cluster any more: its policies are gone");
    if (removals.length > 0) resourceOwner.changed(removals);
    // Nobody waits for it any more.
    resourceOwner.back();
    this.#running.delete(kind);
    if (this.#installed.has(kind)) this.#start(kind);
    else owner.notInstalled(reflected);
  }

  #changed(kind: Kind, served: boolean): void {
    if (!served) {
      this.#installed.delete(kind);
      this.#running.get(kind)?.abort();
      return;
    }
    this.#installed.add(kind);
    if (this.#isTold)
      this.#options.log.info({ resource: kind.name }, "installed in this cluster: its policies are read");
    if (!this.#running.has(kind)) this.#start(kind);
  }

  /** What is there at the start is one line; then what changes. */
  #tell({ served, answered, unread, lastFailure, lastHint }: DiscoveryStatus): void {
    const { log } = this.#options;
    if (!this.#isTold && answered.length === this.#kinds.length) {
      this.#isTold = true;
      log.info({ installed: served }, "it is known which kinds of cluster-wide policies are installed");
    }
    for (const resource of unread.filter((each) => !this.#unread.includes(each)))
      log.warn({ resource }, "installed in this cluster, but its policies are not enforced");
    for (const resource of this.#unread.filter((each) => !unread.includes(each)))
      log.info({ resource }, "not installed in this cluster any more");
    this.#unread = unread;
    if (lastFailure === this.#lastFailure) return;
    this.#lastFailure = lastFailure;
    if (lastFailure === undefined) log.info({}, "the API server tells again which kinds of policies are installed");
    else
      log.warn(
        { failure: lastFailure, hint: lastHint },
        "the API server does not tell which kinds of policies are installed",
      );
  }
}

function reflectedKind(options: PolicyKindsOptions, resource: TierResource): ReflectedResource {
  return reflectedResource(options, resource, (name, policy): ClusterEvent => {
    // One that is gone, or that nothing can be made of, is not there to say its key.
    return { kind: "policy", key: policy?.key ?? policyKey(resource.kind, undefined, name), policy };
  });
}
