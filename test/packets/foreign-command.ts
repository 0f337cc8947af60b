// Somebody else empties or removes our table under traffic. Owns what packets may do until it is as it was, and from then on.

import { expect } from "vitest";
import type { Stream } from "../support/packet-streams.ts";
import { changeOnce, type RunningShop } from "./running-shop.ts";
import { harmTo } from "./shop.ts";

/** For `nft`, by names that are known. */
export const FOREIGN_COMMANDS = ["flush table inet nftpol", "delete table inet nftpol"] as const;
type ForeignCommand = (typeof FOREIGN_COMMANDS)[number];

/** How often the agent looks by itself. */
export const VERIFY_OFTEN = ["--verify-interval", "1s"] as const;
/** After the first recheck of connections comes another, for packets that were under way. */
const SECOND_LOOK_MS = 1_200;

/**
 * What is allowed is never lost. What is denied may pass until the agent has repaired the table, and then, where it has become a
 * connection, until that is cut. `busy`: changes go on all the time; one that the kernel refuses shows the agent what is wrong.
 */
export async function sufferForeignCommand(shop: RunningShop, command: ForeignCommand, busy: boolean): Promise<void> {
  const { network, agent, traffic, streams, changes, changeFor } = shop;
  const everything = [...streams.allowed, ...streams.denied];
  await traffic.flowing(5, streams.allowed);
  if (busy) await changeFor(200);
  expect(harmTo({ allowed: [], denied: streams.denied })).toEqual([]);
  const from = agent.log.length;
  expect(await network.node.run(["nft", ...command.split(" ")])).toMatchObject({ code: 0 });
  if (busy) while (!isRepaired(shop, from)) await changeOnce(changes, agent);
  else await agent.logged("somebody changed our table: repaired", from);
  const repaired = marks(streams.denied.filter((stream) => stream.spec.kind === "fresh-udp"));
  if (busy) await changeFor(SECOND_LOOK_MS);
  else await agent.logged("connections cut that policies no longer allow", from);
  await traffic.closed(streams.denied.filter((stream) => stream.spec.kind === "udp"));
  const cut = marks(streams.denied.filter((stream) => stream.spec.kind !== "fresh-udp"));
  await traffic.more(
    10,
    everything.filter((stream) => stream.spec.kind === "fresh-udp"),
  );
  await traffic.finish(streams.allowed);
  expect(harmTo(streams, new Map([...repaired, ...cut]))).toEqual([]);
  // It was open in between: otherwise this test would show nothing.
  expect(streams.denied.some((stream) => stream.arrived.count > 0)).toBe(true);
}

function isRepaired({ agent }: RunningShop, from: number): boolean {
  return agent.log
    .slice(from)
    .some(({ msg }) => msg === "rules repaired" || msg === "somebody changed our table: repaired");
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
