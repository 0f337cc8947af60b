import { describe, expect, it } from "vitest";
import { acknowledgement, datagram, done, ScriptedNetlink } from "../../test/support/scripted-netlink.ts";
import { listSetNames } from "./ip-sets.ts";
import { MessageWriter } from "./message-writer.ts";

const LIST = 0x0607;

function set(name: string | undefined): Buffer {
  const writer = new MessageWriter();
  writer.message({ type: LIST, flags: 2, sequence: 1 }, Buffer.from([2, 0, 0, 0]), () => {
    writer.attribute(1, Uint8Array.of(6));
    if (name !== undefined) writer.attribute(2, Buffer.from(`${name}\0`));
  });
  return Buffer.from(writer.bytes());
}

describe("sets of ipset", () => {
  it("are told by name, without elements", async () => {
    const netlink = new ScriptedNetlink(([asked]) => {
      expect(asked?.type).toBe(LIST);
      // The protocol, and in network order the flag that only names are wanted.
      const payload = asked?.bytes.subarray((asked?.start ?? 0) + 4, asked?.end).toString("hex");
      expect(payload).toBe("05000100060000000800064000000002");
      return [set("NFTPOL-egress4"), set("KUBE-SET"), done()];
    });
    expect(await listSetNames(netlink.open)).toEqual(["NFTPOL-egress4", "KUBE-SET"]);
    expect(netlink.openSockets).toBe(0);
  });

  it("are none where the kernel has no ipset", async () => {
    const netlink = new ScriptedNetlink(() => [acknowledgement(1, 22)]);
    expect(await listSetNames(netlink.open)).toEqual([]);
  });

  it.each([
    ["another message", datagram({ type: 16, flags: 2, sequence: 1 })],
    ["no name", set(undefined)],
  ])("are not guessed from %s", async (_, answer) => {
    const netlink = new ScriptedNetlink(() => [answer, done()]);
    await expect(listSetNames(netlink.open)).rejects.toMatchObject({ kind: "malformed" });
  });
});
