// The chains that every packet meets, in front of the classes. Built-in chains get one jump each, which has to be their first rule.
// What is allowed RETURNs there, so that other software's rules have their say; what is dropped is dropped.

import { DHCP_PORTS, LIMITED_BROADCAST, LINK_LOCAL, LINK_MULTICAST } from "../../model/link-scope.ts";
import { DIRECTIONS } from "../../model/policy.ts";
import type { Family } from "../../net/address.ts";
import type { CidrBlock } from "../../net/cidr.ts";
import type { ClosedAddresses, ProgramOptions } from "../../program/program.ts";
import {
  chain,
  destinationPorts,
  goto,
  inBlock,
  inConstantBlock,
  inSet,
  jump,
  notInSet,
  protocol,
  RETURN,
  rule,
  singlePorts,
} from "./build.ts";
import { dropChainOf, logAndDrop, neighbourDiscovery, neverBlocked } from "./deny.ts";
import {
  DROP_REASONS,
  dispatchChain,
  dropChain,
  FORWARD_CHAIN,
  INPUT_CHAIN,
  isolatedSet,
  judgedSet,
  knownSet,
  LINK_SCOPE_CHAIN,
  LINK_SCOPE_DROP_CHAIN,
  MIDSTREAM_CHAIN,
  OUTPUT_CHAIN,
  UNKNOWN_CHAIN,
  unknownChain,
} from "./names.ts";
import type { BuiltInChain, Chain, Match, Rule } from "./ruleset.ts";

/** What of this node's pods the chains depend on. */
export interface JudgedPods {
  /** Whether any policy restricts any of them. */
  readonly any: boolean;
  /** Whether what any of them sends to this node is restricted. */
  readonly towardsNode: boolean;
}

/** `closed` is there with `unknownLocalPods: "drop"` only; of it the chains depend on the blocks alone. */
export function baseChains(
  family: Family,
  options: ProgramOptions,
  closed: ClosedAddresses | undefined,
  judged: JudgedPods,
): Chain[] {
  const strict = closed === undefined ? [] : [rule([], jump(UNKNOWN_CHAIN), "addresses that no known pod has")];
  const chains = [
    ownJump("FORWARD"),
    chain(FORWARD_CHAIN, [known(), ...strict, ...judgements(family)]),
    midstreamChain(family),
    linkScopeChain(family, judged.any),
    chain(LINK_SCOPE_DROP_CHAIN, logAndDrop("link_scope", "ingress")),
    ...DROP_REASONS.map(dropChainOf),
  ];
  if (closed !== undefined) chains.push(...unknownChains(family, closed.blocks));
  if (judged.towardsNode)
    chains.push(
      ownJump("INPUT"),
      chain(INPUT_CHAIN, [known(), rule([inSet(judgedSet("node", family), "src")], jump(dispatchChain("node")))]),
    );
  if (options.serviceProxy === "ipvs") {
    const ownTraffic = rule([{ kind: "source-is-local" }], RETURN, "what the node itself sends reaches its pods");
    chains.push(ownJump("OUTPUT"), chain(OUTPUT_CHAIN, [known(), ownTraffic, ...strict, ...judgements(family)]));
  }
  return chains;
}

const HOOKED: Readonly<Record<BuiltInChain, string>> = {
  FORWARD: FORWARD_CHAIN,
  INPUT: INPUT_CHAIN,
  OUTPUT: OUTPUT_CHAIN,
};

/** The one rule of ours in a built-in chain. */
export function ownJump(builtIn: BuiltInChain): Chain {
  return chain(builtIn, [rule([], jump(HOOKED[builtIn]), "nftpol")]);
}

function known(): Rule {
  return rule([{ kind: "connection-state", states: ["RELATED", "ESTABLISHED"] }], RETURN);
}

function judgements(family: Family): Rule[] {
  return [
    rule([protocol("tcp"), { kind: "not-first-packet" }], jump(MIDSTREAM_CHAIN), "TCP without a known connection"),
    ...toLinkScope(family),
    rule([inSet(judgedSet("egress", family), "src")], jump(dispatchChain("egress"))),
    rule([inSet(judgedSet("ingress", family), "dst")], jump(dispatchChain("ingress"))),
  ];
}

/** A cut connection stays cut: its next packet would otherwise start a new entry in connection tracking ("loose" pick-up). */
function midstreamChain(family: Family): Chain {
  const drop = goto(dropChain("midstream"));
  return chain(MIDSTREAM_CHAIN, [
    rule([inSet(isolatedSet(family), "src")], drop),
    rule([inSet(isolatedSet(family), "dst")], drop),
  ]);
}

function toLinkScope(family: Family): Rule[] {
  const blocks: Match[] =
    family === 4
      ? [inConstantBlock("dst", "224.0.0.0/3")]
      : [inConstantBlock("src", LINK_LOCAL), inConstantBlock("dst", "fe00::/7")];
  return blocks.map((block) => rule([block], jump(LINK_SCOPE_CHAIN)));
}

/** Packets that only a bridge carries from pod to pod (docs/semantics.md, "What stays on a link"). Empty while no pod is isolated. */
function linkScopeChain(family: Family, isolates: boolean): Chain {
  const dhcp = rule([protocol("udp"), destinationPorts(singlePorts(DHCP_PORTS))], RETURN, "DHCP");
  const blocks =
    family === 4
      ? [inConstantBlock("dst", LINK_MULTICAST[4]), inConstantBlock("dst", `${LIMITED_BROADCAST}/32`)]
      : [
          inConstantBlock("src", LINK_LOCAL),
          inConstantBlock("dst", LINK_LOCAL),
          inConstantBlock("dst", LINK_MULTICAST[6]),
        ];
  const drops = blocks.map((block) => rule([block], goto(LINK_SCOPE_DROP_CHAIN)));
  const passing = [...(family === 6 ? neighbourDiscovery() : []), dhcp];
  return chain(LINK_SCOPE_CHAIN, isolates ? [...passing, ...drops] : []);
}

/** Strict start: addresses in this node's pod CIDRs that no known pod has are closed, in both directions. */
function unknownChains(family: Family, blocks: readonly CidrBlock[]): Chain[] {
  const own = blocks.filter((block) => block.family === family);
  const entry = DIRECTIONS.flatMap((direction) => {
    const side = direction === "egress" ? "src" : "dst";
    return own.map((block) =>
      rule([inBlock(side, block), notInSet(knownSet(family), side)], jump(unknownChain(direction))),
    );
  });
  const dropping = DIRECTIONS.map((direction) =>
    chain(unknownChain(direction), [
      ...neverBlocked(direction, family),
      ...logAndDrop(`unknown_${direction}${family}`, "unknown"),
    ]),
  );
  return [chain(UNKNOWN_CHAIN, entry), ...dropping];
}
