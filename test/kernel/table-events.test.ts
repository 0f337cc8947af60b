// What the kernel tells of a table's changes, and whose they are.

import { expect, it } from "vitest";
import { NftKernelTable } from "../../src/backends/nft/io/nft-kernel-table.ts";
import { NftBackend } from "../../src/backends/nft/nft-backend.ts";
import { WatchedKernelTable } from "../../src/backends/nft/watched-kernel-table.ts";
import { loadTableEvents, type TableEvents } from "../../src/netlink/table-events.ts";
import { describeKernel } from "../support/kernel.ts";
import { type Netns, withNetns } from "../support/netns.ts";
import { withNftIn } from "../support/nft-in-netns.ts";
import { elementSocketsOf, nftWriterOf, waysToWrite } from "../support/nft-kernel-bench.ts";
import { allowingPolicy, crowd, graphOf, SUITE_OPTIONS, webAndClients } from "../support/policy-cluster.ts";
import { type ApiObject, eventOf, removalOf } from "../support/random-cluster.ts";
import { insideNetns } from "./conntrack-namespace.ts";

const TABLE = `
table inet nftpol {
  set s { typeof ip saddr; flags interval; elements = { 10.0.0.1 } }
  counter c { }
  chain forward { type filter hook forward priority -5; ip saddr @s accept; counter name c; }
}
`;

async function withEvents(ns: Netns, body: (events: TableEvents) => Promise<void>): Promise<void> {
  const open = await loadTableEvents();
  const events = insideNetns(ns, () => open("nftpol"));
  try {
    await body(events);
  } finally {
    events.close();
  }
}

async function nft(ns: Netns, ...commands: readonly string[]): Promise<void> {
  const result = await ns.run(["nft", "-f", "-"], { input: `${commands.join("\n")}\n` });
  expect(result).toMatchObject({ code: 0, stderr: "" });
}

describeKernel("changes of a table", () => {
  it.each([
    ["flush table inet nftpol"],
    ["delete table inet nftpol"],
    ["flush ruleset"],
    ["flush chain inet nftpol forward"],
    ["add rule inet nftpol forward accept"],
    ["add element inet nftpol s { 10.0.0.9 }"],
    ["delete element inet nftpol s { 10.0.0.1 }"],
    ["flush set inet nftpol s"],
    ["add chain inet nftpol other"],
    ["add set inet nftpol t { typeof ip saddr; }"],
    ["add counter inet nftpol d"],
    ["add table inet nftpol { flags dormant; }"],
  ])("%s is told, once, with one sender", (command) =>
    withNetns(async (ns) => {
      await nft(ns, TABLE);
      await withEvents(ns, async (events) => {
        expect(events.take()).toEqual(new Set());
        await nft(ns, command);
        expect((events.take() as ReadonlySet<number>).size).toBe(1);
        expect(events.take()).toEqual(new Set());
      });
    }),
  );

  it("what happens to other tables, to those of other families too, and what only reads is not told", () =>
    withNetns(async (ns) => {
      await nft(ns, TABLE);
      await withEvents(ns, async (events) => {
        await nft(ns, TABLE.replace("nftpol", "nftpol2"), TABLE.replace("inet nftpol", "ip nftpol"));
        await nft(ns, "delete table inet nftpol2", "flush table ip nftpol");
        await nft(ns, "list ruleset");
        await nft(ns, "reset counters");
        expect(events.take()).toEqual(new Set());
      });
    }));

  it("more than there is room for is an overrun, and then it goes on", () =>
    withNetns(async (ns) => {
      await nft(ns, "add table inet nftpol", "add set inet nftpol s { typeof ip saddr; }");
      await withEvents(ns, async (events) => {
        const addresses = Array.from({ length: 60_000 }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
        await nft(ns, `add element inet nftpol s { ${addresses.join(", ")} }`);
        expect(events.take()).toBe("overrun");
        await nft(ns, "delete table inet nftpol");
        expect((events.take() as ReadonlySet<number>).size).toBe(1);
      });
    }));
});

describeKernel("whose changes", () => {
  it.each(waysToWrite())("$name: ours are not others', others' are, also those during ours", ({ path, writer }) =>
    withNetns((ns) =>
      withNftIn(ns, path, (launched) =>
        withEvents(ns, async (events) => {
          const program = { binary: launched.launcher, timeoutMs: 30_000 };
          const elements = (await elementSocketsOf(writer, ns))?.();
          const kernel = new NftKernelTable({ program, options: SUITE_OPTIONS, writer: nftWriterOf(writer), elements });
          const table = new WatchedKernelTable(kernel, events);
          const backend = new NftBackend(table);
          const graph = graphOf(...webAndClients, ...crowd(200));
          await backend.install(graph.program());
          const policy = allowingPolicy("crowd", "web", "crowd", 9090);
          for (let round = 0; round < 4; round++) {
            graph.apply(round % 2 === 0 ? eventOf(policy) : removalOf(policy));
            await backend.apply(graph.flush());
            expect(backend.changedByOthers()).toBe(false);
          }
          // Elements only.
          for (const client of webAndClients.slice(1, 4)) {
            graph.apply(removalOf(client as ApiObject));
            expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
            expect(backend.changedByOthers()).toBe(false);
          }
          await launched.load("flush chain inet nftpol forward\n");
          expect(backend.changedByOthers()).toBe(true);
          expect(backend.changedByOthers()).toBe(false);
          expect((await backend.verify()).differences).not.toEqual([]);
          expect(backend.changedByOthers()).toBe(false);
          // Seen before our write begins, and told after it.
          await launched.load("flush chain inet nftpol forward\n");
          graph.apply(eventOf(policy));
          await backend.apply(graph.flush());
          expect(backend.changedByOthers()).toBe(true);
          await backend.close();
        }),
      ),
    ),
  );
});
