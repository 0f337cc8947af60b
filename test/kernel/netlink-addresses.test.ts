// A namespace's own addresses, asked of the kernel by netlink and of the program ip: both say the same.

import { expect, it } from "vitest";
import { findProgram } from "../../scripts/system-tools.ts";
import type { Address } from "../../src/net/address.ts";
import { listLocalAddresses } from "../../src/netlink/local-addresses.ts";
import type { RouteSource } from "../../src/netlink/route-source.ts";
import { routeTo } from "../../src/netlink/routes.ts";
import { describeKernel } from "../support/kernel.ts";
import { type Netns, withNetns } from "../support/netns.ts";
import { openNetlinkIn } from "./conntrack-namespace.ts";

const SOURCES: readonly (readonly [string, (ns: Netns) => Promise<RouteSource>])[] = [
  ["netlink", async (ns) => ({ kind: "netlink", open: await openNetlinkIn(ns) })],
  ["ip", async (ns) => ({ kind: "program", program: [findProgram("ip") ?? "ip", "-n", ns.name] })],
];

async function must(ns: Netns, ...commands: readonly string[]): Promise<void> {
  const result = await ns.run([findProgram("ip") ?? "ip", "-force", "-batch", "-"], { input: commands.join("\n") });
  expect(result).toMatchObject({ stderr: "", code: 0 });
}

for (const [name, makeSource] of SOURCES) {
  describeKernel(`own addresses, asked of ${name}`, () => {
    it("are those of every interface, up or down, with carrier or without, and never a peer's", () =>
      withNetns(async (ns) => {
        await must(
          ns,
          "link set lo up",
          "link add idle0 type veth peer name idle1",
          // As kube-proxy holds the services' addresses with IPVS.
          "addr add 10.96.0.1/32 dev idle0",
          "addr add 10.96.0.2/32 dev idle0",
          "link add silent type bridge",
          "link set silent up",
          "addr add 10.0.0.1/24 dev silent",
          "addr add fd00::1/64 dev silent nodad",
          "link add tunnel type bridge",
          "addr add 10.1.0.1 peer 10.1.0.2/32 dev tunnel",
        );
        const source = await makeSource(ns);
        const own = [...((await listLocalAddresses(source)) ?? [])].filter((address) => !address.startsWith("fe80"));
        expect(own.sort()).toEqual(
          ["10.0.0.1", "10.1.0.1", "10.96.0.1", "10.96.0.2", "127.0.0.1", "::1", "fd00::1"].sort(),
        );
        for (const address of own.filter((each) => !each.includes(":")))
          expect([address, (await routeTo(address as Address, source))?.type]).toEqual([address, "local"]);
      }));
  });
}
