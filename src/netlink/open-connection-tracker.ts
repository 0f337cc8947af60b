// Which connection tracker is used on this machine. Owns the choice; each tracker says itself why it cannot work.

import { type ConnectionTracker, ConnectionTrackerError } from "./connection-tracker.ts";
import { ConntrackTool } from "./conntrack-tool.ts";
import { CtnetlinkTracker } from "./ctnetlink-tracker.ts";
import { NetlinkError } from "./netlink-error.ts";
import { loadNetlink } from "./netlink-socket.ts";

export type TrackerName = "ctnetlink" | "conntrack";

/** How each tracker is started; each throws ConnectionTrackerError or NetlinkError where it cannot work. */
export type TrackerStarters = Readonly<Record<TrackerName, () => Promise<ConnectionTracker>>>;

const REAL_TRACKERS: TrackerStarters = {
  ctnetlink: async () => CtnetlinkTracker.start(await loadNetlink()),
  conntrack: () => ConntrackTool.start(),
};

/**
 * ctnetlink, or else the program conntrack; the other way round when that is preferred. Throws ConnectionTrackerError:
 * `not-permitted` when a tracker is there but may not read the table, else `unsupported` with what to do. Cost: one small
 * request to the kernel, the loading of koffi included about 10 ms.
 */
export async function openConnectionTracker(
  options: { readonly prefer?: TrackerName; readonly starters?: TrackerStarters } = {},
): Promise<ConnectionTracker> {
  const { prefer = "ctnetlink", starters = REAL_TRACKERS } = options;
  const order: readonly TrackerName[] =
    prefer === "ctnetlink" ? ["ctnetlink", "conntrack"] : ["conntrack", "ctnetlink"];
  const failures: string[] = [];
  let cause: unknown;
  for (const name of order) {
    try {
      return await starters[name]();
    } catch (error) {
      if (!(error instanceof ConnectionTrackerError) && !(error instanceof NetlinkError)) throw error;
      // The other way asks the same kernel with the same rights.
      if (error instanceof ConnectionTrackerError && error.kind === "not-permitted") throw error;
      failures.push(`${name}: ${error.message}`);
      cause ??= error;
    }
  }
  const advice = "install the package koffi (npm) or conntrack-tools, or leave existing connections alone";
  const message = `open connections can be neither listed nor cut here (${failures.join("; ")}): ${advice}`;
  throw new ConnectionTrackerError("unsupported", message, { cause });
}
