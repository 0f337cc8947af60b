// The whole agent as a process, as its launcher starts it, and what it and the kernel say of it. Owns its options and its end. To be used
// inside a network namespace of its own: it writes the kernel's rules, and listens at its usual ports.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LOCAL_NODE } from "./cluster.ts";
import type { Installation } from "./installation.ts";
import { LineProcess } from "./line-process.ts";
import {
  childrenCpuSecondsOf,
  childrenOf,
  cpuSecondsOf,
  forgetPeakOf,
  type Memory,
  memoryOf,
} from "./process-usage.ts";

const HEALTH = "http://127.0.0.1:10360";
const METRICS = "http://127.0.0.1:10361/metrics";
const READY_EVERY_MS = 20;
const LONGEST_START_MS = 180_000;

/** Collects all garbage when it is told to, so that what is alive can be told from what is not collected yet. */
const COLLECT_ON_SIGNAL = `data:text/javascript,${encodeURIComponent('process.on("SIGUSR2",()=>globalThis.gc())')}`;
/** The launcher's own for memory, which it leaves out where there are others. */
const LAUNCHER_OPTIONS = readFileSync(join(import.meta.dirname, "../../bin/nftpol"), "utf8").match(
  /--max-semi-space-size=\d+/,
)?.[0];

export interface AgentOptions {
  readonly installation: Installation;
  readonly serverPort: number;
  readonly folder: string;
  /** Flags of Node.js, to be profiled with; instead of the launcher, which knows none. */
  readonly nodeFlags: string | undefined;
}

export interface LoopDelay {
  readonly longestMs: number;
  readonly p99Ms: number;
}

/** What the agent says of the rules in the kernel. */
export interface ProgramSize {
  readonly elements: number;
  readonly sets: number;
  readonly chains: number;
  readonly rules: number;
}

export interface AgentMemory extends Memory {
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  /** Of the nft that it keeps. */
  readonly childrenRssBytes: number;
}

export class AgentProcess {
  readonly #process: LineProcess;
  readonly #startedAt = performance.now();

  constructor({ installation, serverPort, folder, nodeFlags }: AgentOptions) {
    const { launcher, bundle } = installation;
    const program = nodeFlags === undefined ? [launcher] : [process.execPath, ...nodeFlags.split(" "), bundle];
    const kubeconfig = writeKubeconfig(folder, serverPort);
    const options = ["--node-name", LOCAL_NODE, "--kubeconfig", kubeconfig, "--log-level", "error"];
    this.#process = new LineProcess([...program, "agent", ...options], {
      ...process.env,
      NODE_OPTIONS: `${LAUNCHER_OPTIONS} --expose-gc --import=${COLLECT_ON_SIGNAL}`,
    });
  }

  /** Waits until the rules are in force; seconds since the start. */
  async untilReady(): Promise<number> {
    for (;;) {
      const isReady = await fetch(`${HEALTH}/readyz`).then(
        ({ ok, body }) => body?.cancel().then(() => ok),
        () => false,
      );
      const seconds = (performance.now() - this.#startedAt) / 1000;
      if (isReady) return seconds;
      if (this.#process.hasEnded) throw new Error("the agent has ended");
      if (seconds * 1000 > LONGEST_START_MS) throw new Error(`the agent is not ready after ${LONGEST_START_MS} ms`);
      await delay(READY_EVERY_MS);
    }
  }

  /** Waits until it has nothing to do any more. */
  async untilQuiet(): Promise<void> {
    for (let before = this.cpuSeconds(), isQuiet = false; !isQuiet; ) {
      await delay(300);
      const now = this.cpuSeconds();
      isQuiet = now - before <= 0.03;
      before = now;
    }
  }

  cpuSeconds(): number {
    return cpuSecondsOf(this.#process.pid);
  }

  /** Of nft. */
  childrenCpuSeconds(): number {
    return childrenCpuSecondsOf(this.#process.pid);
  }

  async memory(): Promise<AgentMemory> {
    const memory = memoryOf(this.#process.pid);
    const metrics = await readMetrics();
    return {
      ...memory,
      heapUsedBytes: metrics("nodejs_heap_size_used_bytes"),
      heapTotalBytes: metrics("nodejs_heap_size_total_bytes"),
      externalBytes: metrics("nodejs_external_memory_bytes"),
      childrenRssBytes: childrenOf(this.#process.pid).reduce((sum, pid) => sum + memoryOf(pid).rssBytes, 0),
    };
  }

  /** The peak of its memory is counted from now on. */
  forgetPeak(): void {
    forgetPeakOf(this.#process.pid);
  }

  /** As `memory`, without garbage. */
  async memoryAlive(): Promise<AgentMemory> {
    for (let times = 0; times < 2; times++) {
      this.#process.signal("SIGUSR2");
      await delay(200);
      await this.untilQuiet();
    }
    return await this.memory();
  }

  /** Since it was last asked, by this or by anything else that read the metrics. */
  async loopDelay(): Promise<LoopDelay> {
    const metrics = await readMetrics();
    return {
      longestMs: 1000 * metrics('nftpol_event_loop_delay_seconds{quantile="1"}'),
      p99Ms: 1000 * metrics('nftpol_event_loop_delay_seconds{quantile="0.99"}'),
    };
  }

  /** Since its start. */
  async transactions(): Promise<number> {
    const metrics = await readMetrics();
    return ["delta", "adopted", "repaired", "created", "replaced"].reduce(
      (sum, how) => sum + metrics(`nftpol_transactions_total{how="${how}"}`, 0),
      0,
    );
  }

  async programSize(): Promise<ProgramSize> {
    const metrics = await readMetrics();
    return {
      elements: metrics("nftpol_set_elements"),
      sets: metrics("nftpol_sets"),
      chains: metrics("nftpol_chains"),
      rules: metrics("nftpol_rules"),
    };
  }

  /** Its rules stay. */
  async end(): Promise<void> {
    await this.#process.end();
  }
}

/** A metric that is not there has its default, or is an error. */
async function readMetrics(): Promise<(name: string, absent?: number) => number> {
  const lines = (await (await fetch(METRICS)).text()).split("\n");
  return (name, absent) => {
    const line = lines.find((each) => each.startsWith(`${name} `));
    if (line === undefined && absent !== undefined) return absent;
    if (line === undefined) throw new Error(`the agent has no metric ${name}`);
    return Number(line.slice(name.length + 1));
  };
}

function writeKubeconfig(folder: string, port: number): string {
  const path = join(folder, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "bench",
    clusters: [{ name: "bench", cluster: { server: `http://127.0.0.1:${port}` } }],
    contexts: [{ name: "bench", context: { cluster: "bench", user: "" } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}
