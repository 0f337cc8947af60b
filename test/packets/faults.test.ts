// Real packets while the agent, nft, the API server and other people's commands go wrong. Changes go on meanwhile.

import { describe, expect, it } from "vitest";
import { describeKernel } from "../support/kernel.ts";
import { nftWays } from "../support/packet-ways.ts";
import { goThroughOutage } from "./api-outage.ts";
import { FOREIGN_NFT_COMMANDS, sufferForeignCommand, sufferForeignCommandAmidChanges } from "./foreign-command.ts";
import { killProgram, written } from "./killed-programs.ts";
import { SEED, withRunningShop } from "./running-shop.ts";
import { harmTo } from "./shop.ts";

/** The minute, and as much for its beginning and its end on a busy machine. */
const OUTAGE_TIMEOUT_MS = 180_000;

describeKernel(`faults under traffic (seed ${SEED})`, () => {
  // Side by side: an outage is mostly waiting.
  describe("of the API server", { concurrent: true }, () => {
    it(
      "gone for a minute: the rules stay as they are; what changed meanwhile comes into force soon, and nothing else ever did",
      goThroughOutage,
      OUTAGE_TIMEOUT_MS,
    );
  });

  describe("on the node", { concurrent: true }, () => {
    it(
      "an agent that is killed at any moment, also while it starts, and started again harms nothing",
      {
        concurrent: false,
      },
      () =>
        withRunningShop({}, async ({ agent, traffic, streams, changeFor, random }) => {
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
        }),
    );

    it.each(FOREIGN_NFT_COMMANDS)(
      "%s: what is allowed stays so; what is denied is open until the agent goes on, and then closed, connections too",
      { concurrent: false },
      (command) => withRunningShop({}, (shop) => sufferForeignCommand(shop, command)),
    );

    describe.each(nftWays())("with $name", { concurrent: false }, (way) => {
      it("an nft that is killed in the middle of a transaction, or at any other moment, harms nothing", () =>
        withRunningShop({ way }, async (shop) => {
          const { agent, traffic, streams, changeFor, random } = shop;
          for (let round = 0; round < 4; round++) {
            await changeFor(random() * 200);
            const from = agent.log.length;
            await killProgram(shop);
            // While it repairs, too.
            if (round % 2 === 1) await killProgram(shop);
            await written(shop, from);
          }
          await traffic.finish(streams.allowed);
          expect(harmTo(streams)).toEqual([]);
          expect(agent.lines("nftpol agent started")).toMatchObject([way.logged]);
        }));

      it("flush table inet nftpol, and changes go on: what is allowed stays so, what is denied is soon closed again", () =>
        withRunningShop({ way }, (shop) => sufferForeignCommandAmidChanges(shop, "nft flush table inet nftpol")));
    });
  });
});
