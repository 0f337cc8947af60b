// Rules and sets as iptables-save and ipset write them. Byte-identical for equal rulesets.

import { type Address, compareAddresses, type Family } from "../../net/address.ts";
import { type Chain, type IpSet, isBuiltIn, type Match, type Ports, type Rule, type Target } from "./ruleset.ts";
import { SAME_ADDRESS_BYTECODE } from "./same-address-bpf.ts";

/** One rule on one line, without its chain: `-s 10.0.0.0/8 -p tcp -m tcp --dport 80 -m comment --comment "shop/api[0]" -j RETURN`. */
export function ruleText(rule: Rule, family: Family): string {
  const words = ruleWords(rule, family);
  return words.map((word, index) => (FREE_TEXT.has(words[index - 1] ?? "") ? quoted(word) : word)).join(" ");
}

/** What follows these may hold blanks. */
const FREE_TEXT: ReadonlySet<string> = new Set(["--comment", "--bytecode", "--nflog-prefix"]);

/** As xtables_save_string does: quotes unless every character is plain. */
function quoted(text: string): string {
  return /^[\w-]+$/.test(text) ? text : `"${text.replace(/["'\\]/g, "\\$&")}"`;
}

/** The same as arguments of the program. */
export function ruleWords(rule: Rule, family: Family): string[] {
  const protocol = rule.matches.find((match) => match.kind === "protocol")?.protocol ?? "";
  const words: string[] = [];
  for (const [index, match] of rule.matches.entries()) {
    const own = matchWords(match, family, protocol);
    // Two conditions of one extension are written behind one `-m`.
    const isShared = rule.matches[index - 1]?.kind === "source-port" && own[1] === protocol;
    words.push(...(isShared ? own.slice(2) : own));
  }
  if (rule.comment !== undefined) words.push("-m", "comment", "--comment", rule.comment);
  words.push(...targetWords(rule.target));
  return words;
}

function matchWords(match: Match, family: Family, protocol: string): readonly string[] {
  switch (match.kind) {
    case "source":
      return ["-s", match.block.text];
    case "destination":
      return ["-d", match.block.text];
    case "protocol":
      return ["-p", match.protocol];
    case "not-first-packet":
      return ["-m", "tcp", "!", "--tcp-flags", "FIN,SYN,RST,ACK", "SYN"];
    case "source-port":
      return ["-m", protocol, "--sport", String(match.port)];
    case "destination-ports":
      return portsWords(match.ports, protocol);
    case "icmpv6-type":
      return ["-m", "icmp6", "--icmpv6-type", String(match.type)];
    case "connection-state":
      return ["-m", "conntrack", "--ctstate", match.states.join(",")];
    case "destination-nat":
      return ["-m", "conntrack", "--ctstate", "DNAT"];
    case "source-is-local":
      return ["-m", "addrtype", "--src-type", "LOCAL"];
    case "set":
      return ["-m", "set", ...(match.negated ? ["!"] : []), "--match-set", match.set, match.sides.join(",")];
    case "same-address":
      return ["-m", "bpf", "--bytecode", SAME_ADDRESS_BYTECODE[family]];
    case "limit":
      return ["-m", "limit", "--limit", `${match.perSecond}/sec`, "--limit-burst", String(match.burst)];
  }
}

function portsWords(ports: readonly Ports[], protocol: string): readonly string[] {
  const words = ports.map(({ first, last }) => (first === last ? `${first}` : `${first}:${last}`));
  const [only] = words;
  if (words.length === 1 && only !== undefined) return ["-m", protocol, "--dport", only];
  return ["-m", "multiport", "--dports", words.join(",")];
}

/** `-j RETURN`. */
export function targetWords(target: Target): readonly string[] {
  switch (target.kind) {
    case "return":
      return ["-j", "RETURN"];
    case "drop":
      return ["-j", "DROP"];
    case "jump":
      return ["-j", target.chain];
    case "goto":
      return ["-g", target.chain];
    case "log":
      return ["-j", "NFLOG", "--nflog-prefix", target.prefix, "--nflog-group", String(target.group)];
  }
}

export function createText({ name, type, family, maxElements, elements }: IpSet): string {
  const hashSize = 2 ** Math.ceil(Math.log2(Math.max(64, elements.size / 2)));
  return `create ${name} ${type} family ${family === 4 ? "inet" : "inet6"} hashsize ${hashSize} maxelem ${maxElements}`;
}

/** The input of `iptables-restore --noflush` (of `ip6tables-restore` for family 6) that makes our chains, and the jumps to them in built-in ones. */
export function restoreText(chains: Iterable<Chain>, family: Family): string {
  const sorted = sortedByName(chains);
  const own = sorted.filter(({ name }) => !isBuiltIn(name));
  const jumps = sorted.filter(({ name }) => isBuiltIn(name));
  return [
    "*filter",
    ...own.map(({ name }) => `:${name} - [0:0]`),
    ...own.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${ruleText(rule, family)}`)),
    ...jumps.flatMap(({ name, rules }) => rules.map((rule) => `-I ${name} 1 ${ruleText(rule, family)}`)),
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
