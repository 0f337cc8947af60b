// Real packets while 1,000 changes are applied to a running agent: what every state allows is not lost, what every state
// denies does not get through. NFTPOL_SEED makes other changes.

import { expect, it } from "vitest";
import { describeKernel } from "../support/kernel.ts";
import { waysToWrite } from "../support/packet-ways.ts";
import { changeOnce, SEED, withRunningShop } from "./running-shop.ts";
import { harmTo } from "./shop.ts";

const CHANGES = 1000;
/** A machine without time for more puts many changes into one transaction: then a few more changes come. */
const TRANSACTIONS = 100;

describeKernel("1,000 changes under traffic", () => {
  it.each(waysToWrite())(`lose no allowed packet and let no denied one through ($name; seed ${SEED})`, (way) =>
    withRunningShop({ way }, async ({ agent, traffic, streams, changes }) => {
      const transactions = () => agent.lines("rules changed").length;
      for (let made = 0; made < CHANGES || transactions() < TRANSACTIONS; made++) await changeOnce(changes, agent);
      await traffic.finish(streams.allowed);
      expect(harmTo(streams)).toEqual([]);
      expect(agent.log.filter((line) => line.level === "error")).toEqual([]);
      expect(agent.lines("nftpol agent started")).toMatchObject([way.logged]);
    }),
  );
});
