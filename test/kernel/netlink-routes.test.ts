// Routes and links of a namespace, asked of the kernel by netlink and of the program ip: both say the same.

import { expect, it } from "vitest";
import { findProgram } from "../../scripts/system-tools.ts";
import type { Address } from "../../src/net/address.ts";
import { type Link, listLinks } from "../../src/netlink/links.ts";
import type { RouteSource } from "../../src/netlink/route-source.ts";
import { routeTo } from "../../src/netlink/routes.ts";
import { describeKernel } from "../support/kernel.ts";
import { type Netns, withNetns } from "../support/netns.ts";
import { openNetlinkIn } from "./conntrack-namespace.ts";
import { attachXdp } from "./netlink-xdp.ts";

const SOURCES: readonly (readonly [string, (ns: Netns) => Promise<RouteSource>])[] = [
  ["netlink", async (ns) => ({ kind: "netlink", open: await openNetlinkIn(ns) })],
  ["ip", async (ns) => ({ kind: "program", program: [findProgram("ip") ?? "ip", "-n", ns.name] })],
];

async function must(ns: Netns, ...commands: readonly string[]): Promise<void> {
  const result = await ns.run([findProgram("ip") ?? "ip", "-force", "-batch", "-"], { input: commands.join("\n") });
  expect(result).toMatchObject({ stderr: "", code: 0 });
}

const BRIDGE = [
  "link add br0 type bridge",
  "link set br0 up",
  "addr add 10.0.0.1/24 dev br0",
  "addr add fd00::1/64 dev br0 nodad",
];

for (const [name, makeSource] of SOURCES) {
  describeKernel(`routes and links, asked of ${name}`, () => {
    it("names every link with its kind, what it hangs on, and whether it is up", () =>
      withNetns((ns) =>
        withNetns(async (pod) => {
          await must(
            ns,
            ...BRIDGE,
            `link add veth0 type veth peer name eth0 netns ${pod.name}`,
            "link set veth0 master br0 up",
            "link add mv0 link br0 type macvlan mode bridge",
            "link add vx0 type vxlan id 5 dstport 4789 dev br0",
            "link add v1 type veth peer name v2",
          );
          const links = (await listLinks(await makeSource(ns))) ?? [];
          const indexOf = (linkName: string) => links.find((link) => link.name === linkName)?.index;
          const inPod = (await listLinks(await makeSource(pod))) ?? [];
          const plain = { masterIndex: undefined, parentIndex: undefined, parentNetnsId: undefined };
          const link = (linkName: string, kind: string | undefined, isUp: boolean, more: Partial<Link> = {}) => ({
            ...plain,
            index: indexOf(linkName),
            name: linkName,
            kind,
            isUp,
            hasXdp: false,
            ...more,
          });
          const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
          const eth0 = inPod.find((other) => other.name === "eth0")?.index ?? 0;
          expect(eth0).toBeGreaterThan(0);
          expect(links.toSorted(byName)).toEqual(
            [
              link("lo", undefined, true),
              link("br0", "bridge", true),
              link("veth0", "veth", true, {
                masterIndex: indexOf("br0") ?? 0,
                parentIndex: eth0,
                parentNetnsId: expect.any(Number) as unknown as number,
              }),
              link("mv0", "macvlan", false, { parentIndex: indexOf("br0") ?? 0 }),
              link("vx0", "vxlan", false),
              link("v1", "veth", false, { parentIndex: indexOf("v2") ?? 0 }),
              link("v2", "veth", false, { parentIndex: indexOf("v1") ?? 0 }),
            ].sort(byName),
          );
        }),
      ));

    it("names hundreds of links, more than one answer of the kernel holds", () =>
      withNetns(async (ns) => {
        const names = Array.from({ length: 150 }, (_, n) => `bridge${n}`);
        await must(ns, ...names.map((bridge) => `link add ${bridge} type bridge`));
        const links = (await listLinks(await makeSource(ns))) ?? [];
        expect(links.map((link) => link.name).sort()).toEqual(["lo", ...names].sort());
      }));

    it("tells a link with an XDP program from one without", () =>
      withNetns(async (ns) => {
        await must(ns, "link add v1 type veth peer name v2", "link set v1 up");
        const source = await makeSource(ns);
        const v1 = (await listLinks(source))?.find((link) => link.name === "v1");
        await attachXdp(await openNetlinkIn(ns), v1?.index ?? 0);
        const after = (await listLinks(source)) ?? [];
        expect(Object.fromEntries(after.map((link) => [link.name, link.hasXdp]))).toEqual({
          lo: false,
          v1: true,
          v2: false,
        });
      }));

    it("says where a packet goes, for every kind of route", () =>
      withNetns(async (ns) => {
        await must(
          ns,
          ...BRIDGE,
          "route add default via 10.0.0.9",
          "route add unreachable 10.9.0.0/16",
          "route add blackhole 10.8.0.0/16",
          "route add prohibit 10.7.0.0/16",
          "route add 10.6.0.0/16 via inet6 fd00::9 dev br0",
          "route add unreachable fd09::/16",
          "route add blackhole fd08::/16",
          "route add prohibit fd07::/16",
          "route add fd06::/16 via fd00::9",
        );
        const source = await makeSource(ns);
        const links = (await listLinks(source)) ?? [];
        const index = (linkName: string) => links.find((link) => link.name === linkName)?.index;
        const via = (gateway: string | undefined, type = "unicast", interfaceName = "br0") => ({
          type,
          interfaceName,
          interfaceIndex: index(interfaceName),
          gateway,
        });
        const expected = {
          "10.0.0.5": via(undefined),
          "192.0.2.1": via("10.0.0.9"),
          "10.6.0.1": via("fd00::9"),
          "10.0.0.1": via(undefined, "local", "lo"),
          "127.0.0.1": via(undefined, "local", "lo"),
          "10.0.0.255": via(undefined, "broadcast"),
          "224.0.0.1": via(undefined, "multicast"),
          "10.9.0.1": { type: "unreachable" },
          "10.8.0.1": { type: "blackhole" },
          "10.7.0.1": { type: "prohibited" },
          "fd00::5": via(undefined),
          "fd06::1": via("fd00::9"),
          "fd00::1": via(undefined, "local", "lo"),
          "ff02::1": via(undefined, "multicast"),
          "2001:db8::1": { type: "unreachable" },
          "fd09::1": { type: "unreachable" },
          "fd08::1": { type: "blackhole" },
          "fd07::1": { type: "prohibited" },
        };
        const found: Record<string, unknown> = {};
        for (const address of Object.keys(expected)) found[address] = await routeTo(address as Address, source);
        expect(found).toEqual(expected);
      }));
  });
}
