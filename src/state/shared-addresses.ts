// Addresses that several live pods claim, as findings. Owns the words; who owns an address is the store's.

import type { Pod } from "../model/cluster.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { Address } from "../net/address.ts";

/** The owner first. */
export interface SharedAddress {
  readonly address: Address;
  readonly claimants: readonly Pod[];
}

/** About the first of the pods that have lost the address (SEMANTICS "Who can be selected"). */
export function sharedAddressWarning({ address, claimants }: SharedAddress): Diagnostic {
  const [owner, ...others] = claimants.map(({ key, nodeName }) =>
    nodeName === undefined ? key : `${key} on ${nodeName}`,
  );
  const verb = others.length === 1 ? "claims" : "claim";
  return {
    code: "shared-address",
    severity: "warning",
    position: claimants[1]?.position ?? { file: "" },
    object: `Pod ${claimants[1]?.key}`,
    message: `${others.join(", ")} ${verb} the address ${address} of ${owner}, which started later and is taken as its owner`,
    hint: "a finished pod should have the phase Succeeded or Failed",
  };
}
