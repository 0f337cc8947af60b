// From the agent's start to rules in force, and what it needs then: with so many pods, in a process of its own. Owns the order of what
// is measured; in the same round two readers show what the server and parsing cost by themselves.

import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { type AgentMemory, AgentProcess, type LoopDelay, type ProgramSize } from "./agent-process.ts";
import { ApiServerProcess, type ReadTimes } from "./api-server-process.ts";
import type { ClusterSize } from "./cluster.ts";
import type { Installation } from "./installation.ts";
import type { ScaleSettings } from "./settings.ts";

export interface FirstSync {
  readonly size: ClusterSize;
  readonly start: AgentStart;
  /** The same pods from the same server: only received, and every event parsed. */
  readonly onlyRead: ReadTimes;
  readonly readAndParsed: ReadTimes;
  readonly steady: Steady;
  readonly program: ProgramSize;
}

export interface AgentStart {
  readonly readySeconds: number;
  readonly cpuSeconds: number;
  readonly nftCpuSeconds: number;
  readonly loopDelay: LoopDelay;
  readonly memory: AgentMemory;
}

export interface Steady {
  readonly seconds: number;
  /** CPU seconds a second, while nothing changes. */
  readonly idleCpu: number;
  readonly loopDelay: LoopDelay;
  readonly memory: AgentMemory;
  /** Without garbage. */
  readonly alive: AgentMemory;
}

export interface Started {
  readonly server: ApiServerProcess;
  readonly agent: AgentProcess;
  readonly sync: FirstSync;
}

/** Where the agent is, and where it may write. */
export interface Place {
  readonly installation: Installation;
  readonly folder: string;
}

/** `use` gets the agent as it is then; afterwards it ends. */
export async function measureFirstSync(
  settings: ScaleSettings,
  place: Place,
  size: ClusterSize,
  use: (started: Started) => Promise<void> = async () => {},
): Promise<FirstSync> {
  const { podBytes, nodeFlags, settleSeconds } = settings;
  const server = await ApiServerProcess.start(size, podBytes);
  try {
    const onlyRead = await server.read("bytes");
    const readAndParsed = await server.read("json");
    removeRules(place.installation);
    const agent = new AgentProcess({ ...place, serverPort: server.port, nodeFlags });
    try {
      const start = await measureStart(agent);
      const program = await agent.programSize();
      const steady = await measureSteady(agent, settleSeconds);
      const sync = { size, start, onlyRead, readAndParsed, steady, program };
      await use({ server, agent, sync });
      return sync;
    } finally {
      await agent.end();
    }
  } finally {
    await server.end();
  }
}

/** As on a new node: rules of the agent before would be adopted, and their sets outgrown. */
function removeRules({ launcher }: Installation): void {
  const { status, stderr } = spawnSync(launcher, ["cleanup"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`nftpol cleanup: ${stderr}`);
}

export async function measureStart(agent: AgentProcess): Promise<AgentStart> {
  const readySeconds = await agent.untilReady();
  return {
    readySeconds,
    cpuSeconds: agent.cpuSeconds(),
    nftCpuSeconds: agent.childrenCpuSeconds(),
    loopDelay: await agent.loopDelay(),
    memory: await agent.memory(),
  };
}

async function measureSteady(agent: AgentProcess, seconds: number): Promise<Steady> {
  await delay(500 * seconds);
  await agent.untilQuiet();
  const [beganAt, before] = [performance.now(), agent.cpuSeconds()];
  await delay(500 * seconds);
  const idleCpu = (agent.cpuSeconds() - before) / Math.max(0.001, (performance.now() - beganAt) / 1000);
  const loopDelay = await agent.loopDelay();
  return { seconds, idleCpu, loopDelay, memory: await agent.memory(), alive: await agent.memoryAlive() };
}
