// An agent of another version takes over under traffic, and changes go on: first an earlier one (the way back of a rollout), then this
// one again. What is allowed is not lost, what is denied does not get through, and nothing of the other version stays.
// The tables of earlier versions by themselves: upgrade-tables.test.ts.

import { expect, it } from "vitest";
import { BEFORE_CLASS_TREE, BEFORE_TIERS, type EarlierVersion, programOf } from "../support/earlier-version.ts";
import { describeKernel } from "../support/kernel.ts";
import { listedRules } from "../support/listed-rules.ts";
import { type AgentProgram, runNftpolIn, THIS_VERSION } from "../support/packet-agent.ts";
import { iptablesWays, nftWays, type WayToWrite } from "../support/packet-ways.ts";
import { type RunningShop, SEED, withRunningShop } from "./running-shop.ts";
import { harmTo } from "./shop.ts";

interface Case {
  readonly name: string;
  readonly way: WayToWrite;
  readonly earlier: EarlierVersion;
  /** How the agents end, in order: this version, the earlier one. */
  readonly signals: readonly ["SIGTERM" | "SIGKILL", "SIGTERM" | "SIGKILL"];
  /** At the end, which takes two more starts. */
  readonly isComparedWithFreshStart: boolean;
}

/** Each backend in two ways: what ends with SIGTERM in one ends with SIGKILL in the other. */
function cases(ways: readonly WayToWrite[], earlier: EarlierVersion): readonly Case[] {
  return ways.map((way, index) => ({
    name: `${way.name}, ${earlier.differs}`,
    way,
    earlier,
    signals: index === 0 ? ["SIGTERM", "SIGKILL"] : ["SIGKILL", "SIGTERM"],
    isComparedWithFreshStart: index === 0,
  }));
}

const CASES = [...cases(nftWays(), BEFORE_TIERS), ...cases(iptablesWays(), BEFORE_CLASS_TREE)];

describeKernel(`another version takes over under traffic (seed ${SEED})`, () => {
  it.each(CASES)("back and forth ($name): nothing is lost, nothing leaks, nothing stays", ({ way, earlier, ...rest }) =>
    withRunningShop({ way }, async (shop) => {
      const { agent, traffic, streams, changeFor } = shop;
      const [endOfThis, endOfEarlier] = rest.signals;
      await changeFor(100);
      await agent.end(endOfThis);
      // The cluster goes on while no agent runs.
      await changeFor(50);
      await takeOver(shop, programOf(earlier));
      await changeFor(100);
      await agent.end(endOfEarlier);
      await changeFor(50);
      await takeOver(shop, THIS_VERSION);
      await changeFor(100);
      await traffic.finish(streams.allowed);
      expect(harmTo(streams)).toEqual([]);
      traffic.close();
      if (rest.isComparedWithFreshStart) await expectNothingStays(shop);
      expect(agent.log.filter((line) => line.level === "error")).toEqual([]);
    }),
  );
});

async function expectNothingStays(shop: RunningShop): Promise<void> {
  const { agent, network } = shop;
  // Sets that the kernel would not let go at once go now at the latest.
  await agent.end("SIGTERM");
  await takeOver(shop, THIS_VERSION);
  const left = await listedRules(network.node);
  await agent.end("SIGTERM");
  expect(await runNftpolIn(network.node, "cleanup")).toMatchObject({ code: 0 });
  await agent.start();
  expect(left).toBe(await listedRules(network.node));
}

/** Starts this version, which goes on from the rules of the one before. */
async function takeOver({ agent }: RunningShop, program: AgentProgram): Promise<void> {
  const from = agent.log.length;
  agent.changeVersion(program);
  await agent.start();
  expect(agent.lines("rules in force", from)).toMatchObject([{ how: "adopted" }]);
}
