// A program of conntrack.test.ts: asks for a tracker without any capability, and prints which error that gives.
import { ConnectionTrackerError } from "../../src/netlink/connection-tracker.ts";
import { loadNetlink } from "../../src/netlink/netlink-socket.ts";
import { openConnectionTracker, type TrackerName } from "../../src/netlink/open-connection-tracker.ts";

// Before the rights go: the package may lie where only root may read.
await loadNetlink();
process.setgroups?.([]);
process.setuid?.(65534);
try {
  const tracker = await openConnectionTracker({ prefer: process.argv[2] as TrackerName });
  console.log(`started ${tracker.name}`);
} catch (error) {
  if (!(error instanceof ConnectionTrackerError)) throw error;
  console.log(`${error.kind}: ${error.message}`);
}
