// Stages that the kernel takes or refuses, for the stand-in in memory and for the kernel itself: both have to agree.
import { ownJump } from "../../src/backends/iptables/base-chains.ts";
import { chain, DROP, goto, inSet, jump, rule } from "../../src/backends/iptables/build.ts";
import { MAX_CHAIN_NAME, MAX_SET_NAME } from "../../src/backends/iptables/names.ts";
import type { Chain, IpSet } from "../../src/backends/iptables/ruleset.ts";
import type { Stage } from "../../src/backends/iptables/stages.ts";
import type { Variant } from "../../src/backends/iptables/xtables-version.ts";
import type { Family } from "../../src/net/address.ts";
import { rulesStage } from "./iptables-bench.ts";

const set = (name: string, elements: readonly string[] = [], family: Family = 4, maxElements = 2): IpSet => ({
  name,
  type: "hash:ip",
  family,
  maxElements,
  elements: new Set(elements),
});
const named = (kind: "add" | "del", name: string, ...elements: readonly string[]): Stage => ({
  kind: "change-elements",
  changes: [{ set: name, action: kind, elements }],
});
const create = (...sets: readonly IpSet[]): Stage => ({ kind: "create-sets", sets });
const destroy = (...sets: readonly string[]): Stage => ({ kind: "destroy-sets", sets });
const write = (...chains: readonly Chain[]): Stage => rulesStage(4, { write: chains });
const remove = (...names: readonly string[]): Stage => rulesStage(4, { remove: names });
const jumps = ownJump("FORWARD").rules.map((each) => ({ chain: "FORWARD" as const, rule: each }));

/** Our jump leads to NFTPOL-FORWARD, that to A where an address is in the set `used`, and A to B. `free` is looked up by nothing. */
export const START: readonly Stage[] = [
  create(set("NFTPOL-used", ["10.0.0.1"]), set("NFTPOL-free"), set("NFTPOL-six", [], 6)),
  rulesStage(4, {
    write: [
      chain("NFTPOL-FORWARD", [rule([inSet("NFTPOL-used", "src")], jump("NFTPOL-A"))]),
      chain("NFTPOL-A", [rule([], goto("NFTPOL-B"))]),
      chain("NFTPOL-B", [rule([], DROP)]),
    ],
    hook: jumps,
  }),
];

/** Chains one behind the other, of which the first is `NFTPOL-D1`, the farthest `steps` from FORWARD. */
function ladder(steps: number): Stage {
  const chains = Array.from({ length: steps - 1 }, (_, index) =>
    chain(`NFTPOL-D${index + 1}`, index === steps - 2 ? [rule([], DROP)] : [rule([], goto(`NFTPOL-D${index + 2}`))]),
  );
  return write(chain("NFTPOL-FORWARD", [rule([], jump("NFTPOL-D1"))]), ...chains);
}

export interface StageCase {
  readonly name: string;
  readonly stage: Stage;
  /** undefined: both do what is said. */
  readonly only?: Variant;
}

export const REFUSED: readonly StageCase[] = [
  {
    name: "a rule that goes to a chain that is not there",
    stage: write(chain("NFTPOL-B", [rule([], goto("NFTPOL-C"))])),
  },
  { name: "a rule that goes to a built-in chain", stage: write(chain("NFTPOL-B", [rule([], jump("FORWARD"))])) },
  {
    name: "a rule that looks up a set that is not there",
    stage: write(chain("NFTPOL-B", [rule([inSet("NFTPOL-none", "src")], DROP)])),
  },
  {
    name: "a rule that looks up a set of the other family",
    stage: write(chain("NFTPOL-B", [rule([inSet("NFTPOL-six", "src")], DROP)])),
  },
  { name: "chains in a circle", stage: write(chain("NFTPOL-B", [rule([], goto("NFTPOL-A"))])) },
  { name: "chains 16 steps from a hook", stage: ladder(16), only: "nft" },
  {
    name: "a chain with a name that is too long",
    stage: write(chain("NFTPOL-".padEnd(MAX_CHAIN_NAME + 1, "a"), [])),
  },
  { name: "the removal of a chain that a rule goes to", stage: remove("NFTPOL-B") },
  { name: "the removal of a jump that is not there", stage: rulesStage(4, { unhook: [...jumps, ...jumps] }) },
  { name: "a set that is there already", stage: create(set("NFTPOL-free")) },
  { name: "a set with a name that is too long", stage: create(set("NFTPOL-".padEnd(MAX_SET_NAME + 1, "a"))) },
  {
    name: "a set with more elements than it may hold",
    stage: create(set("NFTPOL-new", ["10.0.0.1", "10.0.0.2", "10.0.0.3"])),
  },
  { name: "an element for a set that is not there", stage: named("add", "NFTPOL-none", "10.0.0.1") },
  { name: "an element less in a set that is not there", stage: named("del", "NFTPOL-none", "10.0.0.1") },
  { name: "an element for a full set", stage: named("add", "NFTPOL-used", "10.0.0.2", "10.0.0.3") },
  { name: "the end of a set that is looked up", stage: destroy("NFTPOL-used") },
  { name: "the end of a set that is not there", stage: destroy("NFTPOL-none") },
];

export const TAKEN: readonly StageCase[] = [
  { name: "chains 15 steps from a hook", stage: ladder(15) },
  { name: "chains 16 steps from a hook, by legacy", stage: ladder(16), only: "legacy" },
  { name: "a chain with the longest name", stage: write(chain("NFTPOL-".padEnd(MAX_CHAIN_NAME, "a"), [])) },
  { name: "a set with the longest name", stage: create(set("NFTPOL-".padEnd(MAX_SET_NAME, "a"))) },
  {
    name: "chains that go together with what leads to them",
    stage: rulesStage(4, { remove: ["NFTPOL-B", "NFTPOL-A", "NFTPOL-FORWARD"], unhook: jumps }),
  },
  {
    name: "a chain that gets other rules and does not lead where it led, to a chain that goes",
    stage: rulesStage(4, { write: [chain("NFTPOL-A", [rule([], DROP)])], remove: ["NFTPOL-B"] }),
  },
  { name: "the removal of a chain that is not there", stage: remove("NFTPOL-C") },
  { name: "a jump that is taken out and put in again", stage: rulesStage(4, { unhook: jumps, hook: jumps }) },
  { name: "a second jump", stage: rulesStage(4, { hook: jumps }) },
  { name: "an element that is there already", stage: named("add", "NFTPOL-used", "10.0.0.1") },
  { name: "an element less that is not there", stage: named("del", "NFTPOL-used", "10.0.0.9") },
  { name: "as many elements as a set may hold", stage: named("add", "NFTPOL-used", "10.0.0.2") },
  { name: "the end of a set that nothing looks up", stage: destroy("NFTPOL-free") },
];
