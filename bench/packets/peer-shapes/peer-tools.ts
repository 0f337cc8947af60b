// How rules in other engines' shapes get into a node, and what counts there: with nft, and with legacy iptables and ipset.

import { FAMILIES, type Family } from "../../../src/net/address.ts";
import type { RunInNode } from "../backend.ts";
import { savedCounters } from "../iptables-rules.ts";
import { takeNftCounters } from "../nft-counters.ts";
import { restoreText, setsText } from "./iptables-text.ts";
import { tableText } from "./nft-text.ts";
import type { PeerRuleset } from "./peer-ruleset.ts";

export interface PeerTool {
  readonly counterOf: (chain: string, ruleIndex: number) => string;
  /** These rules and no others. `counted`: every rule counts under the name that `counterOf` gives. */
  readonly load: (ruleset: PeerRuleset, run: RunInNode, counted: boolean) => Promise<void>;
  /** Since it was asked last, or the rules were loaded. */
  readonly takeCounters: (
    family: Family,
    run: RunInNode,
    names: readonly string[],
  ) => Promise<ReadonlyMap<string, number>>;
}

/** `table`: of the family, and the only one in the node. */
export function nftTool(table: string): PeerTool {
  const counterOf = (chain: string, ruleIndex: number) => `met_${chain}_${ruleIndex}`;
  return {
    counterOf,
    load: async (ruleset, run, counted) => {
      const text = tableText(ruleset, table, counted ? counterOf : undefined);
      await run(["nft", "-f", "-"], `flush ruleset\n${text}`);
    },
    takeCounters: (family, run, names) => takeNftCounters(run, `${family === 4 ? "ip" : "ip6"} ${table}`, names),
  };
}

/** Nothing else works in these namespaces, and the lock file of iptables is the host's. */
const WITHOUT_LOCK = ["env", "XTABLES_LOCKFILE=/dev/null"];
const EMPTY_FILTER = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
/** The kernel lets a set go a moment after the rules that looked it up. */
const DESTROY_TRIES = 50;

/** Each of its rules has a counter always. `setOptions`: what the engine creates its sets with. */
export function legacyTool(setOptions: string): PeerTool {
  const program = (family: Family, what: "restore" | "save") => [
    ...WITHOUT_LOCK,
    `${family === 4 ? "iptables" : "ip6tables"}-legacy-${what}`,
  ];
  return {
    counterOf: (chain, ruleIndex) => `${chain}#${ruleIndex}`,
    load: async (ruleset, run) => {
      // The rules before may have been of the other family.
      for (const family of FAMILIES) await run(program(family, "restore"), EMPTY_FILTER);
      await destroySets(run);
      await run(["ipset", "restore"], setsText(ruleset, setOptions));
      await run(program(ruleset.family, "restore"), restoreText(ruleset));
    },
    takeCounters: async (family, run) => {
      const saved = await run([...program(family, "save"), "-c", "-t", "filter"]);
      await run([...WITHOUT_LOCK, family === 4 ? "iptables-legacy" : "ip6tables-legacy", "-Z"]);
      return savedCounters(saved);
    },
  };
}

async function destroySets(run: RunInNode): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await run(["ipset", "destroy"]);
      return;
    } catch (error) {
      if (tries === DESTROY_TRIES) throw error;
    }
  }
}
