// The prover must find faults of strict start too (`unknownLocalPods: "drop"`): each mutation is put into correct rules by hand.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { nftRules } from "../../src/backends/nft/provable-rules.ts";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { fillStore } from "../../src/cli/input.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../src/program/program.ts";
import { proveNode } from "../../src/prove/prove.ts";
import {
  chainNamed,
  dropRule,
  editRule,
  ruleWith,
  swapRules,
  withElements,
  without,
  withRules,
} from "../support/damaged-rules.ts";
import { loadTexts } from "../support/manifests.ts";

const manifests = readFileSync(new URL("./mutations.yaml", import.meta.url), "utf8");
const { store } = fillStore(await loadTexts({ "mutations.yaml": manifests })).input;
const STRICT: ProgramOptions = { ...DEFAULT_PROGRAM_OPTIONS, serviceProxy: "ipvs", unknownLocalPods: "drop" };
const strict = compileRuleset(new RuleGraph(store, "n1", STRICT).program());

function prove(ruleset: Ruleset, options: ProgramOptions) {
  return proveNode(store, "n1", nftRules(ruleset), options);
}

const mutations: readonly (readonly [string, (ruleset: Ruleset) => Ruleset])[] = [
  ["forwarded packets are not asked", (r) => dropRule(r, chainNamed(r, "forward"), '"unknown"')],
  ["packets that IPVS translated are not asked", (r) => dropRule(r, chainNamed(r, "output"), '"unknown"')],
  [
    "what the node itself sends is asked",
    (r) => {
      const chain = chainNamed(r, "output");
      return swapRules(r, chain, ruleWith(chain, "fib saddr type"), ruleWith(chain, '"unknown"'));
    },
  ],
  [
    "known connections are asked",
    (r) => {
      const chain = chainNamed(r, "forward");
      return swapRules(r, chain, ruleWith(chain, "established"), ruleWith(chain, '"unknown"'));
    },
  ],
  ["an unknown address may send", (r) => dropRule(r, chainNamed(r, "unknown"), "unknown_egress4")],
  ["an unknown address may receive", (r) => dropRule(r, chainNamed(r, "unknown"), "unknown_ingress4")],
  ["an unknown IPv6 address may send", (r) => dropRule(r, chainNamed(r, "unknown"), "unknown_egress6")],
  ["an unknown IPv6 address may receive", (r) => dropRule(r, chainNamed(r, "unknown"), "unknown_ingress6")],
  [
    "known addresses are closed and unknown ones are not",
    (r) => editRule(r, chainNamed(r, "unknown"), "unknown_egress4", (json) => json.replace('"!="', '"=="')),
  ],
  [
    "every address in the block is closed",
    (r) =>
      editRule(r, chainNamed(r, "unknown"), "unknown_egress4", (json) =>
        json.replace(/,\{"kind":"match","left":\{"kind":"field","field":"ip saddr"\},"operator":"!="[^}]*\}\}/, ""),
      ),
  ],
  [
    "every unknown address is closed, also outside of the blocks",
    (r) =>
      editRule(r, chainNamed(r, "unknown"), "unknown_ingress4", (json) =>
        json.replace(/\{"kind":"match","left":\{"kind":"field","field":"ip daddr"\},"operator":"=="[^}]*\}\},/, ""),
      ),
  ],
  [
    "the block is one bit too narrow",
    (r) =>
      editRule(r, chainNamed(r, "unknown"), "unknown_egress4", (json) => json.replace("10.0.0.0/24", "10.0.0.0/25")),
  ],
  [
    "the block is one bit too wide",
    (r) =>
      editRule(r, chainNamed(r, "unknown"), "unknown_ingress6", (json) => json.replace("fd00::/112", "fd00::/111")),
  ],
  [
    "the wrong set is asked",
    (r) => editRule(r, chainNamed(r, "unknown"), "unknown_egress4", (json) => json.replace("known4", "isolated4")),
  ],
  ["a pod that no policy isolates is not known", (r) => withElements(r, "known4", (all) => without(all, "10.0.0.9"))],
  ["a pod that a policy isolates is not known", (r) => withElements(r, "known4", (all) => without(all, "10.0.0.2"))],
  ["a finished pod's address is known", (r) => withElements(r, "known4", (all) => [...all, "10.0.0.77"])],
  ["an address that nobody has is known", (r) => withElements(r, "known6", (all) => [...all, "fd00::abc"])],
  ["the drop is missing", (r) => dropRule(r, chainNamed(r, "unknown_egress4"), '"drop"')],
  [
    "the drop becomes accept",
    (r) => editRule(r, chainNamed(r, "unknown_ingress6"), '"drop"', (json) => json.replace('"drop"', '"accept"')),
  ],
  ["neighbour discovery is dropped", (r) => dropRule(r, chainNamed(r, "unknown_egress6"), "icmpv6")],
  [
    "one ICMPv6 type too many passes",
    (r) =>
      editRule(r, chainNamed(r, "unknown_ingress6"), "icmpv6", (json) =>
        json.replace('"nd-redirect"', '"nd-redirect","echo-request"'),
      ),
  ],
  ["DHCP answers are dropped", (r) => dropRule(r, chainNamed(r, "unknown_ingress4"), "udp sport")],
  [
    "unknown addresses may answer as DHCP servers",
    (r) =>
      withRules(r, chainNamed(r, "unknown_egress4"), (rules) => [
        ...chainNamed(r, "unknown_ingress4").rules.slice(0, 1),
        ...rules,
      ]),
  ],
  [
    "a DHCP answer is accepted at once, so the policies of its sender are never asked",
    (r) => editRule(r, chainNamed(r, "unknown_ingress4"), "udp sport", (json) => json.replace('"return"', '"accept"')),
  ],
];

describe("the prover finds each mutation of strict start", () => {
  test("and nothing in the correct rules", () => {
    expect(prove(strict, STRICT)).toMatchObject({ outcome: "equal", exhaustive: true });
  });

  test.each(mutations)("%s", (_, mutate) => {
    expect(prove(mutate(strict), STRICT).outcome).toBe("different");
  });

  test("rules without strict start where it is asked for, and with it where it is not", () => {
    const options: ProgramOptions = { ...STRICT, unknownLocalPods: "allow" };
    const open = compileRuleset(new RuleGraph(store, "n1", options).program());
    expect(prove(open, STRICT).outcome).toBe("different");
    expect(prove(strict, options).outcome).toBe("different");
  });
});
