// The shop: web pods that friends may talk with and strangers may not, routed, bridged and on another node, and the streams
// between them. Every state that safe-changes.ts makes keeps these verdicts.

import { FAMILIES } from "../../src/net/address.ts";
import type { ObjectStore } from "../api-server/object-store.ts";
import type { Attachment, PacketNetwork } from "../support/packet-network.ts";
import type { Stream, StreamSpec } from "../support/packet-streams.ts";
import type { PacketTraffic } from "../support/packet-traffic.ts";
import { type Labels, putHost, putNamespace, putNodes } from "./cluster.ts";

export const SHOP_HOSTS: Readonly<Record<string, Attachment>> = {
  "web-r": "routed",
  "web-b": "bridged",
  "friend-r": "routed",
  "friend-b": "bridged",
  "friend-o": "outside",
  "stranger-r": "routed",
  "stranger-b": "bridged",
  "stranger-o": "outside",
};

export const APPS = ["web", "friend", "stranger"] as const;
export type App = (typeof APPS)[number];

/** The ports of all streams. */
export const PORTS = { first: 7000, last: 7999 };

export function hostsOf(app: App): readonly string[] {
  return Object.keys(SHOP_HOSTS).filter((name) => name.startsWith(`${app}-`));
}

/** The pods as they are at first; no policies. */
export function putShop(store: ObjectStore, network: PacketNetwork): void {
  putNodes(store);
  putNamespace(store, "shop", { team: "shop" });
  putNamespace(store, "other", { team: "other" });
  for (const app of APPS) for (const name of hostsOf(app)) putShopPod(store, network, name, {});
}

export function putShopPod(store: ObjectStore, network: PacketNetwork, name: string, labels: Labels): void {
  putHost(store, network.host(name), { app: name.slice(0, name.indexOf("-")), ...labels });
}

/** From, to, and whether TCP goes this way, too. */
const PAIRS: readonly (readonly [string, string, boolean])[] = [
  ["X-r", "web-r", true],
  ["X-b", "web-b", true],
  ["X-r", "web-b", false],
  ["X-o", "web-r", true],
  ["X-o", "web-b", false],
  ["web-r", "X-o", false],
  ["web-b", "X-o", true],
  ["web-b", "X-b", false],
];

export interface ShopStreams {
  readonly allowed: readonly Stream[];
  readonly denied: readonly Stream[];
}

/**
 * The same pairs with friends, which are allowed, and with strangers, which are not; both families. `share`: of the usual packets,
 * where time is long.
 */
export function startShopStreams(traffic: PacketTraffic, network: PacketNetwork, share = 1): ShopStreams {
  let port = PORTS.first;
  const start = (who: App): Stream[] =>
    PAIRS.flatMap(([source, target, tcp]) => {
      const from = network.host(source.replace("X", who));
      const to = network.host(target.replace("X", who));
      const kinds: readonly StreamSpec["kind"][] = tcp ? ["fresh-udp", "udp", "fresh-tcp", "tcp"] : ["fresh-udp"];
      return FAMILIES.flatMap((family) =>
        kinds.map((kind) =>
          traffic.start({
            name: `${from.name} > ${to.name}, ${kind}, IPv${family}`,
            kind,
            from: { ns: from.ns, address: from.addresses[family] },
            to: { ns: to.ns, address: to.addresses[family], port: port++ },
            perSecond: RATES[kind] * share,
          }),
        ),
      );
    });
  return { allowed: start("friend"), denied: start("stranger") };
}

const RATES: Readonly<Record<StreamSpec["kind"], number>> = { "fresh-udp": 100, udp: 50, tcp: 25, "fresh-tcp": 5 };

export interface Harm {
  readonly stream: string;
  readonly lost?: readonly number[];
  readonly leaked?: readonly number[];
}

/** What went wrong, stream by stream; numbers before `leaksFrom` may have leaked. */
export function harmTo({ allowed, denied }: ShopStreams, leaksFrom: ReadonlyMap<Stream, number> = new Map()): Harm[] {
  const lost = allowed.flatMap((stream) => {
    const numbers = stream.arrived.missing(0, stream.sent);
    return numbers.length === 0 ? [] : [{ stream: stream.spec.name, lost: numbers }];
  });
  const leaked = denied.flatMap((stream) => {
    const numbers = stream.arrived.from(leaksFrom.get(stream) ?? 0);
    return numbers.length === 0 ? [] : [{ stream: stream.spec.name, leaked: numbers }];
  });
  return [...lost, ...leaked];
}
