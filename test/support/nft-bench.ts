// Owns how somebody else spoils nft's table, and what the verification has to say about it: what the suite over all backends asks of nft.
import type { FoundTable } from "../../src/backends/nft/kernel-table.ts";
import type { Rule, Ruleset } from "../../src/backends/nft/ruleset.ts";
import type { Operation, SetKey, Transaction } from "../../src/backends/nft/transaction.ts";
import type { BackendBench, Damage } from "./backend-suite.ts";
import { expectedText, foundText, reachableText } from "./comparable-ruleset.ts";

/** Where the table is. */
export interface NftPlace extends Pick<BackendBench, "open" | "fingerprint"> {
  /** The table as it is, read past all backends. */
  table(): Promise<FoundTable>;
  /** Somebody else changes our table. */
  foreign(transaction: Transaction): Promise<void>;
}

export function nftBench({ open, fingerprint, table, foreign }: NftPlace): BackendBench {
  const ruleset = async (): Promise<Ruleset> => {
    const found = await table();
    if (found.kind !== "table") throw new Error(`no table: ${found.kind}`);
    return found.ruleset;
  };
  const change = async (...list: readonly Operation[]) => foreign({ table: "nftpol", operations: list });
  return {
    open,
    fingerprint,
    found: async () => foundText(await table()),
    expected: expectedText,
    met: async () => {
      const found = await table();
      return found.kind === "table" ? reachableText(found.ruleset) : found.kind;
    },
    size: async () => sizeOf(await ruleset()),
    // What is needed is prepared before packets meet it; what it leaves goes after that.
    mostTexts: 4,
    damage: async (damage) => {
      const { sentence, operations } = DAMAGES[damage];
      await change(...operations(await ruleset()));
      return sentence;
    },
    removeAll: async () => {
      await change({ kind: "delete-table" });
      return "table nftpol is missing";
    },
    // nft refuses to delete what is not there, in the middle of the batch.
    refuseNextDelta: async () => change(deleteElement(await ruleset(), "pods4_", "10.1.0.1")),
    // Our base chain as an ordinary chain, kept in use by an element of our own map.
    refuseDifference: async () => {
      await change(
        { kind: "flush-chain", chain: "forward" },
        { kind: "delete-chain", chain: "forward" },
        { kind: "add-chain", chain: ordinaryChain("forward") },
        {
          kind: "add-elements",
          set: "ingress4",
          key: ADDRESSES,
          elements: [{ key: "10.9.9.9", verdict: { kind: "jump", chain: "forward" } }],
        },
      );
      return /^chain forward is no base chain, not "type filter hook forward priority -5/;
    },
  };
}

const ADDRESSES: SetKey = { fields: ["ip saddr"], interval: false };

interface NftDamage {
  readonly sentence: RegExp;
  readonly operations: (table: Ruleset) => readonly Operation[];
}

const DAMAGES: Readonly<Record<Damage, NftDamage>> = {
  "emptied chains": {
    sentence: /^chain forward lacks the rule: ct state/,
    operations: (table) => [...table.chains.keys()].map((chain) => ({ kind: "flush-chain", chain })),
  },
  "a deleted rule": {
    sentence: /^chain midstream lacks the rule: /,
    operations: (table) => refill(table, "midstream", (rules) => rules.slice(1)),
  },
  "a way past the rules": {
    sentence: /^chain forward has a rule too many: ip saddr 203.0.113.9 accept$/,
    operations: (table) => refill(table, "forward", (rules) => [acceptRule("203.0.113.9"), ...rules]),
  },
  "rules in another order": {
    sentence: /^chain forward has its rules in another order$/,
    operations: (table) => refill(table, "forward", (rules) => [...rules].reverse()),
  },
  "a missing element": {
    sentence: /^set pods4_\S+ lacks 1 element \(10\.1\.0\.1\)$/,
    operations: (table) => [deleteElement(table, "pods4_", "10.1.0.1")],
  },
  "an element too many": {
    sentence: /^set pods4_\S+ has 1 element \(203\.0\.113\.9\) too many$/,
    operations: (table) => [
      {
        kind: "add-elements",
        set: setName(table, "pods4_"),
        key: ADDRESSES,
        elements: [{ key: "203.0.113.9", verdict: undefined }],
      },
    ],
  },
  "a pod that no class judges": {
    sentence: /^map ingress4 has "accept" for 10\.1\.0\.0, not "jump ingress4_/,
    operations: () => [
      { kind: "delete-elements", set: "ingress4", key: ADDRESSES, elements: ["10.1.0.0"] },
      {
        kind: "add-elements",
        set: "ingress4",
        key: ADDRESSES,
        elements: [{ key: "10.1.0.0", verdict: { kind: "accept" } }],
      },
    ],
  },
  "a chain and a set of somebody else": {
    sentence: /^(chain|set) foreign(er)? is not ours$/,
    operations: () => [
      { kind: "add-chain", chain: ordinaryChain("foreign") },
      { kind: "add-set", set: foreignSet },
      { kind: "add-rule", chain: "foreign", rule: acceptRule("203.0.113.9") },
    ],
  },
};

function sizeOf({ sets, chains }: Ruleset) {
  return {
    sets: sets.size,
    elements: [...sets.values()].reduce((sum, set) => sum + set.elements.size, 0),
    chains: chains.size,
    rules: [...chains.values()].reduce((sum, chain) => sum + chain.rules.length, 0),
  };
}

function setName(table: Ruleset, prefix: string): string {
  const name = [...table.sets.keys()].find((each) => each.startsWith(prefix));
  if (name === undefined) throw new Error(`no set ${prefix}…`);
  return name;
}

function deleteElement(table: Ruleset, prefix: string, element: string): Operation {
  return { kind: "delete-elements", set: setName(table, prefix), key: ADDRESSES, elements: [element] };
}

type Rules = readonly Rule[];

function refill(table: Ruleset, chain: string, change: (rules: Rules) => Rules): Operation[] {
  const rules = change(table.chains.get(chain)?.rules ?? []);
  return [{ kind: "flush-chain", chain }, ...rules.map((rule): Operation => ({ kind: "add-rule", chain, rule }))];
}

function ordinaryChain(name: string) {
  return { name, hook: undefined, comment: undefined, rules: [] };
}

function acceptRule(address: string): Rule {
  return {
    statements: [
      {
        kind: "match",
        left: { kind: "field", field: "ip saddr" },
        operator: "==",
        right: { kind: "values", values: [address] },
      },
      { kind: "verdict", verdict: { kind: "accept" } },
    ],
    comment: undefined,
  };
}

const foreignSet = {
  kind: "set" as const,
  name: "foreigner",
  key: ["ip saddr" as const],
  interval: false,
  size: 16,
  comment: undefined,
  elements: new Set<string>(),
};
