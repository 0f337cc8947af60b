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
 * Pods by key, then addresses in numeric order; only those that have an address of one of the families.
 * An address that a pod owns is that pod and adds nothing. A pod has at most one address of a family (the API
 * server's rule); of more, the first counts.
 */
export function listEndpoints(
  view: ClusterView,
  addresses: readonly Address[],
  families: readonly Family[] = FAMILIES,
): Endpoint[] {
  const pods = [...view.selectablePods()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const plain = [...new Set(addresses)].filter((address) => view.ownerOf(address) === undefined);
  const all = [...pods.map((pod) => podEndpoint(pod, families)), ...plain.sort(compareAddresses).map(addressEndpoint)];
  return all.filter((endpoint) => families.some((family) => endpoint.addresses.has(family)));
}

function podEndpoint(pod: SelectablePod, families: readonly Family[]): Endpoint {
  const addresses = new Map<Family, Address>();
  for (const family of families) {
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
