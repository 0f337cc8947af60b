// Real packets while the agent, nft, the API server and other people's commands go wrong. Changes go on meanwhile.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { describeKernel } from "../support/kernel.ts";
import type { PacketAgent } from "../support/packet-agent.ts";
import type { Stream } from "../support/packet-streams.ts";
import { changeOnce, SEED, withRunningShop } from "./running-shop.ts";
import type { SafeChanges } from "./safe-changes.ts";
import { harmTo } from "./shop.ts";

describeKernel(`faults under traffic (seed ${SEED})`, () => {
  it("an agent that is killed at any moment, also while it starts, and started again harms nothing", () =>
    withRunningShop([], async ({ agent, traffic, streams, changeFor, random }) => {
      for (let life = 0; life < 3; life++) {
        await changeFor(random() * 600);
        await agent.end("SIGKILL");
        await changeFor(random() * 200);
        agent.launch();
        // Of its start, too: every second one is killed before its first transaction is certain.
        if (life % 2 === 0) await agent.logged("rules in force", agent.log.length);
      }
      await agent.end("SIGKILL");
      const from = agent.log.length;
      await agent.start();
      await changeFor(200);
      await traffic.finish(streams.allowed);
      expect(harmTo(streams)).toEqual([]);
      expect(agent.lines("rules in force", from)).toMatchObject([{ how: "adopted" }]);
    }));

  it("an nft that is killed in the middle of a transaction, or at any other moment, harms nothing", () =>
    withRunningShop([], async ({ agent, traffic, streams, changes, changeFor, random }) => {
      for (let round = 0; round < 3; round++) {
        await changeFor(random() * 300);
        // Stopped it holds a transaction until it is killed; on a busy machine the change may come too late for that.
        const failures = agent.lines(REFUSED).length;
        while (agent.lines(REFUSED).length === failures) {
          const session = await sessionOf(agent, changes);
          process.kill(session, "SIGSTOP");
          await changeFor(30);
          process.kill(session, "SIGKILL");
          await changeFor(30);
        }
        await sessionOf(agent, changes);
        changes.makeNext();
        kill(agent, random);
      }
      const from = agent.log.length;
      await traffic.until("rules as they should be", () => {
        changes.makeNext();
        return agent.log.slice(from).some(({ msg }) => msg === "rules changed" || msg === "rules repaired");
      });
      await traffic.finish(streams.allowed);
      expect(harmTo(streams)).toEqual([]);
    }));

  it("an API server that is gone for a while harms nothing, and what changed meanwhile comes into force", () =>
    withRunningShop([], async ({ agent, api, traffic, streams, changeFor }) => {
      await changeFor(200);
      api.gone(true);
      await agent.logged("the API server cannot be watched: rules stay as they are");
      await changeFor(2500);
      const from = agent.log.length;
      api.gone(false);
      await agent.logged("watching again", from);
      await agent.logged("rules changed", from);
      await changeFor(200);
      await traffic.finish(streams.allowed);
      expect(harmTo(streams)).toEqual([]);
    }));

  it.each(["flush table inet nftpol", "delete table inet nftpol"])(
    "%s: what is allowed stays so; what is denied is open until the next verification, and then closed, connections too",
    (command) =>
      withRunningShop(["--verify-interval", "1s"], async ({ network, agent, traffic, streams }) => {
        const everything = [...streams.allowed, ...streams.denied];
        await traffic.flowing(5, streams.allowed);
        expect(harmTo({ allowed: [], denied: streams.denied })).toEqual([]);
        const from = agent.log.length;
        expect(await network.node.run(["nft", ...command.split(" ")])).toMatchObject({ code: 0 });
        await agent.logged("somebody changed our table: repaired", from);
        const repaired = marks(streams.denied.filter((stream) => stream.spec.kind === "fresh-udp"));
        await agent.logged("connections cut that policies no longer allow", from);
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
      }),
  );
});

const REFUSED = "the kernel did not take the change: the old rules stay";

/** The nft that stays. After one was killed the next starts with a later change, as soon as the agent tries again. */
async function sessionOf(agent: PacketAgent, changes: SafeChanges): Promise<number> {
  const endsAt = performance.now() + 30_000;
  while (performance.now() < endsAt) {
    const session = agent.children().find((pid) => argumentsOf(pid).includes("-i"));
    if (session !== undefined) return session;
    await changeOnce(changes, agent);
  }
  throw new Error("the agent has no nft that stays");
}

function argumentsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

/** Any process of the agent's, if there is one. */
function kill(agent: PacketAgent, random: () => number): void {
  const children = agent.children();
  const pid = children[Math.floor(random() * children.length)];
  if (pid !== undefined) process.kill(pid, "SIGKILL");
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
