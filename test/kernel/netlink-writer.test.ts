// Both ways to write the same: every transaction of elements through netlink in one namespace and through nft in another. What the kernel
// then holds is the same, to the letter, and what one refuses the other refuses.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BackendError } from "../../src/backends/backend.ts";
import { NetlinkWriter } from "../../src/backends/nft/io/netlink-writer.ts";
import { NftChild } from "../../src/backends/nft/io/nft-child.ts";
import type { TransactionWriter } from "../../src/backends/nft/io/transaction-writer.ts";
import type { Field, Verdict } from "../../src/backends/nft/ruleset.ts";
import type { Operation, SetKey, Transaction } from "../../src/backends/nft/transaction.ts";
import { loadSetElements } from "../../src/netlink/set-elements.ts";
import { describeKernel } from "../support/kernel.ts";
import { withNetns } from "../support/netns.ts";
import { nftBinaries } from "../support/nft-binaries.ts";
import { type NftInNetns, withNftIn } from "../support/nft-in-netns.ts";
import { insideNetns } from "./conntrack-namespace.ts";

/** One of each kind of set that our tables have, all elements of which some transaction may name. */
const TABLE = `
table inet nftpol {
  set a4 { typeof ip saddr; size 6; }
  set a6 { typeof ip6 saddr; size 64; }
  set pairs { typeof ip saddr . ip daddr; size 64; }
  set pairs6 { typeof ip6 saddr . ip6 daddr; size 64; }
  set ports { typeof ip daddr . meta l4proto . th dport; size 64; }
  set ports6 { typeof ip6 daddr . meta l4proto . th dport; size 64; }
  set blocks4 { typeof ip saddr . meta l4proto; flags interval; size 64; }
  set blocks6 { typeof ip6 saddr . meta l4proto; flags interval; size 64; }
  map m4 { typeof ip saddr : verdict; size 64; }
  map m6 { typeof ip6 saddr : verdict; size 64; }
  chain one { }
  chain two_with_a_longer_name { }
  chain forward { type filter hook forward priority -5; ip saddr vmap @m4; ip6 saddr vmap @m6; ip saddr @a4 drop; }
}
`;

const V4 = ["10.0.0.0", "10.0.0.1", "10.0.1.255", "255.255.255.254", "0.0.0.1", "172.16.0.7", "192.168.255.0"];
const V6 = ["::", "fd00::1", "fd00:0:0:1::", "2001:db8::ffff:10", "fe80::1:2:3:4"];
const PROTOCOLS = ["tcp", "udp", "sctp"];
const PORTS = ["1", "80", "443", "8080", "65535"];
const VERDICTS: readonly Verdict[] = [
  { kind: "accept" },
  { kind: "drop" },
  { kind: "return" },
  { kind: "jump", chain: "one" },
  { kind: "goto", chain: "two_with_a_longer_name" },
  { kind: "jump", chain: "none" },
];

interface KnownSet {
  readonly name: string;
  readonly key: SetKey;
  readonly elements: readonly string[];
  readonly isMap: boolean;
}

const known = (name: string, fields: readonly Field[], elements: readonly string[], interval = false): KnownSet => ({
  name,
  key: { fields, interval },
  elements,
  isMap: name.startsWith("m"),
});
const tuples = (addresses: readonly string[]) =>
  addresses.flatMap((address) =>
    PROTOCOLS.flatMap((protocol) => PORTS.map((port) => `${address} . ${protocol} . ${port}`)),
  );
const pairsOf = (addresses: readonly string[]) =>
  addresses.flatMap((one) => addresses.map((other) => `${one} . ${other}`));

const SETS: readonly KnownSet[] = [
  known("a4", ["ip saddr"], V4),
  known("a6", ["ip6 saddr"], V6),
  known("pairs", ["ip saddr", "ip daddr"], pairsOf(V4)),
  known("pairs6", ["ip6 saddr", "ip6 daddr"], pairsOf(V6)),
  known("ports", ["ip daddr", "meta l4proto", "th dport"], tuples(V4)),
  known("ports6", ["ip6 daddr", "meta l4proto", "th dport"], tuples(V6)),
  known(
    "blocks4",
    ["ip saddr", "meta l4proto"],
    ["10.0.0.0/8", "172.16.0.0/12", "192.0.2.0/25", "192.0.2.128/25", "198.51.100.7", "203.0.113.0/30"].map(
      (block) => `${block} . 0-255`,
    ),
    true,
  ),
  known(
    "blocks6",
    ["ip6 saddr", "meta l4proto"],
    ["fd00::/8", "2001:db8::/33", "2001:db8:8000::/33", "fe80::1", "64:ff9b::/96"].map((block) => `${block} . 0-255`),
    true,
  ),
  known("m4", ["ip saddr"], V4),
  known("m6", ["ip6 saddr"], V6),
];

/** Of one set: some of its elements, added or deleted; whether the kernel agrees depends on what is there. */
const operation: fc.Arbitrary<Operation> = fc.constantFrom(...SETS).chain(({ name, key, elements, isMap }) => {
  const some = fc.subarray([...elements], { minLength: 1, maxLength: 4 });
  const removal = some.map((texts): Operation => ({ kind: "delete-elements", set: name, key, elements: texts }));
  const added = some.chain((texts) =>
    fc.tuple(...texts.map(() => (isMap ? fc.constantFrom(...VERDICTS) : fc.constant(undefined)))).map(
      (verdicts): Operation => ({
        kind: "add-elements",
        set: name,
        key,
        elements: texts.map((text, index) => ({ key: text, verdict: verdicts[index] })),
      }),
    ),
  );
  return fc.oneof({ weight: 3, arbitrary: added }, { weight: 2, arbitrary: removal });
});
const transaction: fc.Arbitrary<Transaction> = fc
  .array(operation, { minLength: 1, maxLength: 3 })
  .map((operations) => ({ table: "nftpol", operations }));

