// Names by which pods of a lab reach each other in a shell: the text of its /etc/hosts. Pure.

import type { Pod } from "../../model/cluster.ts";
import { workloadName } from "../endpoint.ts";

/** What a name in such a file may be. */
const NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i;

/**
 * `db-0.shop` and, of its workload, `db.shop` (all of its pods); in the own namespace also without it. Longer names first: programs show
 * the first of a line.
 */
export function hostsText(pods: readonly Pod[], own: Pod): string {
  const lines = pods.flatMap((pod) => {
    const names = [...new Set([pod.name, workloadName(pod)])];
    const known = [
      ...names.map((name) => `${name}.${pod.namespace}`),
      ...(pod.namespace === own.namespace ? names : []),
    ].filter((name) => NAME.test(name));
    return known.length === 0 ? [] : pod.addresses.map((address) => `${address}\t${known.join(" ")}`);
  });
  return ["127.0.0.1\tlocalhost", "::1\tlocalhost", ...lines, ""].join("\n");
}

/** No name server is in a lab: other names fail at once. */
export const RESOLV_CONF_TEXT = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";

/** The pod's, as far as a host may have it. */
export function hostName(pod: Pod): string {
  return pod.name.slice(0, 63);
}
