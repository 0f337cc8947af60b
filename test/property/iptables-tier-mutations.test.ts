// The prover must find faults of the Admin and Baseline tiers in rules of iptables, and faults of strict start: each mutation is put into
// correct rules by hand.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { iptablesRules } from "../../src/backends/iptables/provable-rules.ts";
import { fillStore } from "../../src/cli/input.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../src/program/program.ts";
import { proveNode } from "../../src/prove/prove.ts";
import type { ClusterStore } from "../../src/state/store.ts";
import {
  addElement,
  before,
  type Damage,
  drop,
  edit,
  inChainOf,
  lead,
  line,
  removeElement,
  rulesetIn,
  type SavedLines,
  savedLines,
  setOf,
  swap,
} from "../support/damaged-iptables.ts";
import { loadTexts } from "../support/manifests.ts";

async function load(path: string): Promise<ClusterStore> {
  const text = readFileSync(new URL(path, import.meta.url), "utf8");
  return fillStore(await loadTexts({ "in.yaml": text })).input.store;
}

function proverOf(store: ClusterStore, options: ProgramOptions) {
  const compiled = compileRuleset(new RuleGraph(store, "n1", options).program());
  const prove = (saved: SavedLines) => proveNode(store, "n1", iptablesRules(rulesetIn(saved)), options);
  return { correct: savedLines(compiled), prove };
}

/** The last rule of a section, which leads on. */
const END = /^-A \S+ -g /;
/** Of web, which a NetworkPolicy isolates, and of db, which none does; both are judged by the tiers. */
const WEB = /--dport 8080 .*\/guard\[0\]/;
const WEB_POLICY = /"shop\/web\[0\]"/;
const DB = /--dport 5432 .*\/guard\[0\]/;
const DB_REST = /many-ports\[4\]/;
const DB_GROUP = /p4-lu6pinagfomag2bu/;
const BASELINE = /default-closed\[0\]/;
const WEB_ADMIN_DENY = /prefix .*_and1_\w+_admin "/;
const WEB_DENY = /prefix "nftpol ingress[46]_cnp\.guard_and1_\w{16} "/;
const DB_BASELINE_DENY = /prefix .*_and2_\w+_baseline "/;
const OUT_INFRA = /--dport 6443 /;
const OUT_NODES = /m4-\S+ dst .*guard\[2\]/;
const TO_NODE = /-A NFTPOL-NODE .*match-set/;
const SAME_ADDRESS = '"6,32 0 0 12,7 0 0 0,32 0 0 16,29 0 1 0,6 0 0 1,6 0 0 0"';

