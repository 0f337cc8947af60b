// The two axes of a matrix: every selectable pod, then plain addresses. Owns their order and their names.

import { type Address, addressFamily, compareAddresses, FAMILIES, type Family } from "../../net/address.ts";
import type { ClusterView, SelectablePod } from "../../state/view.ts";

export interface Endpoint {
  /** `namespace/name`, or the address. */
  readonly name: string;
  /** undefined: a plain address. */
  readonly pod: SelectablePod | undefined;
  /** One address for each family that it has. */
  readonly addresses: ReadonlyMap<Family, Address>;
}

/**
 * Pods by key, then addresses in numeric order. An address that a pod owns is that pod and adds nothing.
 * A pod has at most one address of a family (the API server's rule); of more, the first counts.
 */
export function listEndpoints(view: ClusterView, addresses: readonly Address[]): Endpoint[] {
  const pods = [...view.selectablePods()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const plain = [...new Set(addresses)].filter((address) => view.ownerOf(address) === undefined);
  return [...pods.map(podEndpoint), ...plain.sort(compareAddresses).map(addressEndpoint)];
}

function podEndpoint(pod: SelectablePod): Endpoint {
  const addresses = new Map<Family, Address>();
  for (const family of FAMILIES) {
    const address = pod.addresses.find((each) => addressFamily(each) === family);
    if (address !== undefined) addresses.set(family, address);
  }
  return { name: pod.key, pod, addresses };
}

function addressEndpoint(address: Address): Endpoint {
  return { name: address, pod: undefined, addresses: new Map([[addressFamily(address), address]]) };
}

/** The families in which packets can go between the two. */
export function commonFamilies(a: Endpoint, b: Endpoint): Family[] {
  return FAMILIES.filter((family) => a.addresses.has(family) && b.addresses.has(family));
}
