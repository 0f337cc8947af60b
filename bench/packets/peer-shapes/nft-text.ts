// Rules, sets and maps in other engines' shapes as a table that `nft -f` reads. Most rules count, as the engines' own do: without a name,
// or all of them with the name that `counterOf` gives.

import type { Action, Match, PeerRule, PeerRuleset } from "./peer-ruleset.ts";

export type CounterOf = (chain: string, ruleIndex: number) => string;

export function tableText(ruleset: PeerRuleset, table: string, counterOf?: CounterOf): string {
  const { family, base, chains } = ruleset;
  const lines = [`table ${family === 4 ? "ip" : "ip6"} ${table} {`];
  if (counterOf !== undefined)
    for (const [name, rules] of chains)
      for (const index of rules.keys()) lines.push(` counter ${counterOf(name, index)} { }`);
  lines.push(...setLines(ruleset));
  for (const [name, rules] of chains) {
    lines.push(` chain ${name} {`);
    if (name === base) lines.push("  type filter hook forward priority 0; policy accept;");
    for (const [index, rule] of rules.entries()) {
      const named = counterOf === undefined ? undefined : `counter name "${counterOf(name, index)}"`;
      lines.push(`  ${ruleText(rule, family, named ?? (rule.isCounted ? "counter" : undefined))}`);
    }
    lines.push(" }");
  }
  return `${lines.join("\n")}\n}\n`;
}

/** Chains are declared before the maps that lead to them. */
function setLines({ family, base, sets, maps, chains }: PeerRuleset): string[] {
  const lines = [...chains.keys()].filter((name) => name !== base).map((name) => ` chain ${name} { }`);
  for (const { name, kind, elements, excepts } of sets) {
    if (excepts.length > 0) throw new Error("sets of nft have no exceptions");
    const flags = kind === "blocks" ? " flags interval;" : "";
    const body = elements.length === 0 ? "" : ` elements = { ${elements.join(", ")} }`;
    lines.push(` set ${name} { type ipv${family}_addr;${flags}${body} }`);
  }
  for (const { name, chains } of maps) {
    const elements = [...chains].map(([link, chain]) => `"${link}" : goto ${chain}`);
    lines.push(` map ${name} { type ifname : verdict; elements = { ${elements.join(", ")} } }`);
  }
  return lines;
}

/** `counter`: behind what is compared, before what is limited and done. */
export function ruleText({ matches, actions }: PeerRule, family: 4 | 6, counter: string | undefined): string {
  const isLimit = ({ kind }: Match) => kind === "limit";
  const compared = matches.filter((match) => !isLimit(match)).map((match) => matchText(match, family));
  const limits = matches.filter(isLimit).map((match) => matchText(match, family));
  return [...compared, ...(counter === undefined ? [] : [counter]), ...limits, ...actions.map(actionText)].join(" ");
}

function matchText(match: Match, family: 4 | 6): string {
  const ip = family === 4 ? "ip" : "ip6";
  switch (match.kind) {
    case "connection":
      return `ct state ${match.states.join(",")}`;
    case "mark":
      return `meta mark & ${hex(match.mask)} ${match.negated ? "!=" : "=="} ${hex(match.value)}`;
    case "block":
      return `${ip} ${match.side === "src" ? "saddr" : "daddr"} ${match.cidr}`;
    case "set":
      return `${ip} ${match.side === "src" ? "saddr" : "daddr"} @${match.name}`;
    case "protocol":
      return `meta l4proto ${match.number}`;
    case "port":
      return `${match.protocol} dport ${match.port}`;
    case "ports":
      return `${match.protocol} dport { ${match.ranges.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(", ")} }`;
    case "icmp":
      return `${family === 4 ? "icmp" : "icmpv6"} type ${match.type}`;
    case "link":
      return `${match.way === "in" ? "iifname" : "oifname"} "${match.name}${match.isPrefix ? "*" : ""}"`;
    case "from node":
      return "fib saddr type local";
    case "bridged":
      throw new Error("nft is not asked for bridged packets");
    case "limit":
      return "limit rate 10/minute burst 10 packets";
  }
}

function actionText(action: Action): string {
  switch (action.kind) {
    case "accept":
    case "drop":
    case "return":
      return action.kind;
    case "log":
      return "log group 100";
    case "jump":
    case "goto":
      return `${action.kind} ${action.chain}`;
    case "mark":
      return `meta mark set meta mark ${markText(action)}`;
    case "goto by link":
      return `${action.way === "in" ? "iifname" : "oifname"} vmap @${action.map}`;
  }
}

function markText({ mask, value }: { readonly mask: number; readonly value: number }): string {
  if (mask === value) return `or ${hex(value)}`;
  const kept = `and ${hex(~mask >>> 0)}`;
  return value === 0 ? kept : `${kept} xor ${hex(value)}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
