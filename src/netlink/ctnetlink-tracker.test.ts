// The tracker against kernels whose filter by address works, is ignored, inverted, refused, or finds nothing: what it
// lists is always the same. Against the real kernel: test/kernel/conntrack.test.ts.

import { describe, expect, it } from "vitest";
import { type Answer, acknowledgement, datagram, done, ScriptedNetlink } from "../../test/support/scripted-netlink.ts";
import { type Address, addressFamily } from "../net/address.ts";
import { addressToBytes, kernelFamily } from "./address-bytes.ts";
import { isFilterCheaper } from "./address-filter.ts";
import { CtnetlinkTracker } from "./ctnetlink-tracker.ts";
import { forEachAttribute, type NetlinkMessage } from "./message-reader.ts";
import { MessageWriter } from "./message-writer.ts";

type FilterBehaviour = "works" | "ignored" | "inverted" | "refused" | "finds nothing";

interface Entry {
  readonly id: number;
  readonly source: Address;
  readonly server: Address;
}

const address = (text: string) => text as Address;

/** Many connections from two pods to a third. */
const MANY: readonly Entry[] = Array.from({ length: 3000 }, (_, n) => ({
  id: n + 1,
  source: address(n % 2 === 0 ? "10.0.0.1" : "10.0.0.2"),
  server: address("10.0.0.3"),
}));

function entryMessage({ id, source, server }: Entry): Buffer {
  const writer = new MessageWriter();
  const first = addressFamily(source) === 4 ? 1 : 3;
  const tuple = (type: number, from: Address, to: Address) =>
    writer.nested(type, () =>
      writer.nested(1, () => {
        writer.attribute(first, addressToBytes(from));
        writer.attribute(first + 1, addressToBytes(to));
      }),
    );
  const header = { type: 0x100, flags: 2, sequence: 1 };
  writer.message(header, Uint8Array.of(kernelFamily(addressFamily(source)), 0, 0, 0), () => {
    tuple(1, source, server);
    tuple(2, server, source);
    writer.attributeBe32(12, id);
  });
  return Buffer.from(writer.bytes());
}

/** What a request filters by: direction and address as hex. */
function filterOf({ bytes, start, end }: NetlinkMessage): readonly [1 | 2, string] | undefined {
  let filter: [1 | 2, string] | undefined;
  forEachAttribute(bytes, start + 4, end, (type, from, to) => {
    if (type === 1 || type === 2) filter = [type, bytes.toString("hex", to - 4, to)];
    // CTA_FILTER: the source only, of the tuple that is there.
    if (type === 25) expect(bytes.toString("hex", from, to)).toBe(`08000${filter?.[0]}0001000000`);
  });
  return filter;
}

function countAnswer(entries: number): readonly Answer[] {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(entries);
  const payload = Buffer.concat([Buffer.alloc(4), Buffer.from("08000100", "hex"), count]);
  return [datagram({ type: 0x105, flags: 0, sequence: 1, payload }), acknowledgement()];
}

class FakeConntrack {
  readonly netlink: ScriptedNetlink;
  filteredDumps = 0;
  dumps = 0;

  constructor(entries: readonly Entry[], behaviour: FilterBehaviour) {
    this.netlink = new ScriptedNetlink(([request]) => {
      if (request === undefined) throw new Error("an empty request");
      if (request.type === 0x105) {
        return countAnswer(entries.length);
      }
      expect(request.type).toBe(0x101);
      const filter = filterOf(request);
      if (filter === undefined) this.dumps += 1;
      else this.filteredDumps += 1;
      return this.#dump(entries, request.bytes.readUInt8(request.start), filter, behaviour);
    });
  }

  #dump(
    entries: readonly Entry[],
    family: number,
    filter: readonly [1 | 2, string] | undefined,
    behaviour: FilterBehaviour,
  ): readonly Answer[] {
    if (filter !== undefined && behaviour === "refused") return [acknowledgement(1, 95)];
    const isFound = (entry: Entry) => {
      if (kernelFamily(addressFamily(entry.source)) !== family) return false;
      if (filter === undefined || behaviour === "ignored") return true;
      if (behaviour === "finds nothing") return false;
      const matches = addressToBytes(filter[0] === 1 ? entry.source : entry.server).toString("hex") === filter[1];
      return matches === (behaviour === "works");
    };
    return [Buffer.concat(entries.filter(isFound).map(entryMessage)), done()];
  }
}

const idsOf = (connections: readonly { handle: { id: number } }[]) =>
  [...new Set(connections.map(({ handle }) => handle.id))].sort((a, b) => a - b);
const idsWhere = (test: (entry: Entry) => boolean) => MANY.filter(test).map(({ id }) => id);

