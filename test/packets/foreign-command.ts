// Somebody else empties or removes our rules under traffic. Owns what packets may do until the agent has repaired it, and then.

import { expect } from "vitest";
import type { Stream } from "../support/packet-streams.ts";
import { changeOnce, type RunningShop } from "./running-shop.ts";
import { harmTo } from "./shop.ts";

/** For the shell of the node, by names that are known. */
export const FOREIGN_NFT_COMMANDS = ["nft flush table inet nftpol", "nft delete table inet nftpol"] as const;

/** Looks at existing connections after the repair: the second is for packets that were under way in the first. */
const LOOKS = 2;
/** Changes that follow each other without a pause have their turns before each part of a look. */
const LOOKS_MS = 45_000;
const PATIENCE_MS = 30_000;

/** While nothing else happens. The agent is held back until everything that is denied passes: so much is open without it. */
export async function sufferForeignCommand(shop: RunningShop, command: string): Promise<void> {
  const { agent, traffic, streams } = shop;
  const denied = streams.denied.filter((stream) => stream.spec.kind === "fresh-udp" || stream.spec.kind === "udp");
  await traffic.flowing(5, streams.allowed);
  expect(harmTo({ allowed: [], denied: streams.denied })).toEqual([]);
  const from = agent.log.length;
  process.kill(agent.pid, "SIGSTOP");
  await run(shop, command);
  await traffic.until("open", () => denied.every((stream) => stream.arrived.count > 0));
  process.kill(agent.pid, "SIGCONT");
  // Long before the next verification by the clock.
  await agent.logged("somebody changed our table: repaired", from, PATIENCE_MS);
  const repaired = marks(streams.denied.filter((stream) => stream.spec.kind === "fresh-udp"));
  // Where our rules were all that asked for connection tracking, it was off without them: then there may be nothing to cut.
  await traffic.until("a look at the connections", () => looksSinceRepair(shop, from) > 0);
  await expectClosed(shop, repaired);
}

/** While changes go on: one may be under way, and the next one that the kernel refuses shows the agent what is wrong, too. */
export async function sufferForeignCommandAmidChanges(shop: RunningShop, command: string): Promise<void> {
  const { agent, traffic, streams, changes, changeFor } = shop;
  await traffic.flowing(5, streams.allowed);
  await changeFor(200);
  expect(harmTo({ allowed: [], denied: streams.denied })).toEqual([]);
  const from = agent.log.length;
  const endsAt = performance.now() + PATIENCE_MS;
  let isDone = false;
  const done = run(shop, command).then(() => {
    isDone = true;
  });
  while (!isDone || !isRepaired(shop, from)) {
    if (performance.now() > endsAt) throw new Error("the agent has not noticed it");
    await changeOnce(changes, agent);
  }
  await done;
  const repaired = marks(streams.denied.filter((stream) => stream.spec.kind === "fresh-udp"));
  const lookedBy = performance.now() + LOOKS_MS;
  while (looksSinceRepair(shop, from) < LOOKS) {
    if (performance.now() > lookedBy) throw new Error("the agent does not look at the connections");
    await changeOnce(changes, agent);
  }
  await expectClosed(shop, repaired);
}

async function run({ network }: RunningShop, command: string): Promise<void> {
  expect(await network.node.run(["sh", "-ec", command])).toMatchObject({ code: 0 });
}

/** What is allowed was never lost. What is denied is closed: new flows since the repair, connections since they were cut. */
async function expectClosed({ traffic, streams }: RunningShop, repaired: ReadonlyMap<Stream, number>): Promise<void> {
  // A TCP connection that was missed by the first look lasts until the second one, which may have to wait.
  const isLasting = ({ spec, arrived }: Stream) => spec.kind === "udp" || (spec.kind === "tcp" && arrived.count > 0);
  await traffic.closed(streams.denied.filter(isLasting));
  const cut = marks(streams.denied.filter((stream) => stream.spec.kind !== "fresh-udp"));
  await traffic.more(
    10,
    [...streams.allowed, ...streams.denied].filter((stream) => stream.spec.kind === "fresh-udp"),
  );
  await traffic.finish(streams.allowed);
  expect(harmTo(streams, new Map([...repaired, ...cut]))).toEqual([]);
}

function isRepaired({ agent }: RunningShop, from: number): boolean {
  return agent.log.slice(from).some(tellsRepair);
}

function tellsRepair({ msg }: RunningShop["agent"]["log"][number]): boolean {
  return msg === "rules repaired" || msg === "somebody changed our table: repaired";
}

const LOOKED = ["connections cut that policies no longer allow", "existing connections are as policies allow"];

/** Those that began after it. */
function looksSinceRepair({ agent }: RunningShop, from: number): number {
  const lines = agent.log.slice(from);
  const repairedAt = Date.parse(String(lines.find(tellsRepair)?.time));
  const beganAt = ({ time, durationMs }: (typeof lines)[number]) => Date.parse(String(time)) - Number(durationMs);
  return lines.filter((line) => LOOKED.includes(line.msg) && beganAt(line) >= repairedAt - 1).length;
}

/** The first number of each stream that may not arrive any more. Of connections, bytes may still wait at the sender. */
function marks(streams: readonly Stream[]): ReadonlyMap<Stream, number> {
  return new Map(
    streams.map((stream) => {
      stream.receive();
      return [stream, stream.spec.kind === "fresh-udp" ? stream.sent : stream.arrived.last + 1];
    }),
  );
}
