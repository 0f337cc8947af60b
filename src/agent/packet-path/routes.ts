// For how long the route to each local pod has been as it is. Owns that memory: pods come and go with their routes a little
// before or after.

import type { Address } from "../../net/address.ts";
import type { Route } from "../../netlink/routes.ts";
import type { Clock } from "../clock.ts";
import type { PodPath } from "./find-problems.ts";

export class RouteHistory {
  readonly #clock: Pick<Clock, "now">;
  #since: ReadonlyMap<Address, { readonly way: string; readonly at: number }> = new Map();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Pods seen last. */
  get size(): number {
    return this.#since.size;
  }

  /** These are all routes now: what is not among them is forgotten. */
  settle(routes: ReadonlyMap<Address, Route>): readonly PodPath[] {
    const now = this.#clock.now();
    const since = new Map<Address, { readonly way: string; readonly at: number }>();
    for (const [address, route] of routes) {
      const way = "interfaceIndex" in route ? `${route.type} ${route.interfaceIndex}` : route.type;
      const before = this.#since.get(address);
      since.set(address, before?.way === way ? before : { way, at: now });
    }
    this.#since = since;
    return [...routes].map(([address, route]) => ({
      address,
      route,
      settledMs: now - (since.get(address)?.at ?? now),
    }));
  }
}
