// On a bridge pods reach each other without pod addresses: by link-local ones and by multicast that stays on the link. A node that
// isolates any pod lets nothing of that pass, and neighbour discovery goes on.

import { expect, it } from "vitest";
import { type Address, addressFamily, FAMILIES } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import { policyObject } from "../support/lab-manifests.ts";
import { labNetns, mustRun } from "../support/lab-netns.ts";
import { type Place, withScene } from "../support/lab-scene.ts";
import { PacketSockets, socketAddress } from "../support/packet-sockets.ts";
import { until } from "../support/until.ts";

const PODS = { closed: "node-a", open: "node-a", stranger: "node-a" };
const PORT = 9000;

describeKernel("what stays on a link", () => {
  it("bridged: nothing gets in or out of a closed pod by link-local address or multicast; pod addresses are found all the same", () =>
    withScene({ pods: PODS, topology: "bridged" }, async (scene) => {
      const sockets = new PacketSockets();
      try {
        const [closed, open, stranger] = [scene.at("closed"), scene.at("open"), scene.at("stranger")];
        const any = { 4: "0.0.0.0" as Address, 6: "::" as Address };
        const ears = [closed, open].flatMap(({ name, ns }) =>
          FAMILIES.map((family) => ({
            name,
            fd: sockets.udp(labNetns(ns), { address: any[family], port: PORT + family }),
          })),
        );
        const say = (from: Place, to: Address, link: number, what: string) => {
          const family = addressFamily(to);
          const fd = sockets.udp(labNetns(from.ns), { address: any[family], port: 0 });
          const address = socketAddress({ address: to, port: PORT + family });
          if (family === 6 && link !== 0) address.writeUInt32LE(link, 24);
          sockets.sendTo(fd, Buffer.from(what), address);
          sockets.close(fd);
        };
        const heard = () => {
          const buffer = Buffer.alloc(2048);
          return ears.flatMap(({ name, fd }) => {
            const words: string[] = [];
            for (let length = sockets.receive(fd, buffer); length !== undefined; length = sockets.receive(fd, buffer))
              words.push(`${name} hears ${buffer.toString("utf8", 0, length)}`);
            return words;
          });
        };
        const links = new Map<Place, LinkLocal>();
        for (const place of [closed, open, stranger]) links.set(place, await linkLocal(place));
        const speak = () => {
          for (const [from, to] of [
            [stranger, closed],
            [closed, open],
          ] as const) {
            const { index } = links.get(from) as LinkLocal;
            say(from, (links.get(to) as LinkLocal).address, index, `${from.name} by link-local address`);
            say(from, "ff02::1" as Address, index, `${from.name} by multicast`);
            say(from, "224.0.0.1" as Address, 0, `${from.name} by IPv4 multicast`);
          }
          for (const family of FAMILIES) say(stranger, open.addresses[family], 0, `control ${family}`);
        };
        const all: string[] = [];
        const spoken = async () => {
          await until("the control", () => {
            all.push(...heard());
            return FAMILIES.every((family) => all.includes(`open hears control ${family}`));
          });
          return new Set(all.splice(0));
        };
        speak();
        const before = await spoken();
        for (const how of ["link-local address", "multicast", "IPv4 multicast"])
          for (const who of [`closed hears stranger by ${how}`, `open hears closed by ${how}`])
            expect(before).toContain(who);
        await scene.enforce(policyObject("closed", { ingress: [], egress: [] }));
        speak();
        const own = /^(closed) hears \1 /;
        const after = [...(await spoken())].filter((each) => !own.test(each));
        expect(after.sort()).toEqual(["open hears control 4", "open hears control 6"]);
        await scene.enforce(policyObject("closed", { ingress: [{}], egress: [{}] }));
        await mustRun(open.ns, ["ip", "neigh", "flush", "all"]);
        await mustRun(stranger.ns, ["ip", "neigh", "flush", "all"]);
        speak();
        expect(await spoken()).toContain("open hears control 6");
      } finally {
        sockets.closeAll();
      }
    }));
});

interface LinkLocal {
  readonly address: Address;
  /** Of the link. */
  readonly index: number;
}

async function linkLocal({ ns }: Place): Promise<LinkLocal> {
  const show = () => mustRun(ns, ["ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link"]);
  let found: RegExpExecArray | null = null;
  await until("a link-local address", async () => {
    const text = await show();
    found = text.includes("tentative") ? null : /^(\d+):.*inet6 ([0-9a-f:]+)\//.exec(text);
    return found !== null;
  });
  const [, index, address] = found as unknown as RegExpExecArray;
  return { index: Number(index), address: address as Address };
}
