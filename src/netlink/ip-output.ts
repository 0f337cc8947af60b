// What `ip -j -d link`, `ip -j route get` and `ip -j address` print, as links, routes and addresses. Owns reading it; running ip is route-source.ts.

import { type Address, parseAddress } from "../net/address.ts";
import type { Link } from "./links.ts";
import { NetlinkError } from "./netlink-error.ts";
import type { Route } from "./routes.ts";

/** Throws NetlinkError `malformed`. */
export function readIpLinks(stdout: string): readonly Link[] {
  const entries = parseArray(stdout);
  const indexes = new Map(entries.map((entry) => [entry.ifname, entry.ifindex]));
  const indexOf = (name: unknown) => {
    const index = indexes.get(name);
    return typeof index === "number" ? index : undefined;
  };
  return entries.map((entry) => {
    const { ifindex, ifname, flags, linkinfo, link_index, link_netnsid } = entry;
    if (typeof ifindex !== "number" || typeof ifname !== "string" || !Array.isArray(flags)) {
      throw new NetlinkError("malformed", `ip speaks of a link that is not understood: ${JSON.stringify(entry)}`);
    }
    const kind = isRecord(linkinfo) ? linkinfo.info_kind : undefined;
    return {
      index: ifindex,
      name: ifname,
      kind: typeof kind === "string" ? kind : undefined,
      masterIndex: indexOf(entry.master),
      // The name when it is a link here, the index when it is elsewhere.
      parentIndex: typeof link_index === "number" ? link_index : indexOf(entry.link),
      parentNetnsId: typeof link_netnsid === "number" ? link_netnsid : undefined,
      isUp: flags.includes("UP"),
      hasXdp: entry.xdp !== undefined,
    };
  });
}

/** Throws NetlinkError `malformed`. */
export function readIpAddresses(stdout: string): readonly Address[] {
  return parseArray(stdout).flatMap(({ addr_info: infos }) => {
    if (!Array.isArray(infos)) throw new NetlinkError("malformed", "ip speaks of an interface without addresses");
    return infos.flatMap((info: unknown) => {
      const { family, local } = isRecord(info) ? info : {};
      if (family !== "inet" && family !== "inet6") return [];
      const address = typeof local === "string" ? parseAddress(local)?.address : undefined;
      if (address === undefined) {
        throw new NetlinkError("malformed", `ip speaks of an address that is not understood: ${JSON.stringify(info)}`);
      }
      return [address];
    });
  });
}

type DeliveredRoute = Extract<Route, { readonly interfaceName: string }>;
type RefusedType = Exclude<Route["type"], DeliveredRoute["type"]>;

const DELIVERED: readonly string[] = ["unicast", "local", "broadcast", "multicast", "anycast"];
const REFUSED: ReadonlyMap<unknown, RefusedType> = new Map([
  ["unreachable", "unreachable"],
  ["prohibit", "prohibited"],
  ["blackhole", "blackhole"],
]);
/** How ip says the error numbers of routes that refuse. */
const REFUSALS: readonly (readonly [RegExp, RefusedType])[] = [
  [/unreachable|no route to host/i, "unreachable"],
  [/permission denied/i, "prohibited"],
  [/invalid argument/i, "blackhole"],
];

/** The route without its interface's index, or how it refuses. Throws NetlinkError `malformed`. */
export function readIpRoute(stdout: string, stderr: string): Omit<DeliveredRoute, "interfaceIndex"> | RefusedType {
  const refusal = stdout.trim() === "" ? REFUSALS.find(([said]) => said.test(stderr))?.[1] : undefined;
  if (refusal !== undefined) return refusal;
  const [entry, ...more] = stdout.trim() === "" ? [] : parseArray(stdout);
  const { type = "unicast", dev, gateway, via } = entry ?? {};
  const refused = REFUSED.get(type);
  if (refused !== undefined) return refused;
  const next = gateway ?? (isRecord(via) ? via.host : undefined);
  const router = typeof next === "string" ? parseAddress(next)?.address : undefined;
  if (
    more.length > 0 ||
    typeof dev !== "string" ||
    !isDelivered(type) ||
    (next !== undefined && router === undefined)
  ) {
    throw new NetlinkError(
      "malformed",
      `ip speaks of a route that is not understood: ${stdout.trim()}${stderr.trim()}`,
    );
  }
  return { type, interfaceName: dev, gateway: router };
}

function isDelivered(type: unknown): type is DeliveredRoute["type"] {
  return typeof type === "string" && DELIVERED.includes(type);
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseArray(text: string): readonly Fields[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new NetlinkError("malformed", "ip does not answer in JSON", { cause });
  }
  if (!Array.isArray(value) || !value.every(isRecord))
    throw new NetlinkError("malformed", "ip does not answer with a list");
  return value;
}
