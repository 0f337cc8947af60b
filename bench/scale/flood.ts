// Pod changes as fast as the server can send them, more than the agent can take at that rate: what that needs in memory, and how long the
// agent is behind. Owns what is measured meanwhile.

import type { AgentMemory, LoopDelay } from "./agent-process.ts";
import type { Started } from "./first-sync.ts";

export interface Flood {
  readonly events: number;
  /** From the first one sent until the agent has nothing left to do. */
  readonly seconds: number;
  readonly cpuMicroseconds: number;
  readonly before: AgentMemory;
  /** Its peak is of the flood alone. */
  readonly after: AgentMemory;
  readonly loopDelay: LoopDelay;
}

const AT_ONCE = 200;

export async function measureFlood(events: number, { server, agent }: Started): Promise<Flood> {
  await agent.untilQuiet();
  await agent.loopDelay();
  agent.forgetPeak();
  const before = await agent.memory();
  const [beganAt, cpuBefore] = [performance.now(), agent.cpuSeconds()];
  await server.paced("relabel", events, AT_ONCE, Number.POSITIVE_INFINITY);
  await agent.untilQuiet();
  return {
    events,
    seconds: (performance.now() - beganAt) / 1000,
    cpuMicroseconds: ((agent.cpuSeconds() - cpuBefore) / events) * 1e6,
    before,
    after: await agent.memory(),
    loopDelay: await agent.loopDelay(),
  };
}
