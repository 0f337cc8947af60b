// Of a run whose groups' ports do not overlap: the way to the one group that decides, in about twice the square root of the
// number of port ranges comparisons. iptables has no look-up that leads to chains.
//
//   section:  -p tcp --dport 80:443 -g bucket       bucket:  -p tcp --dport 80 -m set … -> target
//             -p tcp --dport 444:9000 -g bucket              -p tcp --dport 443 -g group    group:  peers -> target
//             rest                                           rest                                   rest

import type { PolicyClass, PortGroup, PortRange, RuleRun } from "../../program/program.ts";
import { chain, destinationPorts, goto, protocol, rule } from "./build.ts";
import { partChain } from "./names.ts";
import type { Chain, Match, Rule, Target } from "./ruleset.ts";
import { isWholeProtocol, peerRules, protocolWord, type Sets } from "./run-rules.ts";

/** So many rules are asked one after the other; more are divided among buckets. */
const MAX_LINEAR_RULES = 8;

/**
 * The rules for the section's chain, which `rest` has to follow, and further chains. `role` distinguishes the section among those of
 * its class.
 */
export function portTree(
  role: string,
  run: RuleRun,
  target: Target,
  rest: readonly Rule[],
  policyClass: PolicyClass,
  sets: Sets,
): { readonly rules: readonly Rule[]; readonly chains: readonly Chain[] } {
  const chains: Chain[] = [];
  const pieces = run.ports
    .flatMap((group, index) => {
      const leaf = groupLeaf(group, index);
      return group.ports.map((range) => ({ range, rule: leaf(range) }));
    })
    .sort((a, b) => compareRanges(a.range, b.range));
  if (pieces.length <= MAX_LINEAR_RULES) return { rules: pieces.map((piece) => piece.rule), chains };
  const size = Math.max(MAX_LINEAR_RULES, Math.ceil(Math.sqrt(pieces.length)));
  const rules = bucketsOf(pieces, size).map((bucket, index) => {
    if (bucket.length === 1) return (bucket[0] as Piece).rule;
    const name = partChain(policyClass.id, `${role} bucket ${index}`);
    chains.push(chain(name, [...bucket.map((piece) => piece.rule), ...rest]));
    return rule(spanOf(bucket), goto(name));
  });
  return { rules, chains };

  /** One rule for each range of the group; where the peers take several rules, they stand in a chain of their own. */
  function groupLeaf(group: PortGroup, index: number): (range: PortRange) => Rule {
    const peers = peerRules(policyClass, [], group, target, sets);
    const [only] = peers;
    if (peers.length === 1 && only !== undefined)
      return (range) => rule([...portsOf(range), ...only.matches], only.target, only.comment);
    const name = partChain(policyClass.id, `${role} group ${index}`);
    chains.push(chain(name, [...peers, ...rest]));
    return (range) => rule(portsOf(range), goto(name));
  }
}

interface Piece {
  readonly range: PortRange;
  readonly rule: Rule;
}

function compareRanges(a: PortRange, b: PortRange): number {
  return a.protocol === b.protocol ? a.first - b.first : a.protocol < b.protocol ? -1 : 1;
}

/** Neighbours of one protocol. */
function bucketsOf(pieces: readonly Piece[], size: number): Piece[][] {
  const buckets: Piece[][] = [];
  for (const piece of pieces) {
    const last = buckets.at(-1);
    const [first] = last ?? [];
    if (last !== undefined && last.length < size && first?.range.protocol === piece.range.protocol) last.push(piece);
    else buckets.push([piece]);
  }
  return buckets;
}

function spanOf(bucket: readonly Piece[]): Match[] {
  const first = bucket[0] as Piece;
  const last = bucket.at(-1) as Piece;
  return portsOf({ ...first.range, last: last.range.last });
}

function portsOf(range: PortRange): Match[] {
  if (isWholeProtocol(range)) return [protocol(protocolWord(range))];
  return [protocol(protocolWord(range)), destinationPorts([{ first: range.first, last: range.last }])];
}
