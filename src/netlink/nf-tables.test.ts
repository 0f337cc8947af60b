import { describe, expect, it } from "vitest";
import { acknowledgement, datagram, done, ScriptedNetlink } from "../../test/support/scripted-netlink.ts";
import { MessageWriter } from "./message-writer.ts";
import { listChains, listTables } from "./nf-tables.ts";

const NEWTABLE = 0x0a00;
const NEWCHAIN = 0x0a03;

/** A message with text attributes behind `struct nfgenmsg`. */
function named(type: number, family: number, attributes: Readonly<Record<number, string>>): Buffer {
  const writer = new MessageWriter();
  writer.message({ type, flags: 2, sequence: 1 }, Buffer.from([family, 0, 0, 0]), () => {
    for (const [attribute, text] of Object.entries(attributes))
      writer.attribute(Number(attribute), Buffer.from(`${text}\0`));
  });
  return Buffer.from(writer.bytes());
}

describe("nftables by name", () => {
  it("are the tables of inet, ip and ip6, and no others", async () => {
    const netlink = new ScriptedNetlink(([request]) => {
      expect(request?.type).toBe(0x0a01);
      return [
        named(NEWTABLE, 1, { 1: "nftpol" }),
        named(NEWTABLE, 7, { 1: "bridges" }),
        named(NEWTABLE, 2, { 1: "filter" }),
        named(NEWTABLE, 10, { 1: "filter" }),
        done(),
      ];
    });
    expect(await listTables(netlink.open)).toEqual([
      { family: "inet", name: "nftpol" },
      { family: "ip", name: "filter" },
      { family: "ip6", name: "filter" },
    ]);
    expect(netlink.openSockets).toBe(0);
  });

  it("are chains with their tables", async () => {
    const netlink = new ScriptedNetlink(([request]) => {
      expect(request?.type).toBe(0x0a04);
      return [named(NEWCHAIN, 2, { 1: "filter", 3: "NFTPOL-FORWARD" }), done()];
    });
    expect(await listChains(netlink.open)).toEqual([
      { table: { family: "ip", name: "filter" }, name: "NFTPOL-FORWARD" },
    ]);
  });

  it("are none where the kernel has no nftables", async () => {
    const netlink = new ScriptedNetlink(() => [acknowledgement(1, 22)]);
    expect(await listTables(netlink.open)).toEqual([]);
  });

  it("are not told to those without rights", async () => {
    const netlink = new ScriptedNetlink(() => [acknowledgement(1, 1)]);
    await expect(listTables(netlink.open)).rejects.toMatchObject({ kind: "refused", code: "EPERM" });
  });

  it("are not guessed from another answer", async () => {
    const netlink = new ScriptedNetlink(() => [datagram({ type: 16, flags: 2, sequence: 1 }), done()]);
    await expect(listChains(netlink.open)).rejects.toMatchObject({ kind: "malformed" });
  });
});
