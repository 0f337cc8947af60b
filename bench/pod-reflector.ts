// A process of its own: reflects all pods, keeps them as the agent does, and prints what the first list took.
// Argument: a kubeconfig.

import { connectApiClient } from "../src/kube/api-client.ts";
import { Reflector } from "../src/kube/reflector.ts";
import { podsWithSharedParts } from "../src/kube/shared-pod-parts.ts";
import type { Pod } from "../src/model/cluster.ts";

const [kubeconfig = ""] = process.argv.slice(2);
const pods = new Map<string, Pod>();
const client = await connectApiClient({ kubeconfig });
const stop = new AbortController();

let longestBlockMs = 0;
let lastTurnMs = performance.now();
const turns = setInterval(() => {
  const nowMs = performance.now();
  longestBlockMs = Math.max(longestBlockMs, nowMs - lastTurnMs - 1);
  lastTurnMs = nowMs;
}, 1);

const beganMs = performance.now();
const reflector = new Reflector({
  resource: podsWithSharedParts(),
  client,
  onChanges: (batch) => {
    for (const { key, object } of batch) if (object !== undefined) pods.set(key, object);
    stop.abort();
  },
});
await reflector.run(stop.signal);
const seconds = (performance.now() - beganMs) / 1000;
clearInterval(turns);
const cpu = process.cpuUsage();
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
globalThis.gc?.();
const liveMegabytes = process.memoryUsage().heapUsed / 2 ** 20;
const cpuSeconds = (cpu.user + cpu.system) / 1e6;
console.log(JSON.stringify({ pods: pods.size, seconds, cpuSeconds, longestBlockMs, peakMegabytes, liveMegabytes }));
client.close();
