// Policy APIs that a cluster may have and this version does not enforce: noticed when their CRDs appear or go, so that nobody
// believes in rules that are not there.

import { ResourceDiscovery } from "../kube/discovery.ts";
import type { DiscoverableResource } from "../kube/resources.ts";
import type { ReflectorClient } from "../kube/watch-stream.ts";
import type { Log } from "./log.ts";

const GROUP = "policy.networking.k8s.io";

function resource(plural: string, version: string): DiscoverableResource {
  return { name: `${plural}.${GROUP}`, group: GROUP, version, path: `/apis/${GROUP}/${version}/${plural}` };
}

const UNENFORCED: readonly DiscoverableResource[] = [
  resource("clusternetworkpolicies", "v1alpha2"),
  resource("adminnetworkpolicies", "v1alpha1"),
  resource("baselineadminnetworkpolicies", "v1alpha1"),
];

export class UnenforcedKinds {
  readonly #discovery: ResourceDiscovery<DiscoverableResource>;

  constructor(client: ReflectorClient, log: Log) {
    this.#discovery = new ResourceDiscovery({
      client,
      resources: UNENFORCED,
      onChange: ({ name }, served) => {
        if (served) log.warn({ resource: name }, "installed in this cluster, but its policies are not enforced");
        else log.info({ resource: name }, "not installed in this cluster any more");
      },
    });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#discovery.run(signal);
  }

  /** kubectl's names of those that the cluster serves. */
  served(): readonly string[] {
    return this.#discovery.status().served;
  }
}
