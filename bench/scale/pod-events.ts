// What a pod's change costs the agent, at a steady rate: when no local pod's policy names the pod, before or after, and when one does.
// Owns the kinds and what is subtracted.

import { setTimeout as delay } from "node:timers/promises";
import type { AgentProcess, LoopDelay } from "./agent-process.ts";
import type { ServerCommand } from "./api-server-process.ts";
import type { Started } from "./first-sync.ts";
import type { ScaleSettings } from "./settings.ts";

export interface EventCost {
  readonly name: string;
  readonly isOfConcern: boolean;
  readonly events: number;
  readonly cpuMicroseconds: number;
  readonly nftCpuMicroseconds: number;
  readonly transactions: number;
  readonly loopDelay: LoopDelay;
}

export interface EventCosts {
  readonly kinds: readonly EventCost[];
  /** A client that parses the same events and does nothing else. */
  readonly readerCpuMicroseconds: number;
}

const KINDS: readonly { readonly name: string; readonly command: ServerCommand; readonly isOfConcern: boolean }[] = [
  { name: "relabelled, no policy asks for the label", command: "relabel", isOfConcern: false },
  { name: "status only", command: "touch", isOfConcern: false },
  { name: "becomes or ceases to be a peer", command: "toggle-clients", isOfConcern: true },
];
const AT_ONCE = 50;

export async function measurePodEvents(
  { events, eventsPerSecond }: ScaleSettings,
  { server, agent, sync }: Started,
): Promise<EventCosts> {
  const send = (command: ServerCommand, count = events) => server.paced(command, count, AT_ONCE, eventsPerSecond);
  // The first ones bring the code into use.
  for (const { command } of KINDS) await send(command, Math.min(2_000, events));
  const kinds: EventCost[] = [];
  for (const { name, command, isOfConcern } of KINDS) {
    await agent.untilQuiet();
    await agent.loopDelay();
    const before = await countersOf(agent);
    await send(command);
    await agent.untilQuiet();
    const after = await countersOf(agent);
    const seconds = after.seconds - before.seconds;
    const eachMicroseconds = (cpuSeconds: number) => (cpuSeconds / events) * 1e6;
    kinds.push({
      name,
      isOfConcern,
      events,
      cpuMicroseconds: eachMicroseconds(after.cpu - before.cpu - seconds * sync.steady.idleCpu),
      nftCpuMicroseconds: eachMicroseconds(after.nftCpu - before.nftCpu),
      transactions: after.transactions - before.transactions,
      loopDelay: await agent.loopDelay(),
    });
  }
  const readerCpu = await server.readEvents(() => send("touch"));
  await delay(100);
  await agent.untilQuiet();
  return { kinds, readerCpuMicroseconds: (readerCpu / events) * 1e6 };
}

async function countersOf(agent: AgentProcess) {
  return {
    seconds: performance.now() / 1000,
    cpu: agent.cpuSeconds(),
    nftCpu: agent.childrenCpuSeconds(),
    transactions: await agent.transactions(),
  };
}
