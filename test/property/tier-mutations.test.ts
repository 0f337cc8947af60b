// The prover must find faults of the Admin and Baseline tiers too: each mutation is put into correct rules by hand, on the cluster of the
// golden case with all tiers.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { nftRules } from "../../src/backends/nft/provable-rules.ts";
import type { Chain, Ruleset } from "../../src/backends/nft/ruleset.ts";
import { fillStore } from "../../src/cli/input.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { proveNode } from "../../src/prove/prove.ts";
import {
  chainNamed,
  dropRule,
  editRule,
  ruleWith,
  setNamed,
  swapRules,
  withElements,
  withRules,
  withVerdicts,
} from "../support/damaged-rules.ts";
import { loadTexts } from "../support/manifests.ts";

const manifests = readFileSync(new URL("../golden/tiers/input.yaml", import.meta.url), "utf8");
const { store } = fillStore(await loadTexts({ "tiers.yaml": manifests })).input;
const correct = compileRuleset(new RuleGraph(store, "n1", DEFAULT_PROGRAM_OPTIONS).program());

function prove(ruleset: Ruleset) {
  return proveNode(store, "n1", nftRules(ruleset), DEFAULT_PROGRAM_OPTIONS);
}

/** Of web, which a NetworkPolicy isolates, and of db, which none does. */
const WEB_IN = (ruleset: Ruleset, end = "") => chainNamed(ruleset, "ingress4_cnp.guard_and1", end);
const WEB6_IN = (ruleset: Ruleset, end = "") => chainNamed(ruleset, "ingress6_cnp.guard_and1", end);
const DB_IN = (ruleset: Ruleset, end = "") => chainNamed(ruleset, "ingress4_cnp.guard_and2", end);
const OUT = (ruleset: Ruleset, end = "") => chainNamed(ruleset, "egress4_cnp.guard", end);

