// One run of rules (equal action, no order) -> nft rules: peers of any port, named destinations, ports one by one or by look-up.
// Ranges of ports among others are looked up in sets and maps with names: an anonymous one comes and goes with its rule, and
// is empty for a moment when a chain gets its rules again (phases.ts).

import type { Family } from "../../net/address.ts";
import { contentHash } from "../../program/hash.ts";
import type { PeerGroup, PolicyClass, PortRange, RuleRun } from "../../program/program.ts";
import { listComment } from "../comment.ts";
import { addressConditions } from "./address-condition.ts";
import { concat, goto, inSet, is, rule } from "./build.ts";
import { portGroupChain, portMap, portRangeSet } from "./names.ts";
import type { Chain, Field, NamedSet, Rule, Statement, Verdict, VerdictEntry, VerdictMap } from "./ruleset.ts";

type Sets = Map<string, NamedSet | VerdictMap>;

/** Peers of any port and named destinations, then the ports one group after the other. What the rules look up goes into `sets`. */
export function runRules(
  run: RuleRun,
  verdict: Verdict,
  policyClass: PolicyClass,
  sets: Sets,
  ports: "with-ports" | "without-ports",
): Rule[] {
  const rules: Rule[] = [];
  if (run.anyPort !== undefined) rules.push(...peerRules(policyClass, [], run.anyPort, verdict, sets));
  if (run.namedDestinations !== undefined) {
    const { set, origins } = run.namedDestinations;
    const key = concat(addressField(policyClass.family, "daddr"), "meta l4proto", "th dport");
    rules.push(rule([inSet(key, set)], verdict, listComment(origins)));
  }
  for (const group of ports === "with-ports" ? run.ports : []) {
    for (const condition of portConditions(group.ports, sets))
      rules.push(...peerRules(policyClass, condition, group, verdict, sets));
  }
  return rules;
}

/** Of a disjoint run: one look-up by port in the chain of that name, and the chains of the groups, which end in `rest` for other peers. */
export function portLookUp(
  chainName: string,
  run: RuleRun,
  verdict: Verdict,
  rest: readonly Rule[],
  policyClass: PolicyClass,
  sets: Sets,
): { readonly rule: Rule; readonly chains: readonly Chain[] } {
  const groups = run.ports.map((group, index) => ({ ...group, chain: portGroupChain(chainName, index) }));
  const entries: VerdictEntry[] = groups.flatMap(({ ports, peers, chain }) => {
    const found = peers.any ? verdict : goto(chain);
    return ports.map((range) => ({ element: portElement(range), verdict: found }));
  });
  const chains = groups
    .filter(({ peers }) => !peers.any)
    .map((group): Chain => {
      const rules = [...peerRules(policyClass, [], group, verdict, sets), ...rest];
      return { name: group.chain, hook: undefined, comment: undefined, rules };
    });
  const key = concat(...PROTOCOL_AND_PORT);
  if (!run.ports.some(({ ports }) => ports.some(isRange)))
    return {
      rule: { statements: [{ kind: "vmap", key, map: { kind: "values", entries } }], comment: undefined },
      chains,
    };
  const map: VerdictMap = {
    kind: "map",
    name: portMap(chainName),
    key: PROTOCOL_AND_PORT,
    interval: true,
    size: undefined,
    comment: undefined,
    elements: new Map(entries.map(({ element, verdict }) => [element, verdict])),
  };
  sets.set(map.name, map);
  return {
    rule: { statements: [{ kind: "vmap", key, map: { kind: "map", name: map.name } }], comment: undefined },
    chains,
  };
}

function peerRules(
  policyClass: PolicyClass,
  ports: readonly Statement[],
  group: PeerGroup,
  verdict: Verdict,
  sets: Sets,
): Rule[] {
  const side = policyClass.direction === "ingress" ? "saddr" : "daddr";
  const conditions = addressConditions(group.peers, policyClass.family, side);
  for (const set of conditions.sets) sets.set(set.name, set);
  return conditions.alternatives.map((address) => rule([...ports, ...address], verdict, listComment(group.origins)));
}

const PROTOCOL_AND_PORT: readonly Field[] = ["meta l4proto", "th dport"];

/**
 * One condition per protocol: `tcp dport 80`, `tcp dport { 80, 443 }`, `tcp dport 8000-8080`, or `meta l4proto tcp` for all its
 * ports. Where a range is one of several, one look-up for all protocols.
 */
function portConditions(ports: readonly PortRange[], sets: Sets): Statement[][] {
  const byProtocol = new Map<PortRange["protocol"], PortRange[]>();
  for (const range of ports) byProtocol.set(range.protocol, [...(byProtocol.get(range.protocol) ?? []), range]);
  if ([...byProtocol.values()].some((ranges) => ranges.length > 1 && ranges.some(isRange))) {
    const set = portRanges(ports);
    sets.set(set.name, set);
    return [[inSet(concat(...PROTOCOL_AND_PORT), set.name)]];
  }
  return [...byProtocol].map(([protocol, ranges]) => {
    const word = protocol.toLowerCase() as "tcp" | "udp" | "sctp";
    const whole = ranges.some((range) => range.first === 0 && range.last === 65535);
    return [whole ? is("meta l4proto", word) : is(`${word} dport`, ...ranges.map(portWord))];
  });
}

function portRanges(ports: readonly PortRange[]): NamedSet {
  const elements = ports.map(portElement).sort();
  return {
    kind: "set",
    name: portRangeSet(contentHash(elements.join(","))),
    key: PROTOCOL_AND_PORT,
    interval: true,
    size: undefined,
    comment: undefined,
    elements: new Set(elements),
  };
}

function isRange({ first, last }: PortRange): boolean {
  return first !== last;
}

function portElement(range: PortRange): string {
  return `${range.protocol.toLowerCase()} . ${portWord(range)}`;
}

function portWord(range: PortRange): string {
  return range.first === range.last ? String(range.first) : `${range.first}-${range.last}`;
}

export function addressField(family: Family, side: "saddr" | "daddr"): Field {
  return `${family === 4 ? "ip" : "ip6"} ${side}`;
}
