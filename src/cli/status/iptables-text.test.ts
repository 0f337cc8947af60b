import { expect, it } from "vitest";
import { webAndClients } from "../../../test/support/policy-cluster.ts";
import { storeOf } from "../../../test/support/random-cluster.ts";
import { compileRuleset } from "../../backends/iptables/compile.ts";
import type { FoundRules } from "../../backends/iptables/read-back.ts";
import { isBuiltIn } from "../../backends/iptables/ruleset.ts";
import { tagged } from "../../backends/iptables/set-tags.ts";
import { RuleGraph } from "../../graph/rule-graph.ts";
import { FAMILIES, type Family } from "../../net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../program/program.ts";
import { describeIptables } from "./iptables-text.ts";

/** As an agent that has changed sets has left them. */
const OURS = tagged(
  compileRuleset(new RuleGraph(storeOf(webAndClients), "n1", DEFAULT_PROGRAM_OPTIONS).program()),
  () => 3,
);
const RULES = FAMILIES.flatMap((family) => [...OURS.chains[family].values()])
  .filter(({ name }) => !isBuiltIn(name))
  .flatMap(({ rules }) => rules).length;

/** `positions` of our jump in FORWARD; a family without any has no jump. */
function found(positions: Readonly<Partial<Record<Family, number>>>, others: Partial<FoundRules> = {}): FoundRules {
  const jumps = (family: Family) => {
    const [rule] = OURS.chains[family].get("FORWARD")?.rules ?? [];
    const position = positions[family];
    return rule === undefined || position === undefined ? [] : [{ chain: "FORWARD" as const, rule, position }];
  };
  return { ruleset: OURS, jumps: { 4: jumps(4), 6: jumps(6) }, unknown: [], ...others };
}

const ENFORCED = `are in iptables (variant nft) and go on being enforced: ${RULES} rules, for 2 pod addresses`;
const PROVE = "nftpol prove --live compares them with policies";
const NOT_LED =
  "chains NFTPOL-… are in iptables (variant nft), but no packet is led to their rules: nothing is enforced";
const FOREIGN = {
  where: "chain NFTPOL-NODE of IPv4, rule 1",
  text: "-A NFTPOL-NODE -j \u001b",
  chain: undefined,
  set: undefined,
};

it.each<[sentence: string, FoundRules, readonly string[]]>([
  ["rules of an earlier agent", found({ 4: 0, 6: 0 }), [`the rules of an agent ${ENFORCED}`, PROVE]],
  ["no jump of one family", found({ 4: 0 }), [`the rules of an agent ${ENFORCED}; of IPv4 alone`, PROVE]],
  ["no jump at all", found({}), [NOT_LED]],
  [
    "a jump to a chain that was emptied",
    found(
      { 4: 0, 6: 0 },
      {
        ruleset: {
          ...OURS,
          chains: { 4: new Map([["NFTPOL-FORWARD", { name: "NFTPOL-FORWARD", rules: [] }]]), 6: new Map() },
        },
      },
    ),
    [NOT_LED],
  ],
  [
    "rules of other software before ours",
    found({ 4: 2, 6: 1 }),
    [
      `the rules of an agent ${ENFORCED}`,
      PROVE,
      "before them 2 rules of FORWARD of IPv4 may let pass what they would drop",
      "before them 1 rule of FORWARD of IPv6 may let pass what they would drop",
    ],
  ],
  [
    "a foreign rule among ours",
    found({ 4: 0, 6: 0 }, { unknown: [FOREIGN] }),
    [
      `the rules of an agent are in iptables (variant nft), changed by others: ${RULES} rules, for 2 pod addresses`,
      PROVE,
      "not of nftpol's making in it: chain NFTPOL-NODE of IPv4, rule 1 -A NFTPOL-NODE -j \\u{1b}",
    ],
  ],
])("%s", (_, rules, lines) => {
  expect(describeIptables({ variant: "nft", families: FAMILIES, found: rules }, "an agent")).toEqual(lines);
});
