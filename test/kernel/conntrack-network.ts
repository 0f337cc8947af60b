// A client, a router that tracks connections and translates a service address, and a server: three namespaces, both
// families. Owns the addresses and the router's rules.

import { expect } from "vitest";
import type { Address, Family } from "../../src/net/address.ts";
import { type Netns, withNetns } from "../support/netns.ts";

export interface TrackedNetwork {
  readonly client: Netns;
  readonly router: Netns;
  readonly server: Netns;
}

const address = (text: string) => text as Address;

export const CLIENT: Readonly<Record<Family, Address>> = { 4: address("10.1.0.2"), 6: address("fd00:1::2") };
export const OTHER_CLIENT: Readonly<Record<Family, Address>> = { 4: address("10.1.0.3"), 6: address("fd00:1::3") };
export const SERVER: Readonly<Record<Family, Address>> = { 4: address("10.2.0.2"), 6: address("fd00:2::2") };
/** Translated to SERVER, port 5000 to 6000. */
export const SERVICE: Readonly<Record<Family, Address>> = { 4: address("10.96.0.1"), 6: address("fd00:96::1") };
export const SERVICE_PORT = 5000;
export const SERVICE_TARGET_PORT = 6000;

const RULES = `
table inet tracked {
  chain forward { type filter hook forward priority 0; ct state established,related accept; }
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ip daddr ${SERVICE[4]} meta l4proto { tcp, udp } th dport ${SERVICE_PORT} dnat ip to ${SERVER[4]}:${SERVICE_TARGET_PORT}
    ip6 daddr ${SERVICE[6]} meta l4proto { tcp, udp } th dport ${SERVICE_PORT} dnat ip6 to [${SERVER[6]}]:${SERVICE_TARGET_PORT}
  }
}
`;

export async function withTrackedNetwork(body: (network: TrackedNetwork) => Promise<void>): Promise<void> {
  await withNetns((client) =>
    withNetns((router) =>
      withNetns(async (server) => {
        await connect(router, client, "toclient", [CLIENT, OTHER_CLIENT], { 4: "10.1.0.1/24", 6: "fd00:1::1/64" });
        await connect(router, server, "toserver", [SERVER], { 4: "10.2.0.1/24", 6: "fd00:2::1/64" });
        const forwarding = "/proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding";
        await must(router, ["sh", "-c", `for f in ${forwarding}; do echo 1 > $f; done`]);
        const loaded = await router.run(["nft", "-f", "-"], { input: RULES });
        expect(loaded).toEqual({ stdout: "", stderr: "", code: 0 });
        await body({ client, router, server });
      }),
    ),
  );
}

async function connect(
  router: Netns,
  host: Netns,
  link: string,
  addresses: readonly Readonly<Record<Family, Address>>[],
  gateway: Readonly<Record<Family, string>>,
): Promise<void> {
  await must(router, ["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", host.name]);
  for (const family of [4, 6] as const) {
    const [nodad, length] = family === 4 ? [[], 24] : [["nodad"], 64];
    await must(router, ["ip", "addr", "add", gateway[family], "dev", link, ...nodad]);
    for (const own of addresses)
      await must(host, ["ip", "addr", "add", `${own[family]}/${length}`, "dev", "eth0", ...nodad]);
  }
  await must(router, ["ip", "link", "set", link, "up"]);
  await must(host, ["ip", "link", "set", "eth0", "up"]);
  for (const family of [4, 6] as const) {
    const via = gateway[family].split("/")[0] ?? "";
    await must(host, ["ip", `-${family}`, "route", "add", "default", "via", via]);
  }
}

async function must(ns: Netns, argv: readonly string[]): Promise<void> {
  expect({ argv, ...(await ns.run(argv)) }).toMatchObject({ argv, stderr: "", code: 0 });
}
