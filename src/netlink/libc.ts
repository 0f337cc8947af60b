// The C library's socket calls, through koffi. Owns which functions are called, and that koffi may be missing; what is
// said on a socket is others'. What we stand on in koffi 3.3.4, read in its sources; look again before another version:
// - inside the callback of an asynchronous call, errno() is that call's errno; afterwards it is not
// - an asynchronous call runs on libuv's thread pool and keeps no reference to the buffers it was given
// - what a callback throws is lost

import { endianness } from "node:os";
import { NetlinkError } from "./netlink-error.ts";

/** Every function returns what the C function returns, or the negative error number. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  connect(fd: number, address: Buffer): number;
  bind(fd: number, address: Buffer): number;
  setOption(fd: number, level: number, option: number, value: Buffer): number;
  /** On a thread of the pool: the kernel does the work of a request inside this call. */
  send(fd: number, bytes: Buffer): Promise<number>;
  /** On the calling thread, which the kernel's work holds up. */
  sendNow(fd: number, bytes: Buffer): number;
  /** On a thread of the pool, which it holds until something comes or the socket's time is up. */
  receive(fd: number, buffer: Buffer, flags: number): Promise<number>;
  /** On the calling thread: only with MSG_DONTWAIT. */
  receiveNow(fd: number, buffer: Buffer, flags: number): number;
  close(fd: number): number;
  /** On a thread of the pool: a netfilter socket's end waits until the kernel has freed what nftables deleted, 10 ms. The descriptor is gone at once. */
  closeOnThread(fd: number): void;
}

/** Little endian with 64-bit pointers: the layouts in our messages and structures are written for these. */
const KNOWN_ARCHITECTURES: readonly string[] = ["x64", "arm64", "riscv64", "loong64"];

/** Loads koffi and looks the functions up: about 10 ms the first time. Throws NetlinkError `unavailable`. */
export async function loadLibc(): Promise<Libc> {
  if (process.platform !== "linux" || endianness() !== "LE" || !KNOWN_ARCHITECTURES.includes(process.arch)) {
    throw new NetlinkError("unavailable", `no netlink on ${process.platform} ${process.arch}`);
  }
  try {
    return bindFunctions((await import("koffi")).default);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NetlinkError("unavailable", `the package koffi cannot be loaded: ${reason}`, { cause });
  }
}

function bindFunctions(koffi: typeof import("koffi").default): Libc {
  // The process itself has them: the same code for every C library.
  const library = koffi.load(null);
  const socket = library.func("int socket(int, int, int)");
  const connect = library.func("int connect(int, const void *, unsigned int)");
  const bind = library.func("int bind(int, const void *, unsigned int)");
  const setsockopt = library.func("int setsockopt(int, int, int, const void *, unsigned int)");
  const send = library.func("intptr_t send(int, const void *, size_t, int)");
  const recv = library.func("intptr_t recv(int, void *, size_t, int)");
  const close = library.func("int close(int)");
  const orErrno = (result: number | bigint) => (result < 0 ? -koffi.errno() : Number(result));
  // The callback holds the buffer: nothing else may during the call.
  const onThread = (call: typeof send, fd: number, buffer: Buffer, flags: number) =>
    new Promise<number>((resolve, reject) => {
      call.async(fd, buffer, buffer.length, flags, (error: unknown, result: number | bigint) => {
        if (error)
          reject(new NetlinkError("unavailable", `koffi made no call for ${buffer.length} bytes`, { cause: error }));
        else resolve(orErrno(result));
      });
    });
  return {
    socket: (domain, type, protocol) => orErrno(socket(domain, type, protocol)),
    connect: (fd, address) => orErrno(connect(fd, address, address.length)),
    bind: (fd, address) => orErrno(bind(fd, address, address.length)),
    setOption: (fd, level, option, value) => orErrno(setsockopt(fd, level, option, value, value.length)),
    send: (fd, bytes) => onThread(send, fd, bytes, 0),
    sendNow: (fd, bytes) => orErrno(send(fd, bytes, bytes.length, 0)),
    receive: (fd, buffer, flags) => onThread(recv, fd, buffer, flags),
    receiveNow: (fd, buffer, flags) => orErrno(recv(fd, buffer, buffer.length, flags)),
    close: (fd) => orErrno(close(fd)),
    // Closed in any case, says close(2).
    closeOnThread: (fd) => close.async(fd, () => {}),
  };
}
