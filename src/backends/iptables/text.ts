// Rules and sets as iptables-save and ipset write them. Byte-identical for equal rulesets.

import { type Address, compareAddresses, FAMILIES, type Family } from "../../net/address.ts";
import {
  type Chain,
  type IpSet,
  type IptablesRuleset,
  isBuiltIn,
  type Match,
  type Ports,
  type Rule,
  type Target,
} from "./ruleset.ts";
import { SAME_ADDRESS_BYTECODE } from "./same-address-bpf.ts";

/** One rule on one line, without its chain: `-s 10.0.0.0/8 -p tcp -m tcp --dport 80 -m comment --comment "shop/api[0]" -j RETURN`. */
export function ruleText(rule: Rule, family: Family): string {
  const protocol = rule.matches.find((match) => match.kind === "protocol")?.protocol;
  const words = rule.matches.map((match, index) => {
    const text = matchText(match, family, protocol);
    // Two conditions of one extension are written behind one `-m`.
    const shared = `-m ${protocol} `;
    const before = rule.matches[index - 1]?.kind;
    return before === "source-port" && text.startsWith(shared) ? text.slice(shared.length) : text;
  });
  if (rule.comment !== undefined) words.push(`-m comment --comment ${quoted(rule.comment)}`);
  return [...words, targetText(rule.target)].join(" ");
}

function matchText(match: Match, family: Family, protocol: string | undefined): string {
  switch (match.kind) {
    case "source":
      return `-s ${match.block.text}`;
    case "destination":
      return `-d ${match.block.text}`;
    case "protocol":
      return `-p ${match.protocol}`;
    case "not-first-packet":
      return "-m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN";
    case "source-port":
      return `-m ${protocol} --sport ${match.port}`;
    case "destination-ports":
      return portsText(match.ports, protocol);
    case "icmpv6-type":
      return `-m icmp6 --icmpv6-type ${match.type}`;
    case "connection-state":
      return `-m conntrack --ctstate ${match.states.join(",")}`;
    case "destination-nat":
      return "-m conntrack --ctstate DNAT";
    case "source-is-local":
      return "-m addrtype --src-type LOCAL";
    case "set":
      return `-m set ${match.negated ? "! " : ""}--match-set ${match.set} ${match.sides.join(",")}`;
    case "same-address":
      return `-m bpf --bytecode "${SAME_ADDRESS_BYTECODE[family]}"`;
    case "limit":
      return `-m limit --limit ${match.perSecond}/sec --limit-burst ${match.burst}`;
  }
}

function portsText(ports: readonly Ports[], protocol: string | undefined): string {
  const words = ports.map(({ first, last }) => (first === last ? `${first}` : `${first}:${last}`));
  return ports.length === 1 ? `-m ${protocol} --dport ${words[0]}` : `-m multiport --dports ${words.join(",")}`;
}

export function targetText(target: Target): string {
  switch (target.kind) {
    case "return":
      return "-j RETURN";
    case "drop":
      return "-j DROP";
    case "jump":
      return `-j ${target.chain}`;
    case "goto":
      return `-g ${target.chain}`;
    case "log":
      return `-j NFLOG --nflog-prefix ${quoted(target.prefix)} --nflog-group ${target.group}`;
  }
}

/** As xtables_save_string does: quotes unless every character is plain. */
function quoted(text: string): string {
  return /^[\w-]+$/.test(text) ? text : `"${text.replace(/["'\\]/g, "\\$&")}"`;
}

export function createText({ name, type, family, maxElements, elements }: IpSet): string {
  const hashSize = 2 ** Math.ceil(Math.log2(Math.max(64, elements.size / 2)));
  return `create ${name} ${type} family ${family === 4 ? "inet" : "inet6"} hashsize ${hashSize} maxelem ${maxElements}`;
}

/** The input of `iptables-restore --noflush` (of `ip6tables-restore` for family 6) that makes our chains, without the jumps to them. */
export function restoreText(chains: Iterable<Chain>, family: Family): string {
  const own = sortedByName([...chains].filter(({ name }) => !isBuiltIn(name)));
  return [
    "*filter",
    ...own.map(({ name }) => `:${name} - [0:0]`),
    ...own.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${ruleText(rule, family)}`)),
    "COMMIT",
    "",
  ].join("\n");
}

/** The input of `ipset restore` that makes these sets. */
export function setsText(sets: Iterable<IpSet>): string {
  return sortedByName([...sets])
    .flatMap((set) => [createText(set), ...sortedElements(set).map((element) => `add ${set.name} ${element}`)])
    .map((line) => `${line}\n`)
    .join("");
}

/** Addresses in numeric order. */
export function sortedElements({ elements }: IpSet): string[] {
  return [...elements].sort((a, b) => {
    const [addressA = "", ...restA] = a.split(/[/,]/);
    const [addressB = "", ...restB] = b.split(/[/,]/);
    return compareAddresses(addressA as Address, addressB as Address) || (restA.join() < restB.join() ? -1 : 1);
  });
}

export function sortedByName<T extends { readonly name: string }>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/**
 * A shell script that makes the rules where none of ours are: sets, chains, and the jumps to them, in this order. Its here-documents
 * are quoted, and no line of theirs can be the word that ends them: each begins with a command.
 */
export function renderScript({ chains, sets }: IptablesRuleset): string {
  const document = (command: string, text: string) => `${command} <<'END'\n${text}END\n`;
  const parts = [
    "#!/bin/sh",
    "# Sets first, then the chains that look them up, then the jumps to those.",
    "set -e",
    "",
  ];
  parts.push(document("ipset restore", setsText(sets.values())));
  for (const family of FAMILIES)
    parts.push(document(`${tool(family)}-restore --noflush`, restoreText(chains[family].values(), family)));
  for (const family of FAMILIES) {
    for (const { name, rules } of sortedByName(chains[family].values())) {
      if (isBuiltIn(name))
        for (const rule of rules) parts.push(`${tool(family)} -w -I ${name} 1 ${ruleText(rule, family)}`);
    }
  }
  return `${parts.join("\n")}\n`;
}

function tool(family: Family): string {
  return family === 4 ? "iptables" : "ip6tables";
}
