// This node's own addresses: what it sends from them leaves through the output hook, and what is sent to them stays on it.
// Owns who is asked, and what is believed where nobody can be.

import { networkInterfaces } from "node:os";
import { listLocalAddresses } from "../netlink/local-addresses.ts";
import { findRouteSource, type RouteSource } from "../netlink/route-source.ts";

export class HostAddresses {
  #source: RouteSource | undefined;

  /** Read anew each time: they come and go. Throws NetlinkError or ProgramError when they cannot be read. */
  async read(): Promise<ReadonlySet<string>> {
    this.#source ??= await findRouteSource();
    return (await listLocalAddresses(this.#source)) ?? addressesOfInterfaces();
  }
}

/** Node.js leaves out interfaces that are down or without carrier. Link-local ones come with their interface's name. */
function addressesOfInterfaces(): ReadonlySet<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return new Set(addresses.map(({ address }) => address.replace(/%.*$/, "")));
}
