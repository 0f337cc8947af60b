// Owns how somebody else spoils our chains and sets of iptables, and what the verification has to say about it: what the suite over
// all backends asks of iptables.
import { RETURN, rule } from "../../src/backends/iptables/build.ts";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { FORWARD_CHAIN, judgedSet, MIDSTREAM_CHAIN } from "../../src/backends/iptables/names.ts";
import type { FoundRules } from "../../src/backends/iptables/read-back.ts";
import { differenceTo, NOTHING_DESIRED } from "../../src/backends/iptables/repair.ts";
import { type IpSet, type IptablesRuleset, isBuiltIn, type Rule } from "../../src/backends/iptables/ruleset.ts";
import { splitName } from "../../src/backends/iptables/set-tags.ts";
import type { Stage } from "../../src/backends/iptables/stages.ts";
import { FAMILIES, type Family } from "../../src/net/address.ts";
import { cidrOfAddress } from "../../src/net/cidr.ts";
import type { BackendBench, Damage } from "./backend-suite.ts";
import { expectedText, foundText, reachableText } from "./comparable-iptables.ts";
import { addressOf } from "./policy-cluster.ts";

/** Where the rules are. */
export interface IptablesPlace extends Pick<BackendBench, "open" | "fingerprint"> {
  /** The rules as they are, read past all backends. */
  rules(): Promise<FoundRules>;
  /** Somebody else changes our rules. */
  foreign(stages: readonly Stage[]): Promise<void>;
  /** The next difference that makes a set is refused. */
  refuseNextSet(): Promise<void>;
}

export function iptablesBench({ open, fingerprint, rules, foreign, refuseNextSet }: IptablesPlace): BackendBench {
  const ruleset = async () => (await rules()).ruleset;
  const damage = async (kind: Damage) => {
    const { sentence, stages } = DAMAGES[kind];
    await foreign(stages(await ruleset()));
    return sentence;
  };
  return {
    open,
    fingerprint,
    found: async () => foundText(await rules()),
    expected: expectedText,
    met: async () => reachableText(await ruleset()),
    size: async () => sizeOf(await ruleset()),
    // New sets; for each family the rules, or what opens and what closes; old sets.
    mostTexts: 6,
    damage,
    removeAll: async () => {
      await foreign(differenceTo(await rules(), NOTHING_DESIRED).stages);
      return "our chains and sets are missing";
    },
    // The name of a set that the delta makes is taken.
    refuseNextDelta: async (graph) => {
      const names = new Set([...(await ruleset()).sets.keys()].map((name) => splitName(name).name));
      const added = [...compileRuleset(graph.program()).sets.keys()].find((name) => !names.has(name));
      if (added === undefined) throw new Error("the delta adds no set");
      await foreign([{ kind: "create-sets", sets: [emptySet(added, "hash:net")] }]);
    },
    refuseDifference: async () => {
      const sentence = await damage("a missing element");
      await refuseNextSet();
      return sentence;
    },
  };
}

interface IptablesDamage {
  readonly sentence: RegExp;
  readonly stages: (ruleset: IptablesRuleset) => readonly Stage[];
}

const PAST_THE_RULES = rule([{ kind: "source", block: cidrOfAddress(addressOf("203.0.113.9")) }], RETURN);

const DAMAGES: Readonly<Record<Damage, IptablesDamage>> = {
  "emptied chains": {
    sentence: /^chain NFTPOL-FORWARD of IPv[46] lacks the rule: -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN$/,
    stages: ({ chains }) =>
      FAMILIES.map((family) => {
        const own = [...chains[family].values()].filter(({ name }) => !isBuiltIn(name));
        return rulesStage(family, { write: own.map((each) => ({ ...each, rules: [] })) });
      }),
  },
  "a deleted rule": {
    sentence: /^chain NFTPOL-MIDSTREAM of IPv4 lacks the rule: /,
    stages: (ruleset) => [refill(ruleset, 4, MIDSTREAM_CHAIN, (rules) => rules.slice(1))],
  },
  "a way past the rules": {
    sentence: /^chain NFTPOL-FORWARD of IPv4 has a rule too many: -s 203\.0\.113\.9\/32 -j RETURN$/,
    stages: (ruleset) => [refill(ruleset, 4, FORWARD_CHAIN, (rules) => [PAST_THE_RULES, ...rules])],
  },
  "rules in another order": {
    sentence: /^chain NFTPOL-FORWARD of IPv6 has its rules in another order$/,
    stages: (ruleset) => [refill(ruleset, 6, FORWARD_CHAIN, (rules) => [...rules].reverse())],
  },
  "a missing element": {
    sentence: /^set NFTPOL-p4-\S+ lacks 1 element \(10\.1\.0\.1\)$/,
    stages: (ruleset) => [elementStage(clientsSet(ruleset), "del", "10.1.0.1")],
  },
  "an element too many": {
    sentence: /^set NFTPOL-p4-\S+ has 1 element \(203\.0\.113\.9\) too many$/,
    stages: (ruleset) => [elementStage(clientsSet(ruleset), "add", "203.0.113.9")],
  },
  "a pod that no class judges": {
    sentence: /^set NFTPOL-ingress4(\.\w+)? lacks 1 element \(10\.1\.0\.0\)$/,
    stages: (ruleset) => [elementStage(setNamed(ruleset, judgedSet("ingress", 4)), "del", "10.1.0.0")],
  },
  "a chain and a set of somebody else": {
    sentence: /^(chain NFTPOL-FOREIGN of IPv4|set NFTPOL-foreigner) is not ours$/,
    stages: () => [
      { kind: "create-sets", sets: [emptySet("NFTPOL-foreigner", "hash:ip")] },
      rulesStage(4, { write: [{ name: "NFTPOL-FOREIGN", rules: [PAST_THE_RULES] }] }),
    ],
  },
};

function sizeOf({ sets, chains }: IptablesRuleset) {
  const all = [...chains[4].values(), ...chains[6].values()];
  return {
    sets: sets.size,
    elements: [...sets.values()].reduce((sum, set) => sum + set.elements.size, 0),
    chains: all.length,
    rules: all.reduce((sum, chain) => sum + chain.rules.length, 0),
  };
}

export function rulesStage(family: Family, parts: Partial<Stage & { kind: "rules" }>): Stage {
  return { write: [], remove: [], hook: [], unhook: [], ...parts, kind: "rules", family };
}

type Rules = readonly Rule[];

function refill({ chains }: IptablesRuleset, family: Family, name: string, change: (rules: Rules) => Rules): Stage {
  const existing = chains[family].get(name);
  if (existing === undefined) throw new Error(`no chain ${name}`);
  return rulesStage(family, { write: [{ name, rules: change(existing.rules) }] });
}

function elementStage(set: string, action: "add" | "del", element: string): Stage {
  return { kind: "change-elements", changes: [{ set, action, elements: [element] }] };
}

/** The peers of the policy: with 10.1.0.2, which no damage takes away. */
function clientsSet({ sets }: IptablesRuleset): string {
  const set = [...sets.values()].find(
    ({ name, elements }) => name.startsWith("NFTPOL-p4-") && elements.has("10.1.0.2"),
  );
  if (set === undefined) throw new Error("no set of the clients");
  return set.name;
}

/** Its name in the kernel. */
function setNamed({ sets }: IptablesRuleset, base: string): string {
  const name = [...sets.keys()].find((each) => splitName(each).name === base);
  if (name === undefined) throw new Error(`no set ${base}`);
  return name;
}

function emptySet(name: string, type: IpSet["type"]): IpSet {
  return { name, type, family: 4, maxElements: 64, elements: new Set() };
}
