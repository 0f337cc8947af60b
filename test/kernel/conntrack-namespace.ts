// Sockets inside a test's network namespace, made by this process: a socket belongs to the namespace that its thread was
// in when it was made. Owns entering and leaving; nothing runs in the namespace but what is called synchronously.

import { loadInsideNetns } from "../../src/lab/netns.ts";
import { loadNetlink, type OpenNetlink } from "../../src/netlink/netlink-socket.ts";
import type { Netns } from "../support/netns.ts";

const inside = await loadInsideNetns();

/** The result of `body`, which must be synchronous, with this thread in the namespace. */
export function insideNetns<T>(ns: Netns, body: () => T): T {
  return inside(ns.name, body);
}

/** Netlink sockets of the namespace. */
export async function openNetlinkIn(ns: Netns): Promise<OpenNetlink> {
  const open = await loadNetlink();
  return (protocol, receiveBytes) => insideNetns(ns, () => open(protocol, receiveBytes));
}
