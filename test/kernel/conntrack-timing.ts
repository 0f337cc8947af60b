// How long the connection trackers take with a table of a given size. Not a test: run it as root in a namespace of its own,
//   ip netns add timing && ip netns exec timing node test/kernel/conntrack-timing.ts 100000; ip netns delete timing
// Prints the median and the longest of some runs, and the longest time that the event loop was held.

import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Family } from "../../src/net/address.ts";
import type { ConnectionTracker, TrackedConnection } from "../../src/netlink/connection-tracker.ts";
import { loadNetlink } from "../../src/netlink/netlink-socket.ts";
import { openConnectionTracker } from "../../src/netlink/open-connection-tracker.ts";
import { HOSTS } from "./conntrack-conformance.ts";
import { type InjectedEntry, injectEntries } from "./conntrack-inject.ts";

const entries = Number(process.argv[2] ?? 10_000);
const HOST_COUNT = 100;
const open = await loadNetlink();

function entryOf(family: Family, n: number): InjectedEntry {
  return {
    protocol: n % 3 === 0 ? 17 : 6,
    source: HOSTS[family](n % HOST_COUNT),
    sourcePort: 1024 + (Math.floor(n / HOST_COUNT) % 60_000),
    destination: HOSTS[family](1000 + (n % 251)),
    destinationPort: 80,
  };
}

async function measure(name: string, runs: number, run: () => Promise<number>): Promise<void> {
  const times: number[] = [];
  let result = 0;
  let heldMs = 0;
  for (let i = 0; i < runs; i++) {
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const startedAt = performance.now();
    result = await run();
    times.push(performance.now() - startedAt);
    loop.disable();
    // The timer itself waits a millisecond.
    heldMs = Math.max(heldMs, loop.max / 1e6 - 1);
  }
  times.sort((a, b) => a - b);
  const [median = 0, longest = 0] = [times[times.length >> 1], times.at(-1)];
  const ms = [median, longest, heldMs].map((value) => value.toFixed(1).padStart(8));
  console.log(`${name.padEnd(44)} ${String(result).padStart(7)}  ${ms.join(" ")}`);
}

async function measureTracker(tracker: ConnectionTracker, runs: number, deletions: number): Promise<void> {
  for (const family of [4, 6] as const) {
    const title = (what: string) => `${tracker.name}, IPv${family}: ${what}`;
    const addresses = (count: number) => new Set(Array.from({ length: count }, (_, n) => HOSTS[family](n)));
    await measure(title("list all"), runs, async () => (await tracker.list(family)).length);
    for (const count of [1, 3, 10, 50]) {
      const list = async () => (await tracker.list(family, addresses(count))).length;
      // The first time it may prove its filter.
      await list();
      await measure(title(`list by ${count} of ${HOST_COUNT} addresses`), runs, list);
    }
    // Few enough to leave the table about as large as it was.
    let listed: readonly TrackedConnection[] = await tracker.list(family);
    for (const count of [1, deletions]) {
      await measure(title(`delete ${count}`), 1, () => tracker.delete(listed.slice(0, count)));
      listed = listed.slice(count);
    }
  }
}

for (const family of [4, 6] as const) {
  await injectEntries(
    open,
    Array.from({ length: entries / 2 }, (_, n) => entryOf(family, n)),
  );
}
console.log(`${entries} connections, half of each family${" ".repeat(15)} result    median  longest   loop held (ms)`);
await measureTracker(await openConnectionTracker(), 7, 1000);
await measureTracker(await openConnectionTracker({ prefer: "conntrack" }), 3, 20);