/** What became of it, as the backend would see it. */
async function outcome(writer: TransactionWriter, change: Transaction): Promise<string> {
  try {
    await writer.write(change);
    return "written";
  } catch (error) {
    if (error instanceof BackendError) return error.kind;
    throw error;
  }
}

/** Nothing may fall back to it. */
const NOBODY: TransactionWriter = {
  name: "nobody",
  write: ({ operations }) => Promise.reject(new Error(`left to nft: ${JSON.stringify(operations)}`)),
  close: async () => {},
};

interface Side {
  readonly writer: TransactionWriter;
  readonly nft: NftInNetns;
}

/** The same table in two namespaces: one is written through netlink, the other by nft. */
async function withBothWriters(path: string, body: (netlink: Side, nft: Side) => Promise<void>): Promise<void> {
  await withNetns((one) =>
    withNetns((other) =>
      withNftIn(one, path, (nftOfOne) =>
        withNftIn(other, path, async (nftOfOther) => {
          const open = await loadSetElements();
          const socket = insideNetns(one, open);
          try {
            expect(await socket.refusal()).toBeUndefined();
            await nftOfOne.load(TABLE);
            await nftOfOther.load(TABLE);
            const child = new NftChild({ binary: nftOfOther.launcher, timeoutMs: 30_000 });
            await body(
              { writer: new NetlinkWriter(socket, NOBODY), nft: nftOfOne },
              { writer: child, nft: nftOfOther },
            );
          } finally {
            socket.close();
          }
        }),
      ),
    ),
  );
}

const listed = ({ nft }: Side) => nft.list("-j", "list", "ruleset").then(withoutHandles);

/** The kernel numbers what it makes; nft 1.0.6 lists elements of maps in the kernel's order, which is by hash. */
function withoutHandles(json: string): unknown {
  return JSON.parse(json, (key, value: unknown) => {
    if (key === "handle" || key === "version" || key === "release_name") return undefined;
    if (key === "elem" && Array.isArray(value)) return value.map((each) => JSON.stringify(each)).sort();
    return value;
  });
}

describeKernel("the netlink writer", () => {
  describe.each(
    nftBinaries().map(({ origin, path }, index) => ({ origin, path, transactions: index === 0 ? 150 : 40 })),
  )("beside nft of $origin", ({ path, transactions }) => {
    it("leaves what nft leaves, and is refused where nft is", () =>
      withBothWriters(path, async (netlink, nft) => {
        const outcomes = new Map<string, number>();
        for (const each of fc.sample(transaction, { seed: 20261122, numRuns: transactions })) {
          const [ours, theirs] = [await outcome(netlink.writer, each), await outcome(nft.writer, each)];
          expect([ours, JSON.stringify(each)]).toEqual([theirs, JSON.stringify(each)]);
          outcomes.set(ours, (outcomes.get(ours) ?? 0) + 1);
          expect(await listed(netlink)).toEqual(await listed(nft));
        }
        // Both happen often enough to mean something.
        expect(outcomes.get("written")).toBeGreaterThan(transactions / 5);
        expect(outcomes.get("refused")).toBeGreaterThan(transactions / 5);
      }));

    it.each([100, 3_000, 60_000])("writes %i elements at once, in one step, and takes them back", (count) =>
      withBothWriters(path, async ({ writer, nft }) => {
        await nft.load("add set inet nftpol many { typeof ip saddr; size 65536; }\n");
        const key: SetKey = { fields: ["ip saddr"], interval: false };
        const texts = Array.from(
          { length: count },
          (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
        );
        const add: Operation = {
          kind: "add-elements",
          set: "many",
          key,
          elements: texts.map((text) => ({ key: text, verdict: undefined })),
        };
        const size = async () => {
          const text = await nft.list("list", "set", "inet", "nftpol", "many");
          return (text.match(/10\.\d+\.\d+\.\d+/g) ?? []).length;
        };
        await writer.write({ table: "nftpol", operations: [add] });
        expect(await size()).toBe(count);
        const remove: Operation = { kind: "delete-elements", set: "many", key, elements: texts };
        const missing: Operation = { ...remove, elements: ["10.255.255.255"] };
        expect(await outcome(writer, { table: "nftpol", operations: [remove, missing] })).toBe("refused");
        expect(await size()).toBe(count);
        await writer.write({ table: "nftpol", operations: [remove] });
        expect(await size()).toBe(0);
      }),
    );
  });

  it("is refused where there is no table, and says for which set", () =>
    withBothWriters(nftBinaries()[0]?.path as string, async ({ writer, nft }) => {
      const add: Operation = {
        kind: "add-elements",
        set: "a4",
        key: { fields: ["ip saddr"], interval: false },
        elements: [{ key: "10.0.0.1", verdict: undefined }],
      };
      await nft.load("delete table inet nftpol\n");
      const error = await writer.write({ table: "nftpol", operations: [add] }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ kind: "refused", message: expect.stringMatching(/set a4 failed: .*ENOENT/) });
    }));
});
