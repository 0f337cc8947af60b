// Counters of `iptables-save -c` -> packets that our rules dropped, by reason.

import { DROP_REASONS, type DropReason, dropChain } from "./names.ts";

/** Of one family: the sums of the rules of each drop chain; undefined: our chains are not there. */
export function readDropCounts(text: string): ReadonlyMap<DropReason, number> | undefined {
  const counts = new Map<DropReason, number>();
  for (const reason of DROP_REASONS) {
    const chain = dropChain(reason);
    if (!text.includes(`\n:${chain} `)) return undefined;
    // `[12:720] -A NFTPOL-DROP-INGRESS -j DROP`
    const rules = text.matchAll(new RegExp(`^\\[(\\d+):\\d+\\] -A ${chain} -j DROP$`, "gm"));
    counts.set(
      reason,
      [...rules].reduce((sum, [, packets]) => sum + Number(packets), 0),
    );
  }
  return counts;
}
