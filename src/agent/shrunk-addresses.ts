// Which connections may have lost their permission with a change of the program: those that have one of these addresses.

import type { Address } from "../net/address.ts";
import { type ElementsDelta, type ProgramDelta, parseDestinationPort } from "../program/program.ts";

/**
 * Local addresses whose class changed (its rules may be others) and peers that left a set (an allow ended). What only became
 * more open is not among them, as far as the delta shows it. Cost: proportional to the delta.
 */
export function shrunkAddresses({ dispatch, elements }: ProgramDelta): ReadonlySet<Address> {
  const addresses = new Set<Address>();
  for (const { address, after } of dispatch) if (after !== undefined) addresses.add(address);
  for (const change of elements) for (const element of change.removed) addresses.add(addressOf(change, element));
  return addresses;
}

function addressOf({ set }: ElementsDelta, element: string): Address {
  return set.definition.kind === "addresses" ? (element as Address) : parseDestinationPort(element).address;
}
