// The rules that an earlier version left, as they were saved: this version's agent goes on from them, and leaves what it makes of a kernel
// without rules. Then the way back, by the earlier version itself. Under traffic: upgrade.test.ts.

import { describe, expect, it } from "vitest";
import { EARLIER_TABLES, type EarlierTable, loadEarlierTable, MANIFESTS_ARGS } from "../support/earlier-tables.ts";
import { programOf } from "../support/earlier-version.ts";
import { describeKernel } from "../support/kernel.ts";
import { listedRules } from "../support/listed-rules.ts";
import { type Netns, withNetns } from "../support/netns.ts";
import { type AgentProgram, PacketAgent, runNftpolIn, THIS_VERSION } from "../support/packet-agent.ts";
import { until } from "../support/until.ts";
import { XTABLES_PROGRAMS } from "../support/xtables-in-netns.ts";
import { type Generation, withGenerations } from "./generations.ts";

interface Case {
  readonly name: string;
  readonly table: EarlierTable;
  readonly variant: "nft" | "legacy";
}

const CASES: readonly Case[] = EARLIER_TABLES.flatMap((table): readonly Case[] =>
  isOfNft(table)
    ? [{ name: table.file, table, variant: "nft" }]
    : (["nft", "legacy"] as const).map((variant) => ({ name: `${table.file}, ${variant}`, table, variant })),
);

describeKernel(
  "the rules of an earlier version",
  () => {
    describe.each(CASES)("$name", ({ table, variant }) => {
      it("are taken over, in one step for packets, without a trace; and back", () =>
        withNetns(async (node) => {
          const life = (program: AgentProgram) => lifeOf(node, table, variant, program);
          await life(THIS_VERSION);
          const fresh = await listedRules(node);
          expect(await runNftpolIn(node, "cleanup")).toMatchObject({ code: 0 });
          expect(await listedRules(node)).toBe("");

          await loadEarlierTable(node, table, variant);
          const earlier = await listedRules(node);
          expect(earlier).not.toBe(fresh);
          const generations = await generationsDuring(node, async () =>
            expect(await life(THIS_VERSION)).toBe("adopted"),
          );
          expect(await listedRules(node)).toBe(fresh);
          if (isOfNft(table)) expect(generations.filter(isMetByPackets)).toHaveLength(1);

          expect(await life(programOf(table.version))).toBe("adopted");
          expect(await listedRules(node)).toBe(earlier);
        }));
    });
  },
  XTABLES_PROGRAMS,
);

/** Starts an agent that ends when its rules are in force: how they came about. */
async function lifeOf(node: Netns, table: EarlierTable, variant: string, program: AgentProgram): Promise<unknown> {
  const by = table.by.map((word) => (word === "nft" ? variant : word));
  const agent = new PacketAgent(node, [...MANIFESTS_ARGS, ...by]);
  agent.changeVersion(program);
  try {
    await agent.start();
    expect(await agent.end("SIGTERM")).toBe(0);
    expect(agent.log.filter(({ level }) => level === "error")).toEqual([]);
    return agent.lines("rules in force")[0]?.how;
  } finally {
    await agent.end("SIGKILL");
  }
}

/** All that the kernel tells of nft's tables until `body` has ended. */
function generationsDuring(node: Netns, body: () => Promise<void>): Promise<readonly Generation[]> {
  return withGenerations(node, async (generations) => {
    await body();
    // What was told before this has come.
    expect(await node.run(["nft", "add table inet fence; delete table inet fence"])).toMatchObject({ code: 0 });
    const isFence = (line: string) => line === "add table inet fence";
    await until("the fence is told", () => generations.some((lines) => lines.some(isFence)));
    return [...generations];
  });
}

function isOfNft({ file }: EarlierTable): boolean {
  return file.endsWith(".nft");
}

/** New chains and sets are made ready before, and what is not used any more goes after that. */
function isMetByPackets(generation: Generation): boolean {
  const met = /^(add|delete) (rule inet nftpol forward|element inet nftpol (egress|ingress|isolated)[46]) /;
  return generation.some((line) => met.test(line));
}
