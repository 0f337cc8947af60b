// One line of iptables-save -> a rule; undefined for what our rules do not use.

import type { Family } from "../../net/address.ts";
import type { CidrBlock } from "../../net/cidr.ts";
import { inOrder } from "./build.ts";
import type { ConnectionStateWord, Match, Ports, Protocol, Rule, SetSide, Target } from "./ruleset.ts";
import { SAME_ADDRESS_BYTECODE } from "./same-address-bpf.ts";
import { writtenBlock } from "./written-block.ts";

class NotOurs extends Error {}

/** `line`: `-A CHAIN …`, as the program writes it. */
export function parseRule(line: string, family: Family): Rule | undefined {
  try {
    return new RuleParser(words(line).slice(2), family).parse();
  } catch (error) {
    if (error instanceof NotOurs) return undefined;
    throw error;
  }
}

/** Splits at blanks; quotes hold words together, a backslash takes the next character as it is. */
function words(line: string): string[] {
  const found = line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  return found.map((word) => (word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, "$1") : word));
}

const EXTENSIONS: ReadonlySet<string> = new Set([
  "addrtype",
  "bpf",
  "comment",
  "conntrack",
  "icmp6",
  "limit",
  "multiport",
  "sctp",
  "set",
  "tcp",
  "udp",
]);

class RuleParser {
  readonly #words: readonly string[];
  readonly #family: Family;
  #at = 0;
  readonly #matches: Match[] = [];
  #comment: string | undefined;
  #target: Target | undefined;
  #perSecond: number | undefined;
  #logPrefix: string | undefined;

  constructor(words: readonly string[], family: Family) {
    this.#words = words;
    this.#family = family;
  }

  parse(): Rule {
    while (this.#at < this.#words.length) this.#option(this.#next());
    const kinds = this.#matches.map(({ kind }) => kind).filter((kind) => kind !== "set");
    const isTwice = new Set(kinds).size !== kinds.length;
    if (this.#target === undefined || isTwice || this.#perSecond !== undefined) throw new NotOurs();
    return { matches: inOrder(this.#matches), target: this.#target, comment: this.#comment };
  }

  #next(): string {
    const word = this.#words[this.#at++];
    if (word === undefined) throw new NotOurs();
    return word;
  }

  #option(word: string): void {
    const negated = word === "!";
    const option = negated ? this.#next() : word;
    if (negated && option !== "--match-set" && option !== "--tcp-flags") throw new NotOurs();
    switch (option) {
      case "-s":
      case "-d":
        this.#matches.push({ kind: option === "-s" ? "source" : "destination", block: this.#block(this.#next()) });
        break;
      case "-p":
        this.#matches.push({ kind: "protocol", protocol: protocolOf(this.#next()) });
        break;
      // Its options say what it asks for; there are others that ask for something without any.
      case "-m":
        if (!EXTENSIONS.has(this.#next())) throw new NotOurs();
        break;
      case "--tcp-flags":
        this.#flags(negated);
        break;
      case "--sport":
        this.#matches.push({ kind: "source-port", port: singlePort(this.#next()) });
        break;
      case "--dport":
      case "--dports":
        this.#matches.push({ kind: "destination-ports", ports: this.#next().split(",").map(portsOf) });
        break;
      case "--icmpv6-type":
        this.#matches.push({ kind: "icmpv6-type", type: number(this.#next()) });
        break;
      case "--ctstate":
        this.#states(this.#next());
        break;
      case "--src-type":
        if (this.#next() !== "LOCAL") throw new NotOurs();
        this.#matches.push({ kind: "source-is-local" });
        break;
      case "--match-set":
        this.#matches.push({ kind: "set", set: this.#next(), sides: this.#next().split(",").map(sideOf), negated });
        break;
      case "--bytecode":
        if (this.#next() !== SAME_ADDRESS_BYTECODE[this.#family]) throw new NotOurs();
        this.#matches.push({ kind: "same-address" });
        break;
      case "--limit":
        this.#perSecond = number(/^(\d+)\/s(ec(ond)?)?$/.exec(this.#next())?.[1] ?? "");
        break;
      case "--limit-burst":
        if (this.#perSecond === undefined) throw new NotOurs();
        this.#matches.push({ kind: "limit", perSecond: this.#perSecond, burst: number(this.#next()) });
        this.#perSecond = undefined;
        break;
      case "--comment":
        this.#comment = this.#next();
        break;
      case "-j":
      case "-g":
        this.#jump(option, this.#next());
        break;
      case "--nflog-prefix":
        this.#logPrefix = this.#next();
        break;
      case "--nflog-group":
        this.#log(number(this.#next()));
        break;
      default:
        throw new NotOurs();
    }
  }

  #block(word: string): CidrBlock {
    const block = writtenBlock(word);
    if (block === undefined || block.family !== this.#family) throw new NotOurs();
    return block;
  }

  #flags(negated: boolean): void {
    const mask = this.#next();
    const value = this.#next();
    if (!negated || mask !== "FIN,SYN,RST,ACK" || value !== "SYN") throw new NotOurs();
    this.#matches.push({ kind: "not-first-packet" });
  }

  #states(list: string): void {
    if (list === "DNAT") {
      this.#matches.push({ kind: "destination-nat" });
      return;
    }
    const states = list.split(",").sort().reverse();
    if (states.some((state) => state !== "RELATED" && state !== "ESTABLISHED")) throw new NotOurs();
    this.#matches.push({ kind: "connection-state", states: states as ConnectionStateWord[] });
  }

  #jump(option: "-j" | "-g", chain: string): void {
    if (this.#target !== undefined) throw new NotOurs();
    if (option === "-g") this.#target = { kind: "goto", chain };
    else if (chain === "RETURN") this.#target = { kind: "return" };
    else if (chain === "DROP") this.#target = { kind: "drop" };
    else if (chain === "NFLOG") this.#target = { kind: "log", prefix: "", group: 0 };
    // Chains of users; every other word in capitals is a target that we do not use.
    else if (chain.startsWith("NFTPOL-")) this.#target = { kind: "jump", chain };
    else throw new NotOurs();
  }

  #log(group: number): void {
    if (this.#target?.kind !== "log") throw new NotOurs();
    this.#target = { kind: "log", prefix: this.#logPrefix ?? "", group };
  }
}

function protocolOf(word: string): Protocol {
  if (word === "tcp" || word === "udp" || word === "sctp") return word;
  if (word === "ipv6-icmp" || word === "icmpv6") return "ipv6-icmp";
  throw new NotOurs();
}

function sideOf(word: string): SetSide {
  if (word === "src" || word === "dst") return word;
  throw new NotOurs();
}

function portsOf(word: string): Ports {
  const [first = "", last] = word.split(":");
  return { first: number(first), last: last === undefined ? number(first) : number(last) };
}

function singlePort(word: string): number {
  const { first, last } = portsOf(word);
  if (first !== last) throw new NotOurs();
  return first;
}

function number(word: string): number {
  if (!/^\d{1,10}$/.test(word)) throw new NotOurs();
  return Number(word);
}
