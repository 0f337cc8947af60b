// A day of a cluster in minutes: pods go and others come in their place, labels and policies change, watches end, once the server has
// forgotten the version. Owns what happens in an hour, and the comparison at the end: with the kernel, and with an agent that has just started.

import { spawnSync } from "node:child_process";
import { type AgentMemory, AgentProcess, type ProgramSize } from "./agent-process.ts";
import { ApiServerProcess } from "./api-server-process.ts";
import type { Place } from "./first-sync.ts";
import type { ScaleSettings } from "./settings.ts";

export interface Churn {
  readonly pods: number;
  readonly eventsAnHour: number;
  /** When all is in force, before the first hour and after each. */
  readonly samples: readonly HourSample[];
  /** Without garbage: after the first hour, after the last. */
  readonly aliveFirst: AgentMemory;
  readonly aliveLast: AgentMemory;
  readonly programBefore: ProgramSize;
  readonly programAfter: ProgramSize;
  /** Counted in the kernel after the last hour. */
  readonly kernelElements: number;
  /** An agent that begins after the last hour, with the same cluster. */
  readonly fresh: { readonly program: ProgramSize; readonly memory: AgentMemory; readonly alive: AgentMemory };
}

export interface HourSample {
  readonly hour: number;
  readonly memory: AgentMemory;
  readonly elements: number;
}

const AT_ONCE = 50;
const EVENTS_OF_A_REPLACEMENT = 3;
/** Each of the pool on and off again. */
const TOGGLES = 2_000;
const HOURS_BETWEEN_RESTARTS = 4;

export async function measureChurn(settings: ScaleSettings, place: Place): Promise<Churn> {
  const { churnPods, localPods, nodes, policies, podBytes, nodeFlags, hours } = settings;
  const server = await ApiServerProcess.start({ remotePods: churnPods, localPods, nodes, policies }, podBytes);
  const options = { ...place, serverPort: server.port, nodeFlags };
  try {
    const agent = new AgentProcess(options);
    const samples: HourSample[] = [];
    const take = async (hour: number) => {
      await agent.untilQuiet();
      samples.push({ hour, memory: await agent.memory(), elements: (await agent.programSize()).elements });
    };
    let measured: Omit<Churn, "kernelElements" | "fresh">;
    try {
      await agent.untilReady();
      const programBefore = await agent.programSize();
      await take(0);
      let aliveFirst: AgentMemory | undefined;
      for (let hour = 1; hour <= hours; hour++) {
        await passHour(server, settings, hour);
        await take(hour);
        aliveFirst ??= await agent.memoryAlive();
      }
      await server.command("remove-policies", settings.changedPolicies);
      await agent.untilQuiet();
      const aliveLast = await agent.memoryAlive();
      const { replacedPods, relabelledPods, changedPolicies } = settings;
      measured = {
        pods: churnPods,
        eventsAnHour: EVENTS_OF_A_REPLACEMENT * replacedPods + relabelledPods + TOGGLES + 2 * changedPolicies,
        samples,
        aliveFirst: aliveFirst ?? aliveLast,
        aliveLast,
        programBefore,
        programAfter: await agent.programSize(),
      };
    } finally {
      await agent.end();
    }
    return { ...measured, kernelElements: elementsInKernel(), fresh: await measureFresh(options) };
  } finally {
    await server.end();
  }
}

async function passHour(server: ApiServerProcess, settings: ScaleSettings, hour: number): Promise<void> {
  const { eventsPerSecond, replacedPods, relabelledPods, changedPolicies, hours } = settings;
  await server.command("add-policies", changedPolicies);
  if (hour > 1) await server.command("remove-policies", changedPolicies);
  await server.paced("replace", replacedPods, AT_ONCE, eventsPerSecond / EVENTS_OF_A_REPLACEMENT);
  await server.paced("relabel", relabelledPods, AT_ONCE, eventsPerSecond);
  await server.paced("toggle-clients", TOGGLES, AT_ONCE, eventsPerSecond);
  if (hour === Math.ceil(hours / 2)) await server.command("expire");
  else if (hour % HOURS_BETWEEN_RESTARTS === 0) await server.command("restart-watches");
}

async function measureFresh(options: ConstructorParameters<typeof AgentProcess>[0]): Promise<Churn["fresh"]> {
  const agent = new AgentProcess(options);
  try {
    await agent.untilReady();
    await agent.untilQuiet();
    return { program: await agent.programSize(), memory: await agent.memory(), alive: await agent.memoryAlive() };
  } finally {
    await agent.end();
  }
}

/** Of all sets and maps of our table, as nft reads them back. */
function elementsInKernel(): number {
  const { stdout, status, stderr } = spawnSync("nft", ["-j", "list", "table", "inet", "nftpol"], {
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(`nft cannot read the table: ${stderr}`);
  const { nftables } = JSON.parse(stdout) as { readonly nftables: readonly NftObject[] };
  return nftables.reduce((sum, { set, map }) => sum + ((set ?? map)?.elem?.length ?? 0), 0);
}

interface NftObject {
  readonly set?: { readonly elem?: readonly unknown[] };
  readonly map?: { readonly elem?: readonly unknown[] };
}
