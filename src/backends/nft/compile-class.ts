// One class of the program -> its chains:
//
//   <class>          peers of any port; named destinations; port groups (one by one, or one look-up by port)
//   <class>_portsN   only when there is a look-up by port: the peers of one group
//   <class>_deny     what is never blocked, then log, count, drop
//
// Between these chains only `goto` is used, so `return` leaves the class: allowed here, the packet goes on.
// Ranges of ports among others are looked up in sets and maps with names: an anonymous one comes and goes with its rule, and
// is empty for a moment when a chain gets its rules again (phases.ts).

import type { Family } from "../../net/address.ts";
import { contentHash } from "../../program/hash.ts";
import type { PeerGroup, PolicyClass, PortGroup, PortRange, ProgramOptions } from "../../program/program.ts";
import { addressConditions } from "./address-condition.ts";
import { concat, goto, inSet, is, RETURN, rule } from "./build.ts";
import { listComment, safeComment } from "./comment.ts";
import { logAndDrop, neverBlocked } from "./deny.ts";
import { denyChain, dropCounter, portGroupChain, portMap, portRangeSet, selfSet } from "./names.ts";
import type { Chain, Field, NamedSet, Rule, Statement, Verdict, VerdictEntry, VerdictMap } from "./ruleset.ts";

/** IPVS leaves no mark on what it translated. */
export type ServiceTranslation = Pick<ProgramOptions, "serviceProxy">;

export interface ClassChains {
  readonly chains: readonly Chain[];
  /** What the chains look up and no change of a pod touches. Sets that equal those of other classes have equal names. */
  readonly sets: readonly (NamedSet | VerdictMap)[];
}

export function compileClassChains(policyClass: PolicyClass, options: ServiceTranslation): ClassChains {
  const sets = new Map<string, NamedSet | VerdictMap>();
  const { id, section } = policyClass;
  const comment = listComment(policyClass.policies);
  if (section.allowsEverything) {
    return {
      chains: [
        { name: id, hook: undefined, comment, rules: [rule([], RETURN, safeComment("some rule allows everything"))] },
      ],
      sets: [],
    };
  }
  const rules: Rule[] = [];
  if (section.anyPort !== undefined) rules.push(...peerRules(policyClass, [], section.anyPort, RETURN, sets));
  if (section.namedDestinations !== undefined) {
    const key = concat(addressField(policyClass.family, "daddr"), "meta l4proto", "th dport");
    rules.push(
      rule([inSet(key, section.namedDestinations.set)], RETURN, listComment(section.namedDestinations.origins)),
    );
  }
  const groupChains: Chain[] = [];
  if (section.disjoint) {
    rules.push(portLookUp(policyClass, section.ports, sets));
    for (const [index, group] of section.ports.entries()) {
      if (!group.peers.any) groupChains.push(portGroup(policyClass, group, index, sets));
    }
  } else {
    for (const group of section.ports) {
      for (const ports of portConditions(group.ports, sets))
        rules.push(...peerRules(policyClass, ports, group, RETURN, sets));
    }
  }
  rules.push(rule([], goto(denyChain(id))));
  const chains = [{ name: id, hook: undefined, comment, rules }, ...groupChains, deny(policyClass, options)];
  return { chains, sets: [...sets.values()] };
}

function peerRules(
  policyClass: PolicyClass,
  ports: readonly Statement[],
  group: PeerGroup,
  verdict: Verdict,
  sets: Map<string, NamedSet | VerdictMap>,
): Rule[] {
  const side = policyClass.direction === "ingress" ? "saddr" : "daddr";
  const conditions = addressConditions(group.peers, policyClass.family, side);
  for (const set of conditions.sets) sets.set(set.name, set);
  return conditions.alternatives.map((address) => rule([...ports, ...address], verdict, listComment(group.origins)));
}

const PROTOCOL_AND_PORT: readonly Field[] = ["meta l4proto", "th dport"];

function portLookUp(
  policyClass: PolicyClass,
  groups: readonly PortGroup[],
  sets: Map<string, NamedSet | VerdictMap>,
): Rule {
  const entries: VerdictEntry[] = groups.flatMap((group, index) => {
    const verdict = group.peers.any ? RETURN : goto(portGroupChain(policyClass.id, index));
    return group.ports.map((range) => ({ element: portElement(range), verdict }));
  });
  const key = concat(...PROTOCOL_AND_PORT);
  if (!groups.some(({ ports }) => ports.some(isRange)))
    return { statements: [{ kind: "vmap", key, map: { kind: "values", entries } }], comment: undefined };
  const map: VerdictMap = {
    kind: "map",
    name: portMap(policyClass.id),
    key: PROTOCOL_AND_PORT,
    interval: true,
    size: undefined,
    comment: undefined,
    elements: new Map(entries.map(({ element, verdict }) => [element, verdict])),
  };
  sets.set(map.name, map);
  return { statements: [{ kind: "vmap", key, map: { kind: "map", name: map.name } }], comment: undefined };
}

function portGroup(
  policyClass: PolicyClass,
  group: PortGroup,
  index: number,
  sets: Map<string, NamedSet | VerdictMap>,
): Chain {
  return {
    name: portGroupChain(policyClass.id, index),
    hook: undefined,
    comment: undefined,
    rules: [...peerRules(policyClass, [], group, RETURN, sets), rule([], goto(denyChain(policyClass.id)))],
  };
}

/**
 * One condition per protocol: `tcp dport 80`, `tcp dport { 80, 443 }`, `tcp dport 8000-8080`, or `meta l4proto tcp` for all its
 * ports. Where a range is one of several, one look-up for all protocols.
 */
function portConditions(ports: readonly PortRange[], sets: Map<string, NamedSet | VerdictMap>): Statement[][] {
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

function deny({ id, direction, family }: PolicyClass, { serviceProxy }: ServiceTranslation): Chain {
  const pair = concat(addressField(family, "saddr"), addressField(family, "daddr"));
  return {
    name: denyChain(id),
    hook: undefined,
    comment: undefined,
    rules: [
      ...neverBlocked(direction, family),
      rule(
        [inSet(pair, selfSet(family)), ...(serviceProxy === "ipvs" ? [] : [is("ct status", "dnat")])],
        RETURN,
        "a pod that reaches itself through a service",
      ),
      ...logAndDrop(id, dropCounter(direction)),
    ],
  };
}

function addressField(family: Family, side: "saddr" | "daddr"): Field {
  return `${family === 4 ? "ip" : "ip6"} ${side}`;
}
