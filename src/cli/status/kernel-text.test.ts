import { expect, it } from "vitest";
import { withRules } from "../../../test/support/damaged-rules.ts";
import { webAndClients } from "../../../test/support/policy-cluster.ts";
import { storeOf } from "../../../test/support/random-cluster.ts";
import { compileRuleset } from "../../backends/nft/compile.ts";
import type { ReadBack, UnknownObject } from "../../backends/nft/read-back.ts";
import { type Chain, type Ruleset, TABLE } from "../../backends/nft/ruleset.ts";
import { RuleGraph } from "../../graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../program/program.ts";
import { describeKernelTable } from "./kernel-text.ts";

const OURS = compileRuleset(new RuleGraph(storeOf(webAndClients), "n1", DEFAULT_PROGRAM_OPTIONS).program());
const EMPTY: Ruleset = { table: TABLE, counters: new Set(), sets: new Map(), chains: new Map() };
const forward = OURS.chains.get("forward") as Chain;
const flags = (...words: string[]): UnknownObject => ({
  where: "flags of the table",
  json: JSON.stringify(words),
  chain: undefined,
});
const rule: UnknownObject = { where: "chain forward, rule 1", json: '{"accept":"\u001b[31m"}', chain: "forward" };

function flushed(): Ruleset {
  return { ...OURS, chains: new Map([...OURS.chains].map(([name, chain]) => [name, { ...chain, rules: [] }])) };
}

it.each<[string, ReadBack, readonly string[]]>([
  [
    "rules of an earlier agent",
    { ruleset: OURS, unknown: [] },
    [
      "the rules of an earlier one are in the kernel and go on being enforced: 46 rules, for 2 pod addresses",
      "nftpol prove --live compares them with policies",
    ],
  ],
  [
    "an empty table",
    { ruleset: EMPTY, unknown: [] },
    ["an empty table inet nftpol is in this kernel: nothing is enforced"],
  ],
  [
    "chains that have been emptied",
    { ruleset: flushed(), unknown: [] },
    ["table inet nftpol is in this kernel, but no packet is led to its rules: nothing is enforced"],
  ],
  [
    "an emptied first chain",
    { ruleset: withRules(OURS, forward, () => []), unknown: [] },
    ["table inet nftpol is in this kernel, but no packet is led to its rules: nothing is enforced"],
  ],
  [
    "a first chain that leads nowhere",
    { ruleset: withRules(OURS, forward, (rules) => rules.slice(0, 1)), unknown: [] },
    ["table inet nftpol is in this kernel, but no packet is led to its rules: nothing is enforced"],
  ],
  [
    "a table that sleeps",
    { ruleset: OURS, unknown: [flags("dormant")] },
    [
      "table inet nftpol is in this kernel, but switched off (its flag dormant): nothing is enforced",
      'not of nftpol\'s making in it: flags of the table ["dormant"]',
    ],
  ],
  [
    "somebody else's table of our name",
    { ruleset: EMPTY, unknown: [flags("owner"), { where: "chain x", json: "{}", chain: undefined }] },
    [
      "table inet nftpol in this kernel is somebody else's: nothing of nftpol is enforced",
      'not of nftpol\'s making in it: flags of the table ["owner"]; chain x {}',
    ],
  ],
  [
    "a foreign rule among ours",
    { ruleset: OURS, unknown: [rule] },
    [
      "the rules of an earlier one are in the kernel, changed by others: 46 rules, for 2 pod addresses",
      "nftpol prove --live compares them with policies",
      'not of nftpol\'s making in it: chain forward, rule 1 {"accept":"\\u{1b}[31m"}',
    ],
  ],
])("%s", (_name, found, lines) => {
  expect(describeKernelTable(found, "an earlier one")).toEqual(lines);
});