/** The rule that this text marks ends in another verdict. */
function verdictOf(ruleset: Ruleset, chain: Chain, text: string, verdict: object): Ruleset {
  return editRule(ruleset, chain, text, (json) =>
    json.replace(/"verdict":\{"kind":"\w+"(,"chain":"[^"]*")?\}/, `"verdict":${JSON.stringify(verdict)}`),
  );
}

const mutations: readonly (readonly [string, (ruleset: Ruleset) => Ruleset])[] = [
  ["an Admin Accept is missing", (r) => dropRule(r, WEB_IN(r), "guard[0]")],
  ["an Admin Accept of IPv6 is missing", (r) => dropRule(r, WEB6_IN(r), "guard[0]")],
  ["an Admin Deny is missing", (r) => dropRule(r, WEB_IN(r), "guard[1]")],
  ["the Deny comes before the Accept", (r) => swapRules(r, WEB_IN(r), 0, 1)],
  [
    "an Accept passes on instead of deciding",
    (r) => verdictOf(r, WEB_IN(r), "guard[0]", { kind: "goto", chain: WEB_IN(r, "_namespace").name }),
  ],
  [
    "a Deny passes on instead of deciding",
    (r) => verdictOf(r, WEB_IN(r), "guard[1]", { kind: "goto", chain: WEB_IN(r, "_namespace").name }),
  ],
  ["a Pass accepts", (r) => verdictOf(r, WEB_IN(r), "guard[2]", { kind: "return" })],
  ["a Pass denies", (r) => verdictOf(r, WEB_IN(r), "guard[2]", { kind: "goto", chain: WEB_IN(r, "_admin_deny").name })],
  ["a Pass goes on within its tier", (r) => dropRule(r, DB_IN(r), "guard[2]")],
  ["what the Admin tier leaves undecided is allowed", (r) => withRules(r, WEB_IN(r), (rules) => rules.slice(0, -1))],
  [
    "what the Admin tier leaves undecided is denied",
    (r) =>
      withRules(r, WEB_IN(r), (rules) =>
        rules.with(-1, { statements: [{ kind: "verdict", verdict: { kind: "drop" } }], comment: undefined }),
      ),
  ],
  ["the NetworkPolicy section allows everything", (r) => dropRule(r, WEB_IN(r, "_namespace"), '"goto"')],
  ["the Baseline section is not reached after a look-up by port", (r) => dropRule(r, DB_IN(r, "_rest"), "_baseline")],
  ["what follows a look-up by port is not asked", (r) => dropRule(r, DB_IN(r), "_rest")],
  ["other peers of a port are not asked further", (r) => dropRule(r, DB_IN(r, "_ports1"), "_rest")],
  ["a Deny behind a look-up by port is missing", (r) => dropRule(r, DB_IN(r, "_rest"), "many-ports[4]")],
  ["the look-up by port is missing", (r) => dropRule(r, DB_IN(r), '"vmap"')],
  ["a Baseline Accept is missing", (r) => dropRule(r, DB_IN(r, "_baseline"), "default-closed[0]")],
  ["a Baseline Deny is missing", (r) => dropRule(r, DB_IN(r, "_baseline"), "default-closed[2]")],
  ["an Admin drop is missing", (r) => dropRule(r, WEB_IN(r, "_admin_deny"), '"drop"')],
  ["an Admin drop blocks neighbour discovery", (r) => dropRule(r, WEB6_IN(r, "_admin_deny"), "icmpv6 type")],
  ["an Admin drop blocks DHCP answers", (r) => dropRule(r, WEB_IN(r, "_admin_deny"), "udp sport")],
  ["a Baseline drop blocks DHCP answers", (r) => dropRule(r, DB_IN(r, "_baseline_deny"), "udp sport")],
  [
    "a pod gets past its Baseline Deny to itself through a service",
    (r) => {
      const self = WEB_IN(r, "_deny").rules[ruleWith(WEB_IN(r, "_deny"), "self4")] as Chain["rules"][number];
      return withRules(r, DB_IN(r, "_baseline_deny"), (rules) => [self, ...rules]);
    },
  ],
  ["NetworkPolicy's section blocks a pod to itself through a service", (r) => dropRule(r, WEB_IN(r, "_deny"), "self4")],
  ["an egress Accept is missing", (r) => dropRule(r, OUT(r), "guard[0]")],
  ["a node is missing among the nodes", (r) => withElements(r, "nodes4_all.nodes", ([, ...rest]) => rest)],
  [
    "a pod's address is among the nodes",
    (r) => withElements(r, "nodes4_all.nodes", (elements) => [...elements, "10.0.1.1"]),
  ],
  [
    "a node of other labels is among the nodes",
    (r) => withElements(r, "nodes4_nodes.role.infra", (elements) => [...elements, "10.9.0.1"]),
  ],
  ["a network is missing", (r) => dropRule(r, OUT(r), "169.254.169.254")],
  ["what a pod sends to its node is not judged", (r) => dropRule(r, chainNamed(r, "input"), "node4")],
  ["what a pod sends to its node by IPv6 is not judged", (r) => dropRule(r, chainNamed(r, "input"), "dispatch6_node")],
  ["the input hook is gone", (r) => ({ ...r, chains: new Map([...r.chains].filter(([name]) => name !== "input")) })],
  [
    "one pod's packets to the node are not judged",
    (r) => withVerdicts(r, "node4", (elements) => void elements.delete("10.0.0.1")),
  ],
  ["known connections to the node are judged again", (r) => dropRule(r, chainNamed(r, "input"), "established")],
  [
    "a pod's packets to the node meet a class for ingress",
    (r) =>
      withVerdicts(r, "node4", (elements) => void elements.set("10.0.0.1", { kind: "jump", chain: WEB_IN(r).name })),
  ],
  [
    "the port of a name is not the pod's own",
    (r) => editRule(r, WEB_IN(r), "guard[0]", (json) => json.replace('"8080"', '"5432"')),
  ],
  [
    "a denied range ends one early",
    (r) => editRule(r, DB_IN(r, "_rest"), "1-1023", (json) => json.replace("1-1023", "1-1022")),
  ],
];

describe("the prover finds each mutation", () => {
  test("and nothing in the correct rules", () => {
    expect(prove(correct)).toMatchObject({ outcome: "equal", exhaustive: true });
    expect(setNamed(correct, "node4").elements.size).toBe(2);
  });

  test.each(mutations)("%s", (_, mutate) => {
    expect(prove(mutate(correct)).outcome).toBe("different");
  });
});
