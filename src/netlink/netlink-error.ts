// The one error of this folder's netlink code. What it means for connections or routes is said where they are read.

import { getSystemErrorName } from "node:util";

export type NetlinkErrorKind =
  /** No netlink from this process: koffi is missing or refuses, or the platform is not one we know. */
  | "unavailable"
  /** The kernel, or the C library for it, answered with an error number. */
  | "refused"
  /** The kernel had no room for an answer and dropped it (ENOBUFS). */
  | "overrun"
  /** An answer was longer than the buffer for it. */
  | "truncated"
  /** A table kept changing while it was read. */
  | "interrupted"
  /** An answer that does not read as netlink, or lacks what it must have. */
  | "malformed";

export class NetlinkError extends Error {
  readonly kind: NetlinkErrorKind;
  /** libuv's name of the error number, `EPERM` for one (95 is `ENOTSUP`, not `EOPNOTSUPP`); undefined when there is none. */
  readonly code: string | undefined;

  constructor(kind: NetlinkErrorKind, message: string, options: ErrorOptions & { errno?: number } = {}) {
    const code = options.errno === undefined ? undefined : errnoName(options.errno);
    super(code === undefined ? message : `${message}: ${code}`, options);
    this.name = "NetlinkError";
    this.kind = kind;
    this.code = code;
  }
}

function errnoName(errno: number): string {
  return getSystemErrorName(-errno);
}
