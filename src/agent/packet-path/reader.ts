// Reads what find-problems.ts judges: interfaces, the route to each local pod, and the kernel's switches that matter for them.
// Owns which questions are asked; nothing is changed.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Address, addressFamily, type Family } from "../../net/address.ts";
import { type Link, listLinks } from "../../netlink/links.ts";
import { findRouteSource, type RouteSource } from "../../netlink/route-source.ts";
import { type Route, routeTo } from "../../netlink/routes.ts";
import type { PathFacts, PathSwitches } from "./find-problems.ts";
import {
  acceptsRouterAdvertisements,
  BRIDGE_CALLS,
  FORWARDING,
  interfaceForwarding,
  type SysctlPath,
  type Sysctls,
} from "./sysctls.ts";

export interface PathReadings extends Pick<PathFacts, "links" | "uplinks" | "switches"> {
  readonly routes: ReadonlyMap<Address, Route>;
}

/** Where facts come from; in tests a topology as data. */
export interface PathReader {
  /** Throws when a question cannot be asked or has no readable answer; the message says which. */
  read(addresses: readonly Address[]): Promise<PathReadings>;
}

/** Addresses that are nobody's (RFC 5737, RFC 3849): the way to them is the way to everywhere else. */
const ELSEWHERE: Readonly<Record<Family, Address>> = { 4: "192.0.2.1" as Address, 6: "2001:db8::1" as Address };

export interface NodePathOptions {
  readonly sysctls: Sysctls;
  readonly sysfsRoot?: string;
  readonly source?: RouteSource;
}

/** Cost: two requests to the kernel for each address, one after the other, and a few small files. */
export class NodePathReader implements PathReader {
  readonly #sysctls: Sysctls;
  readonly #sysfsRoot: string;
  readonly #source: RouteSource | undefined;

  constructor({ sysctls, sysfsRoot = "/sys", source }: NodePathOptions) {
    this.#sysctls = sysctls;
    this.#sysfsRoot = sysfsRoot;
    this.#source = source;
  }

  async read(addresses: readonly Address[]): Promise<PathReadings> {
    const source = this.#source ?? (await findRouteSource());
    const links = await listLinks(source);
    if (links === undefined)
      throw new Error("interfaces cannot be read: neither koffi (npm) nor the program ip is there");
    const routes = new Map<Address, Route>();
    // One after the other: each holds a thread that the rest of the agent needs too.
    for (const address of addresses) {
      const route = await routeTo(address, source);
      if (route !== undefined) routes.set(address, route);
    }
    const uplinks = { 4: await this.#uplink(4, source), 6: await this.#uplink(6, source) };
    return { links, routes, uplinks, switches: await this.#switches(links, routes, uplinks[6]) };
  }

  async #uplink(family: Family, source: RouteSource): Promise<number | undefined> {
    const route = await routeTo(ELSEWHERE[family], source);
    return route?.type === "unicast" ? route.interfaceIndex : undefined;
  }

  async #switches(
    links: readonly Link[],
    routes: ReadonlyMap<Address, Route>,
    uplink6: number | undefined,
  ): Promise<PathSwitches> {
    const perFamily = async <T>(read: (family: Family) => Promise<T>) => ({ 4: await read(4), 6: await read(6) });
    const bridgeCalls = await perFamily((family) => this.#isOn(BRIDGE_CALLS[family]));
    const forwarding = await perFamily(async (family) => (await this.#isOn(FORWARDING[family])) === true);
    const uplinkName = links.find(({ index }) => index === uplink6)?.name;
    return {
      bridgeCalls,
      callingBridges: await perFamily((family) => this.#callingBridges(family, links)),
      forwarding,
      forwardingLinks: await perFamily((family) =>
        forwarding[family] ? Promise.resolve(new Set<number>()) : this.#forwardingLinks(family, routes),
      ),
      forwardingCostsRoutes:
        !forwarding[6] &&
        uplinkName !== undefined &&
        (await this.#sysctls.read(acceptsRouterAdvertisements(uplinkName))) === "1",
    };
  }

  async #isOn(path: SysctlPath): Promise<boolean | undefined> {
    const value = await this.#sysctls.read(path);
    return value === undefined ? undefined : value !== "0";
  }

  async #callingBridges(family: Family, links: readonly Link[]): Promise<ReadonlySet<number>> {
    const file = family === 4 ? "nf_call_iptables" : "nf_call_ip6tables";
    const calling = new Set<number>();
    for (const { index, name, kind } of links) {
      if (kind !== "bridge") continue;
      const value = await readFile(join(this.#sysfsRoot, "class/net", name, "bridge", file), "utf8").catch(missing);
      if (value.trim() !== "0") calling.add(index);
    }
    return calling;
  }

  async #forwardingLinks(family: Family, routes: ReadonlyMap<Address, Route>): Promise<ReadonlySet<number>> {
    const names = new Map<number, string>();
    for (const [address, route] of routes) {
      if (addressFamily(address) !== family || !("interfaceName" in route)) continue;
      names.set(route.interfaceIndex, route.interfaceName);
    }
    const forwarding = new Set<number>();
    for (const [index, name] of names) {
      if ((await this.#isOn(interfaceForwarding(family, name))) === true) forwarding.add(index);
    }
    return forwarding;
  }
}

/** The bridge went, or /sys is not there: then only a rarely used switch is not seen. */
function missing(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "EACCES" || code === "EINVAL") return "0";
  throw error;
}