const TIERS: readonly (readonly [sentence: string, damage: Damage])[] = [
  ["an Admin Accept is missing", drop(4, line(WEB))],
  ["an Admin Accept of IPv6 is missing", drop(6, line(WEB))],
  ["an Admin Deny is missing", drop(4, inChainOf(WEB, /guard\[1\]/))],
  ["the Deny comes before the Accept", swap(4, line(WEB), inChainOf(WEB, /guard\[1\]/))],
  ["an Accept passes on instead of deciding", lead(4, line(WEB), WEB_POLICY)],
  ["a Deny passes on instead of deciding", lead(4, inChainOf(WEB, /guard\[1\]/), WEB_POLICY)],
  ["a Pass accepts", edit(4, inChainOf(WEB, /guard\[2\]/), /-g \S+/, "-j RETURN")],
  ["a Pass denies", lead(4, inChainOf(WEB, /guard\[2\]/), WEB_ADMIN_DENY)],
  ["a Pass goes on within its tier", drop(4, inChainOf(DB, /guard\[2\]/))],
  ["what comes back from a Pass is asked again", edit(4, inChainOf(DB, /guard\[2\]/), "-g", "-j")],
  ["what the Admin tier leaves undecided is allowed", drop(4, inChainOf(WEB, END))],
  [
    "what the Admin tier leaves undecided is denied, DHCP answers too",
    edit(4, inChainOf(WEB, END), /-g \S+/, "-j DROP"),
  ],
  ["the NetworkPolicy section allows everything", drop(4, inChainOf(WEB_POLICY, END))],
  ["the Baseline section is not reached after a look-up by port", drop(4, inChainOf(DB_REST, END))],
  ["what follows a look-up by port is not asked", drop(4, inChainOf(DB, END))],
  ["other peers of a port are not asked further", drop(4, inChainOf(DB_GROUP, END))],
  ["a Deny behind a look-up by port is missing", drop(4, line(DB_REST))],
  ["a port of the look-up is missing", drop(4, inChainOf(DB, /--dport 5432 -g/))],
  ["a Baseline Accept is missing", drop(4, line(BASELINE))],
  ["a Baseline Deny is missing", drop(4, line(/default-closed\[2\]/))],
  ["an Admin drop is missing", drop(4, inChainOf(WEB_ADMIN_DENY, END))],
  ["an Admin drop blocks neighbour discovery", drop(6, inChainOf(WEB_ADMIN_DENY, /icmpv6-type 136/))],
  ["an Admin drop blocks DHCP answers", drop(4, inChainOf(WEB_ADMIN_DENY, /--sport/))],
  ["a Baseline drop blocks DHCP answers", drop(4, inChainOf(DB_BASELINE_DENY, /--sport/))],
  [
    "a pod gets past its Baseline Deny to itself through a service",
    before(
      4,
      line(DB_BASELINE_DENY),
      `-A CHAIN -m conntrack --ctstate DNAT -m bpf --bytecode ${SAME_ADDRESS} -j RETURN`,
    ),
  ],
  ["NetworkPolicy's section blocks a pod to itself through a service", drop(4, inChainOf(WEB_DENY, /bpf/))],
  ["an egress Accept is missing", drop(4, inChainOf(OUT_INFRA, /--dport 53 /))],
  ["a node is missing among the nodes", removeElement(setOf(4, line(OUT_NODES)), "10.9.0.1")],
  ["a pod's address is among the nodes", addElement(setOf(4, line(OUT_NODES)), "10.0.1.1")],
  ["a node of other labels is among the nodes", addElement(setOf(4, line(OUT_INFRA)), "10.9.0.1")],
  ["a network is missing", drop(4, line(/169\.254\.169\.254/))],
  ["what a pod sends to its node is not judged", drop(4, line(/-A NFTPOL-INPUT .*node4/))],
  ["what a pod sends to its node by IPv6 is not judged", drop(6, line(/-A NFTPOL-INPUT .*node6/))],
  ["the jump of INPUT is missing", drop(4, line(/-A INPUT/))],
  ["one pod's packets to the node are not judged", removeElement("node4", "10.0.0.1")],
  ["one pod's packets to the node have no class", removeElement(setOf(4, line(TO_NODE)), "10.0.0.1")],
  ["known connections to the node are judged again", drop(4, line(/-A NFTPOL-INPUT .*ctstate/))],
  ["a pod's packets to the node meet a class for ingress", lead(4, line(TO_NODE), WEB)],
  ["the port of a name is not the pod's own", edit(4, line(WEB), "8080", "5432")],
  ["a denied range ends one early", edit(4, line(DB_REST), "1:1023", "1:1022")],
  ["one of several ports is missing", edit(4, line(BASELINE), "-m multiport --dports 443,5432", "-m tcp --dport 443")],
];

const unknown = (rest: string) => line(new RegExp(`-A NFTPOL-UNKNOWN ${rest}`));
const FROM_UNKNOWN = unknown(".*UNKNOWN-EGRESS");
const TO_UNKNOWN = unknown(".*UNKNOWN-INGRESS");
const of = (chain: string, rest: string) => line(new RegExp(`-A NFTPOL-${chain} ${rest}`));

