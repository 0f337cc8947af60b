// Attaches an XDP program that lets everything pass to a link of a namespace. Owns the two system calls for it.

import { closeSync } from "node:fs";
import koffi from "koffi";
import { ask } from "../../src/netlink/conversation.ts";
import { NETLINK_ROUTE, type OpenNetlink } from "../../src/netlink/netlink-socket.ts";

const BPF_PROG_LOAD = 5;
const BPF_PROG_TYPE_XDP = 6;
/** r0 = XDP_PASS; exit. */
const PASS = Buffer.from("b7000000020000009500000000000000", "hex");
const RTM_SETLINK = 19;
const IFLA_XDP = 43;
const IFLA_XDP_FD = 1;
const IFLA_XDP_FLAGS = 3;
const XDP_FLAGS_SKB_MODE = 2;

export async function attachXdp(open: OpenNetlink, linkIndex: number): Promise<void> {
  const program = loadPass();
  try {
    const header = Buffer.alloc(16);
    header.writeInt32LE(linkIndex, 4);
    await ask(
      open,
      NETLINK_ROUTE,
      (writer, flags, sequence) =>
        writer.message({ type: RTM_SETLINK, flags, sequence }, header, () =>
          writer.nested(IFLA_XDP, () => {
            writer.attributeU32(IFLA_XDP_FD, program);
            writer.attributeU32(IFLA_XDP_FLAGS, XDP_FLAGS_SKB_MODE);
          }),
        ),
      () => undefined,
    );
  } finally {
    // The link keeps the program.
    closeSync(program);
  }
}

function loadPass(): number {
  const syscall = koffi.load(null).func("long syscall(long, long, void *, long)");
  const license = Buffer.from("GPL\0");
  const attributes = Buffer.alloc(48);
  attributes.writeUInt32LE(BPF_PROG_TYPE_XDP, 0);
  attributes.writeUInt32LE(PASS.length / 8, 4);
  attributes.writeBigUInt64LE(BigInt(koffi.address(PASS)), 8);
  attributes.writeBigUInt64LE(BigInt(koffi.address(license)), 16);
  const number = process.arch === "x64" ? 321 : 280;
  const fd = Number(syscall(number, BPF_PROG_LOAD, attributes, attributes.length));
  if (fd < 0) throw new Error(`no XDP program: errno ${koffi.errno()}`);
  return fd;
}
