// Connection tracking on the lab's nodes: makes it forget, where what it knows would answer instead of the rules.

import { FAMILIES } from "../net/address.ts";
import { CtnetlinkTracker } from "../netlink/ctnetlink-tracker.ts";
import { loadNetlink } from "../netlink/netlink-socket.ts";
import type { LabNetwork } from "./lab-network.ts";

/** Deletes the entries of these protocols (IANA numbers) on every node. */
export async function forgetConnections(network: LabNetwork, protocols: ReadonlySet<number>): Promise<void> {
  const open = await loadNetlink();
  for (const { name } of network.plan.nodes) {
    const tracker = await CtnetlinkTracker.start((protocol, receiveBytes) =>
      network.inside(network.node(name), () => open(protocol, receiveBytes)),
    );
    try {
      for (const family of FAMILIES) {
        const found = await tracker.list(family);
        await tracker.delete(found.filter(({ protocol }) => protocols.has(protocol)));
      }
    } finally {
      tracker.close();
    }
  }
}