describe("listing by few addresses", () => {
  it.each([
    ["works", 12, 1],
    ["ignored", 1, 3],
    ["inverted", 1, 3],
    ["refused", 1, 3],
    ["finds nothing", 3, 3],
  ] as const)("gives the same when the kernel's filter %s", async (behaviour, filteredDumps, dumps) => {
    const kernel = new FakeConntrack(MANY, behaviour);
    const tracker = await CtnetlinkTracker.start(kernel.netlink.open);
    const list = async (...wanted: string[]) => idsOf(await tracker.list(4, new Set(wanted.map(address))));
    for (let round = 0; round < 3; round++) {
      const one = round === 2 ? "10.0.0.2" : "10.0.0.1";
      expect(await list(one)).toEqual(idsWhere((entry) => entry.source === one));
    }
    if (behaviour === "works") {
      expect(await list("10.0.0.3")).toEqual(idsWhere(() => true));
      expect(await list("10.9.9.9")).toEqual([]);
      expect(await list("10.0.0.2", "fd00::1")).toEqual(idsWhere((entry) => entry.source === "10.0.0.2"));
    }
    expect({ filteredDumps: kernel.filteredDumps, dumps: kernel.dumps }).toEqual({ filteredDumps, dumps });
    expect(kernel.netlink.openSockets).toBe(0);
  });

  it("never asks for a filter of IPv6 addresses, which the kernel inverts", async () => {
    const entries = MANY.map((entry) => ({ ...entry, source: address("fd00::1"), server: address("fd00::2") }));
    const kernel = new FakeConntrack(entries, "inverted");
    const tracker = await CtnetlinkTracker.start(kernel.netlink.open);
    for (let round = 0; round < 2; round++) {
      expect(await tracker.list(6, new Set([address("fd00::2")]))).toHaveLength(MANY.length);
      expect(await tracker.list(6, new Set([address("fd00::3")]))).toEqual([]);
    }
    expect(kernel.filteredDumps).toBe(0);
  });

  it.each([
    [1, 1000, false],
    [1, 5000, true],
    [2, 5000, false],
    [3, 30_000, true],
    [5, 100_000, true],
    [6, 100_000, false],
    [100, 10_000_000, false],
  ])("filters for %d addresses among %d connections only where that is quicker: %s", (addresses, entries, expected) => {
    expect(isFilterCheaper(addresses, entries)).toBe(expected);
  });
});

describe("what goes wrong", () => {
  const failing = (errno: number) => new ScriptedNetlink(() => [acknowledgement(1, errno)]);

  it.each([
    ["rights", 1, "not-permitted", /NET_ADMIN/],
    ["the kernel's module", 22, "unsupported", /nf_conntrack_netlink/],
    ["memory", 12, "failed", /ENOMEM/],
  ])("is named at the start when %s is missing", async (_name, errno, kind, message) => {
    const start = CtnetlinkTracker.start(failing(errno).open);
    await expect(start).rejects.toMatchObject({ name: "ConnectionTrackerError", kind });
    await expect(start).rejects.toThrow(message);
  });

  it("is told when some connections cannot be deleted, after the others are", async () => {
    const kernel = new FakeConntrack(MANY.slice(0, 250), "works");
    const tracker = await CtnetlinkTracker.start(kernel.netlink.open);
    const connections = await tracker.list(4);
    const deleted: number[] = [];
    const script = new ScriptedNetlink((requests) => {
      const [{ type } = { type: 0 }] = requests;
      if (type === 0x105) return countAnswer(1);
      deleted.push(requests.length);
      const last = requests.length;
      return [acknowledgement(1, 16), acknowledgement(2, 2), acknowledgement(last)];
    });
    const busy = await CtnetlinkTracker.start(script.open);
    const result = busy.delete(connections);
    await expect(result).rejects.toMatchObject({ kind: "failed" });
    await expect(result).rejects.toThrow(/^3 of 250 connections could not be deleted: .*EBUSY; .*flowtable/);
    expect(deleted).toEqual([100, 100, 50]);
  });

  it.each([
    ["once", ["1", "2", "2"], 2],
    ["again and again", undefined, 3],
  ] as const)("is noticed when the table is resized while it is read, %s", async (_name, sizes, dumps) => {
    const kernel = new FakeConntrack(MANY.slice(0, 10), "works");
    let reading = 0;
    const readBuckets = async () => {
      reading += 1;
      return sizes === undefined ? String(reading) : sizes[Math.min(reading, sizes.length) - 1];
    };
    const tracker = await CtnetlinkTracker.start(kernel.netlink.open, readBuckets);
    if (sizes === undefined) await expect(tracker.list(4)).rejects.toThrow("resized in each of 3 readings");
    else expect(await tracker.list(4)).toHaveLength(10);
    expect(kernel.dumps).toBe(dumps);
  });

  it("stays with the call that it happened to", async () => {
    let isBroken = false;
    const script = new ScriptedNetlink(([request]) => {
      if (isBroken) return [acknowledgement(1, 12)];
      if (request?.type === 0x101) return [done()];
      return countAnswer(0);
    });
    const tracker = await CtnetlinkTracker.start(script.open);
    isBroken = true;
    await expect(tracker.list(4)).rejects.toMatchObject({ kind: "failed" });
    isBroken = false;
    expect(await tracker.list(4)).toEqual([]);
    expect(script.openSockets).toBe(0);
  });
});
