// Rules and sets in other engines' shapes as what iptables-restore and ipset read.

import type { Action, Match, PeerRule, PeerRuleset } from "./peer-ruleset.ts";

/** The whole table `filter`: every other rule in it goes. */
export function restoreText({ chains, base, family }: PeerRuleset): string {
  const lines = ["*filter"];
  for (const name of chains.keys()) lines.push(name === base ? `:${name} ACCEPT [0:0]` : `:${name} - [0:0]`);
  for (const [name, rules] of chains) for (const rule of rules) lines.push(`-A ${name} ${ruleText(rule, family)}`);
  return `${lines.join("\n")}\nCOMMIT\n`;
}

/** `options`: what the engine creates its sets with. */
export function setsText({ sets, family }: PeerRuleset, options: string): string {
  const lines: string[] = [];
  for (const { name, kind, elements, excepts } of sets) {
    const type = kind === "addresses" ? "hash:ip" : "hash:net";
    lines.push(`create ${name} ${type} family ${family === 4 ? "inet" : "inet6"} ${options}`);
    for (const element of elements) lines.push(`add ${name} ${element}`);
    for (const except of excepts) lines.push(`add ${name} ${except} nomatch`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** The rule without its chain. */
export function ruleText({ matches, actions, comments }: PeerRule, family: 4 | 6): string {
  const [action] = actions;
  if (action === undefined || actions.length > 1) throw new Error("a rule of iptables has one target");
  const notes = Array.from({ length: comments }, () => "-m comment --comment shape");
  return [...notes, ...matches.map((match) => matchText(match, family)), targetText(action)].join(" ");
}

function matchText(match: Match, family: 4 | 6): string {
  switch (match.kind) {
    case "connection":
      return `-m conntrack --ctstate ${match.states.join(",").toUpperCase()}`;
    case "mark":
      return `-m mark${match.negated ? " !" : ""} --mark ${hex(match.value)}/${hex(match.mask)}`;
    case "block":
      return `${match.side === "src" ? "-s" : "-d"} ${match.cidr}`;
    case "set":
      return `-m set --match-set ${match.name} ${match.side}`;
    case "protocol":
      return `-p ${match.number}`;
    case "port":
      return `-p ${match.protocol} --dport ${match.port}`;
    case "ports":
      return `-m multiport --destination-ports ${match.ranges.map(({ first, last }) => (first === last ? first : `${first}:${last}`)).join(",")}`;
    case "icmp":
      return family === 4 ? `-p icmp --icmp-type ${match.type}` : `-p ipv6-icmp --icmpv6-type ${match.type}`;
    case "link":
      return `${match.way === "in" ? "-i" : "-o"} ${match.name}${match.isPrefix ? "+" : ""}`;
    case "from node":
      return "-m addrtype --src-type LOCAL";
    case "bridged":
      return "-m physdev --physdev-is-bridged";
    case "limit":
      return "-m limit --limit 10/minute --limit-burst 10";
  }
}

function targetText(action: Action): string {
  switch (action.kind) {
    case "accept":
    case "drop":
    case "return":
      return `-j ${action.kind.toUpperCase()}`;
    case "log":
      return "-j NFLOG --nflog-group 100";
    case "jump":
      return `-j ${action.chain}`;
    case "goto":
      return `-g ${action.chain}`;
    case "mark":
      return `-j MARK --set-xmark ${hex(action.value)}/${hex(action.mask)}`;
    case "goto by link":
      throw new Error("iptables has no maps of links");
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
