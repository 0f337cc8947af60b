// A netlink descriptor, open only when it is fully prepared. Owns making it; what is said on it is others'.

import type { Libc } from "./libc.ts";
import { NetlinkError } from "./netlink-error.ts";

export const AF_NETLINK = 16;
export const SOL_SOCKET = 1;
export const ENOBUFS = 105;
export const EINTR = 4;
export const EAGAIN = 11;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;

/** In the network namespace of the calling thread. Throws NetlinkError; what `prepare` throws closes it. */
export function openSocket(libc: Libc, protocol: number, prepare: (fd: number) => void): number {
  const fd = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) throw new NetlinkError("refused", "no netlink socket", { errno: -fd });
  try {
    prepare(fd);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  return fd;
}

/** `struct sockaddr_nl`: port 0 (the kernel, or ours to be chosen), and multicast groups by bit. */
export function netlinkAddress(groups = 0): Buffer {
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(groups, 8);
  return address;
}

/** Errors with a reason in words, without our request in them. Answers of kernels that cannot are understood as well. */
export function answerShortly(libc: Libc, fd: number): void {
  const on = Buffer.from([1, 0, 0, 0]);
  libc.setOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, on);
  libc.setOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, on);
}
