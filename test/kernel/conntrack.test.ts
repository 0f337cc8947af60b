// Connection trackers against the kernel's table, in namespaces: the suite that every tracker passes, real TCP, UDP and
// ICMP through a router, and what only the kernel's table has (zones, reused ends, traffic meanwhile).

import { readdirSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { findProgram, isCi } from "../../scripts/system-tools.ts";
import { FAMILIES } from "../../src/net/address.ts";
import type { ConnectionTracker } from "../../src/netlink/connection-tracker.ts";
import { ConntrackTool } from "../../src/netlink/conntrack-tool.ts";
import { sendBatch } from "../../src/netlink/conversation.ts";
import type { CtnetlinkConnection } from "../../src/netlink/ctnetlink-entry.ts";
import { requestDelete } from "../../src/netlink/ctnetlink-requests.ts";
import { CtnetlinkTracker } from "../../src/netlink/ctnetlink-tracker.ts";
import { MemoryConnectionTracker } from "../../src/netlink/memory-connection-tracker.ts";
import { NETLINK_NETFILTER } from "../../src/netlink/netlink-socket.ts";
import { describeKernel } from "../support/kernel.ts";
import { type Netns, withNetns } from "../support/netns.ts";
import {
  asConnection,
  entryNumber,
  HOSTS,
  itIsATracker,
  manyEntries,
  type TestedTable,
  textOf,
  texts,
} from "./conntrack-conformance.ts";
import { Flows } from "./conntrack-flows.ts";
import { injectEntries } from "./conntrack-inject.ts";
import { openNetlinkIn } from "./conntrack-namespace.ts";
import { CLIENT, OTHER_CLIENT, SERVER, SERVICE, SERVICE_PORT, withTrackedNetwork } from "./conntrack-network.ts";

type StartTracker = (ns: Netns) => Promise<ConnectionTracker>;

const startCtnetlink: StartTracker = async (ns) => CtnetlinkTracker.start(await openNetlinkIn(ns));
const startTool: StartTracker = (ns) =>
  ConntrackTool.start([findProgram("ip") ?? "ip", "netns", "exec", ns.name, "conntrack"]);

const KERNEL_TRACKERS = [
  ["ctnetlink", startCtnetlink, 3000],
  ["conntrack", startTool, 20],
] as const;

/** An empty table of the kernel. */
function withKernelTable(start: StartTracker) {
  return (body: (table: TestedTable) => Promise<void>) =>
    withNetns(async (ns) => {
      const open = await openNetlinkIn(ns);
      const tracker = await start(ns);
      await body({ tracker, put: (entries) => injectEntries(open, entries) });
    });
}

describe("a connection table in memory", () => {
  itIsATracker({
    many: 3000,
    withTable: async (body) => {
      const tracker = new MemoryConnectionTracker();
      const put = async (entries: Parameters<TestedTable["put"]>[0]) => {
        for (const entry of entries) tracker.add(asConnection(entry));
      };
      await body({ tracker, put });
    },
  });
});

for (const [name, start, many] of KERNEL_TRACKERS) {
  if (name === "conntrack" && findProgram("conntrack") === undefined && !isCi()) {
    process.stderr.write("NOT RUN: connections through conntrack: the program conntrack is missing\n");
    continue;
  }
  describeKernel(`connections through ${name}`, () => {
    itIsATracker({ many, withTable: withKernelTable(start) });

    it.each(FAMILIES)("lists and cuts real TCP, UDP and ICMP through a router, also to a service, IPv%d", (family) =>
      withTrackedNetwork(async ({ client, router, server }) => {
        const flows = new Flows();
        try {
          const [own, other, there, service] = [CLIENT, OTHER_CLIENT, SERVER, SERVICE].map((a) => a[family]);
          if (own === undefined || other === undefined || there === undefined || service === undefined)
            throw new Error();
          flows.listen(server, { address: there, port: 80 });
          flows.listen(server, { address: there, port: 6000 });
          for (const [n, address] of [own, other].entries()) {
            const from = (port: number) => ({ address, port: port + n });
            flows.connect(client, from(2000), { address: there, port: 80 });
            flows.connect(client, from(2010), { address: service, port: SERVICE_PORT });
            flows.sendUdp(client, from(2020), { address: service, port: SERVICE_PORT });
            flows.ping(client, address, there, 70 + n);
            flows.sendRaw(client, 253, address, there);
          }
          const icmp = family === 4 ? "1" : "58";
          const echo = family === 4 ? 8 : 128;
          const of = (address: string, n: number) => [
            `${icmp} ${address}:0>${there}:0 ${there}:0>${address}:0 type ${echo}`,
            `17 ${address}:${2020 + n}>${service}:5000 ${there}:6000>${address}:${2020 + n}`,
            `253 ${address}:0>${there}:0 ${there}:0>${address}:0`,
            `6 ${address}:${2000 + n}>${there}:80 ${there}:80>${address}:${2000 + n}`,
            `6 ${address}:${2010 + n}>${service}:5000 ${there}:6000>${address}:${2010 + n}`,
          ];
          const tracker = await start(router);
          const list = async (...addresses: (typeof own)[]) => texts(await tracker.list(family, new Set(addresses)));
          // The kernel forwards when it has time to.
          const eventually = { timeout: 20_000, interval: 50 };
          await expect.poll(() => list(own), eventually).toEqual(of(own, 0).sort());
          await expect.poll(() => list(there), eventually).toEqual([...of(own, 0), ...of(other, 1)].sort());
          const doomed = await tracker.list(family, new Set([own]));
          expect(await tracker.delete(doomed)).toBe(doomed.length);
          expect(await list(own)).toEqual([]);
          expect(await list(there, own, other)).toEqual(of(other, 1).sort());
        } finally {
          flows.close();
        }
      }),
    );

    it("tells zones apart: equal ends in another zone are another connection", () =>
      withNetns(async (ns) => {
        const entry = entryNumber(4, 0);
        const elsewhere = { ...entry, server: HOSTS[4](9) };
        await injectEntries(await openNetlinkIn(ns), [
          entry,
          { ...entry, zone: 5 },
          { ...entry, zone: 6 },
          { ...elsewhere, originalZone: 7 },
        ]);
        const tracker = await start(ns);
        for (let left = 4; left > 0; left--) {
          const listed = await tracker.list(4);
          expect(listed).toHaveLength(left);
          expect(await tracker.delete(listed.slice(1, 2).concat(left === 1 ? listed : []))).toBe(1);
          // The same one again is gone, whatever has equal ends.
          expect(await tracker.delete(listed.slice(1, 2).concat(left === 1 ? listed : []))).toBe(0);
        }
      }));

    it("says that rights are missing, and does not try another way then", () =>
      withNetns(async (ns) => {
        const result = await ns.run([process.execPath, `${import.meta.dirname}/conntrack-unprivileged.ts`, name]);
        expect(result).toMatchObject({ stderr: "", code: 0 });
        expect(result.stdout).toMatch(/^not-permitted: .*NET_ADMIN/);
      }));

    it("refuses connections of another tracker", () =>
      withNetns(async (ns) => {
        const tracker = await start(ns);
        const foreign = new MemoryConnectionTracker().add(asConnection(entryNumber(4, 0)));
        expect(() => tracker.delete([foreign])).toThrow("another tracker");
      }));
  });
}

describeKernel("connections through ctnetlink, under traffic", () => {
  it("leaves a connection that began later with the same ends", () =>
    withNetns(async (ns) => {
      const open = await openNetlinkIn(ns);
      const tracker = await startCtnetlink(ns);
      const entry = entryNumber(4, 0);
      await injectEntries(open, [entry]);
      const [old] = await tracker.list(4);
      if (old === undefined) throw new Error("a connection was put in");
      const sameEnds = async () => (await tracker.list(4)).filter((connection) => textOf(connection) === textOf(old));
      // The kernel makes ids from places in memory, and may use the old one's again: others shall take it first.
      for (let round = 1; (await sameEnds()).some(({ handle }) => isDeepStrictEqual(handle, old.handle)); round++) {
        expect(round).toBeLessThan(100);
        expect(await tracker.delete([old])).toBe(1);
        await injectEntries(open, manyEntries(4, 200 * (round + 1)).slice(200 * round));
        await injectEntries(open, [entry]);
      }
      expect(await tracker.delete([old])).toBe(0);
      expect(await sameEnds()).toHaveLength(1);
    }));

  it("misses no connection that stays while thousands come and go, and cuts none of them", () =>
    withNetns(async (ns) => {
      const open = await openNetlinkIn(ns);
      const [reader, cutter] = [await startCtnetlink(ns), await startCtnetlink(ns)];
      for (const family of FAMILIES) await injectEntries(open, manyEntries(family, 5000));
      const staying = { 4: texts(await reader.list(4)), 6: texts(await reader.list(6)) };
      let isDone = false;
      const churn = async () => {
        while (!isDone) {
          for (const family of FAMILIES) {
            const coming = manyEntries(family, 1000).map((entry) => ({ ...entry, destinationPort: 81 }));
            await injectEntries(open, coming);
            const listed = await cutter.list(family);
            const leaving = listed.filter(({ original }) => original.destinationPort === 81);
            expect(new Set(leaving.map(textOf)).size).toBe(1000);
            expect(await cutter.delete(leaving)).toBe(1000);
          }
        }
      };
      const watch = async () => {
        for (let round = 0; round < 10; round++) {
          for (const family of FAMILIES) {
            const seen = new Set((await reader.list(family)).map(textOf));
            expect(staying[family].filter((text) => !seen.has(text))).toEqual([]);
          }
        }
        isDone = true;
      };
      await Promise.all([churn(), watch()]);
      for (const family of FAMILIES) expect(texts(await reader.list(family))).toEqual(staying[family]);
    }));

  it("does not mind thousands that have gone, and tells when the kernel's answers do not fit", () =>
    withNetns(async (ns) => {
      const open = await openNetlinkIn(ns);
      const tracker = await startCtnetlink(ns);
      await injectEntries(open, manyEntries(4, 4000));
      const connections = (await tracker.list(4)) as CtnetlinkConnection[];
      expect(await tracker.delete(connections)).toBe(4000);
      expect(await tracker.delete(connections)).toBe(0);
      const atOnce = sendBatch(open, NETLINK_NETFILTER, connections.slice(0, 1500).map(requestDelete), () => {});
      await expect(atOnce).rejects.toMatchObject({ name: "NetlinkError", kind: "overrun" });
    }));

  it("asks again with more room when an answer of the kernel does not fit", () =>
    withNetns(async (ns) => {
      const open = await openNetlinkIn(ns);
      await injectEntries(open, manyEntries(6, 500));
      const sizes: (number | undefined)[] = [];
      const tracker = await CtnetlinkTracker.start((protocol, receiveBytes) => {
        sizes.push(receiveBytes);
        return open(protocol, receiveBytes ?? 512);
      });
      expect(await tracker.list(6)).toHaveLength(500);
      expect(sizes).toEqual([undefined, undefined, 1024 * 1024]);
    }));

  it("leaves no open file behind, whatever becomes of the requests", () =>
    withNetns(async (ns) => {
      const open = await openNetlinkIn(ns);
      const tracker = await startCtnetlink(ns);
      await injectEntries(open, manyEntries(4, 300));
      const connections = await tracker.list(4);
      const openFiles = () => readdirSync("/proc/self/fd").length;
      const before = openFiles();
      for (let round = 0; round < 20; round++) {
        await tracker.list(4, new Set([HOSTS[4](0)]));
        await tracker.delete(connections);
        await expect(injectEntries(open, [entryNumber(4, 1), entryNumber(4, 1)])).rejects.toThrow("entry");
      }
      // Sockets close on another thread, which may be behind.
      await expect.poll(openFiles, { timeout: 10_000 }).toBeLessThanOrEqual(before);
    }));
});
