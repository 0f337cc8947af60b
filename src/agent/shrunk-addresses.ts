// Which connections may have lost their permission with a change of the program: those that have one of these addresses.

import type { Address } from "../net/address.ts";
import { type ElementsDelta, type ProgramDelta, parseDestinationPort } from "../program/program.ts";

/**
 * Local addresses whose class changed (its rules may be others), peers that left a set of what is allowed, and peers that came into a
 * set of what is denied; what is passed on may be denied later or no longer allowed. What only became more open is not among them, as
 * far as the delta shows it. Cost: proportional to the delta.
 */
export function shrunkAddresses({ dispatch, elements }: ProgramDelta): ReadonlySet<Address> {
  const addresses = new Set<Address>();
  for (const { address, after } of dispatch) if (after !== undefined) addresses.add(address);
  for (const change of elements) for (const element of shrinking(change)) addresses.add(addressOf(change, element));
  return addresses;
}

function shrinking({ added, removed, actions }: ElementsDelta): readonly string[] {
  if (actions.has("pass")) return [...added, ...removed];
  return [...(actions.has("allow") ? removed : []), ...(actions.has("deny") ? added : [])];
}

function addressOf({ set }: ElementsDelta, element: string): Address {
  return set.definition.kind === "addresses" ? (element as Address) : parseDestinationPort(element).address;
}
