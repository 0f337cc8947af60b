// The whole agent as a process, with a kernel of its own: from start to the first sync with 50,000 pods of 6 KB behind an API
// server, then pod events at a high rate and as a flood. Prints time, memory, the longest event loop block and CPU per event. Needs root.
// NFTPOL_BENCH_PODS chooses another number of pods.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { type Netns, withNetns } from "../test/support/netns.ts";

const PODS = Number(process.env.NFTPOL_BENCH_PODS ?? 50_000);
const POD_BYTES = 6_000;
const LOCAL_PODS = 110;
/** The first brings every part of the program into use; memory is to stay what it is after it. */
const ROUNDS = [
  { events: 20_000, perSecond: 2_000 },
  { events: 100_000, perSecond: 2_000 },
  { events: 100_000, perSecond: Number.POSITIVE_INFINITY },
];
const EVENTS_AT_ONCE = 200;
/** NFTPOL_BENCH_NODE_FLAGS: other flags of Node.js than the launcher's. */
const flags = process.env.NFTPOL_BENCH_NODE_FLAGS;
const AGENT = flags === undefined ? ["bin/nftpol"] : [process.execPath, ...flags.split(" "), "dist/nftpol.js"];
const root = resolve(import.meta.dirname, "..");

/** In the namespace; a process that has ended fails the run. */
function start(netns: Netns, argv: readonly string[]) {
  const child = spawn("ip", ["netns", "exec", netns.name, ...argv], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid as number,
    send: (text: string) => child.stdin.write(`${text}\n`),
    nextLine: async () => (await lines.next()).value as string | undefined,
    end: async () => {
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

/** From /proc: megabytes and CPU seconds. */
function usage(pid: number) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const megabytes = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return {
    peakMb: megabytes("VmHWM"),
    rssMb: megabytes("VmRSS"),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
  };
}

async function metric(netns: Netns, name: string): Promise<number> {
  const { stdout } = await netns.run(["curl", "-s", "http://127.0.0.1:10361/metrics"]);
  const line = stdout.split("\n").find((each) => each.startsWith(name));
  return Number(line?.slice(line.lastIndexOf(" ") + 1));
}

/** What Node.js says of its own memory. */
async function printMemory(netns: Netns): Promise<void> {
  const names = ["nodejs_heap_size_used_bytes", "nodejs_heap_size_total_bytes", "nodejs_external_memory_bytes"];
  const megabytes = await Promise.all(names.map(async (name) => ((await metric(netns, name)) / 2 ** 20).toFixed(0)));
  print("  of which heap used, heap reserved, buffers", `${megabytes.join(", ")} MB`);
}

async function untilReady(netns: Netns): Promise<void> {
  for (;;) {
    const { stdout } = await netns.run([
      "curl",
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      "http://127.0.0.1:10360/readyz",
    ]);
    if (stdout === "200") return;
    await delay(20);
  }
}

const print = (what: string, value: string) => console.log(`${what.padEnd(44)} ${value}`);

console.log(`node ${process.version}, Linux ${release()}, ${cpus().length} x ${cpus()[0]?.model}`);
console.log(`${PODS} pods of ${POD_BYTES} bytes, ${LOCAL_PODS} of them local, 1,000 policies\n`);
await withNetns(async (netns) => {
  const folder = mkdtempSync(join(tmpdir(), "nftpol-bench-"));
  const server = start(netns, [
    process.execPath,
    "bench/large-api-server.ts",
    String(PODS),
    String(POD_BYTES),
    String(LOCAL_PODS),
  ]);
  try {
    const kubeconfig = join(folder, "kubeconfig");
    const cluster = { server: `http://127.0.0.1:${await server.nextLine()}` };
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "bench",
      clusters: [{ name: "bench", cluster }],
      contexts: [{ name: "bench", context: { cluster: "bench", user: "" } }],
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
    const startedAt = performance.now();
    const agent = start(netns, [
      ...AGENT,
      "agent",
      "--node-name",
      "node-0",
      "--kubeconfig",
      kubeconfig,
      "--log-level",
      "error",
    ]);
    await untilReady(netns);
    print("start to rules in force", `${((performance.now() - startedAt) / 1000).toFixed(2)} s`);
    const first = usage(agent.pid);
    print("peak RSS until then", `${first.peakMb.toFixed(0)} MB (now ${first.rssMb.toFixed(0)} MB)`);
    print("CPU until then", `${first.cpuSeconds.toFixed(2)} s`);
    const block = await metric(netns, 'nftpol_event_loop_delay_seconds{quantile="1"}');
    print("longest event loop block", `${(block * 1000).toFixed(0)} ms`);
    await printMemory(netns);
    for (const { events, perSecond } of ROUNDS) {
      const before = usage(agent.pid);
      const sentAt = performance.now();
      for (let sent = 0; sent < events; sent += EVENTS_AT_ONCE) {
        const dueMs = sentAt + (sent / perSecond) * 1000 - performance.now();
        if (dueMs > 0) await delay(dueMs);
        server.send(String(EVENTS_AT_ONCE));
        await server.nextLine();
      }
      // Everything that was sent is in force when the agent has nothing left to read.
      for (let busy = usage(agent.pid).cpuSeconds, last = -1; busy - last > 0.05; ) {
        last = busy;
        await delay(500);
        busy = usage(agent.pid).cpuSeconds;
      }
      const after = usage(agent.pid);
      const seconds = (performance.now() - sentAt) / 1000;
      print(
        `${events} pod events${perSecond === Number.POSITIVE_INFINITY ? " at once" : `, ${perSecond} a second`}`,
        `${seconds.toFixed(1)} s, ${(((after.cpuSeconds - before.cpuSeconds) / events) * 1e6).toFixed(0)} us CPU an event, RSS ${after.rssMb.toFixed(0)} MB, peak ${after.peakMb.toFixed(0)} MB`,
      );
    }
    const longest = await metric(netns, 'nftpol_event_loop_delay_seconds{quantile="1"}');
    print("longest event loop block meanwhile", `${(longest * 1000).toFixed(0)} ms`);
    await printMemory(netns);
    await agent.end();
  } finally {
    await server.end();
    rmSync(folder, { recursive: true, force: true });
  }
});
process.exit();