const STRICT_START: readonly (readonly [sentence: string, damage: Damage])[] = [
  ["forwarded packets are not asked", drop(4, of("FORWARD", ".*NFTPOL-UNKNOWN$"))],
  ["packets that IPVS translated are not asked", drop(4, of("OUTPUT", ".*NFTPOL-UNKNOWN$"))],
  ["what the node itself sends is asked", swap(4, of("OUTPUT", ".*addrtype"), of("OUTPUT", ".*NFTPOL-UNKNOWN$"))],
  [
    "what IPVS translated is taken for the node's own",
    edit(4, of("OUTPUT", ".*addrtype"), "-m addrtype --src-type LOCAL ", ""),
  ],
  ["the jump of OUTPUT is missing", drop(6, line(/-A OUTPUT/))],
  ["known connections are asked", swap(4, of("FORWARD", ".*ctstate"), of("FORWARD", ".*NFTPOL-UNKNOWN$"))],
  ["an unknown address may send", drop(4, FROM_UNKNOWN)],
  ["an unknown address may receive", drop(4, TO_UNKNOWN)],
  ["an unknown IPv6 address may send", drop(6, FROM_UNKNOWN)],
  ["an unknown IPv6 address may receive", drop(6, TO_UNKNOWN)],
  ["known addresses are closed and unknown ones are not", edit(4, FROM_UNKNOWN, "! --match-set", "--match-set")],
  ["every address in the block is closed", edit(4, FROM_UNKNOWN, /-m set ! --match-set \S+ src /, "")],
  ["every unknown address is closed, also outside of the blocks", edit(4, TO_UNKNOWN, "-d 10.0.0.0/24 ", "")],
  ["the block is one bit too narrow", edit(4, FROM_UNKNOWN, "10.0.0.0/24", "10.0.0.0/25")],
  ["the block is one bit too wide", edit(6, TO_UNKNOWN, "fd00::/112", "fd00::/111")],
  ["the wrong set is asked", edit(4, FROM_UNKNOWN, "known4", "isolated4")],
  ["the wrong side is asked", edit(4, FROM_UNKNOWN, " src ", " dst ")],
  ["a pod that no policy isolates is not known", removeElement("known4", "10.0.0.9")],
  ["a pod that a policy isolates is not known", removeElement("known4", "10.0.0.2")],
  ["a finished pod's address is known", addElement("known4", "10.0.0.77")],
  ["an address that nobody has is known", addElement("known6", "fd00::abc")],
  ["the drop is missing", drop(4, of("UNKNOWN-EGRESS", "-g"))],
  ["the drop becomes RETURN", edit(6, of("UNKNOWN-INGRESS", "-g"), /-g \S+/, "-j RETURN")],
  ["a type of neighbour discovery is dropped", drop(6, of("UNKNOWN-EGRESS", ".*icmpv6-type 133"))],
  [
    "one ICMPv6 type too many passes",
    before(6, of("UNKNOWN-INGRESS", ".*--sport"), "-A CHAIN -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j RETURN"),
  ],
  ["DHCP answers are dropped", drop(4, of("UNKNOWN-INGRESS", ".*--sport"))],
  [
    "unknown addresses may answer as DHCP servers",
    before(4, of("UNKNOWN-EGRESS", "-g"), "-A CHAIN -p udp -m udp --sport 67 --dport 68 -j RETURN"),
  ],
  ["a DHCP answer leads past the policies of its sender", edit(4, of("FORWARD", ".*NFTPOL-UNKNOWN$"), "-j", "-g")],
];

const STRICT: ProgramOptions = { ...DEFAULT_PROGRAM_OPTIONS, serviceProxy: "ipvs", unknownLocalPods: "drop" };
const tiers = proverOf(await load("../golden/tiers/input.yaml"), DEFAULT_PROGRAM_OPTIONS);
const strict = proverOf(await load("./mutations.yaml"), STRICT);

describe.each([
  { of: "tiers", mutations: TIERS, ...tiers },
  { of: "strict start", mutations: STRICT_START, ...strict },
])("the prover finds each mutation of $of", ({ mutations, correct, prove }) => {
  test("and nothing in the correct rules", () => {
    expect(prove(correct)).toMatchObject({ outcome: "equal", exhaustive: true });
  });

  test.each(mutations)("%s", (_, damage) => {
    expect(prove(damage(correct)).outcome).toBe("different");
  });
});
