// Sockets inside a test's network namespace, made by this process: a socket belongs to the namespace that its thread was
// in when it was made. Owns entering and leaving; nothing runs in the namespace but what is called synchronously.

import { closeSync, openSync } from "node:fs";
import koffi from "koffi";
import { loadNetlink, type OpenNetlink } from "../../src/netlink/netlink-socket.ts";
import type { Netns } from "../support/netns.ts";

const CLONE_NEWNET = 0x40000000;

/** The result of `body`, which must be synchronous, with this thread in the namespace. */
export function insideNetns<T>(ns: Netns, body: () => T): T {
  const setns = koffi.load(null).func("int setns(int, int)");
  const home = openSync("/proc/thread-self/ns/net", "r");
  const target = openSync(`/run/netns/${ns.name}`, "r");
  try {
    if (setns(target, CLONE_NEWNET) !== 0) throw new Error(`setns into ${ns.name}: errno ${koffi.errno()}`);
    try {
      return body();
    } finally {
      // Whatever runs next would run in the wrong namespace: end rather than go on.
      if (setns(home, CLONE_NEWNET) !== 0) process.abort();
    }
  } finally {
    closeSync(target);
    closeSync(home);
  }
}

/** Netlink sockets of the namespace. */
export async function openNetlinkIn(ns: Netns): Promise<OpenNetlink> {
  const open = await loadNetlink();
  return (protocol, receiveBytes) => insideNetns(ns, () => open(protocol, receiveBytes));
}
