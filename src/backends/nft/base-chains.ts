// The chains that packets enter, and the sets they dispatch by. The same on every node, whatever the policies.
//
//   forward:  known connections pass; (unknownLocalPods: drop) addresses that no known pod has are closed; packets in the middle of unknown TCP connections of isolated pods are dropped;
//             packets that only a link carries are dropped while any local pod is isolated (link-scope.ts);
//             then the source pod's egress class, then the destination pod's ingress class. No entry: not isolated.
//   input:    only while any pod has a class for what it sends to its own node: that class
//   output:   (serviceProxy: ipvs) packets that IPVS translated leave here with a source that is not this node
//
// Priority filter - 5: after destination NAT (-100), before other filters (0); our accept ends only our own table.

import { FAMILIES, type Family } from "../../net/address.ts";
import type { ClosedAddresses, ProgramOptions } from "../../program/program.ts";
import type { Hook } from "../packet.ts";
import { ACCEPT, DROP, inSet, is, isNot, jump, lookUp, masked, rule } from "./build.ts";
import { linkScopeChain, linkScopeDropChain, toLinkScope4, toLinkScope6 } from "./link-scope.ts";
import {
  DISPATCH6_CHAIN,
  DISPATCH6_NODE_CHAIN,
  dispatchMap,
  isolatedSet,
  MIDSTREAM_CHAIN,
  MIDSTREAM_COUNTER,
  ownNodeMap,
  UNKNOWN_CHAIN,
} from "./names.ts";
import type { Chain, Field, Rule } from "./ruleset.ts";
import { unknownChains } from "./unknown-addresses.ts";

const PRIORITY = -5;
/** Of the input hook IPVS takes what is for services at 98 and 99 (net/netfilter/ipvs/ip_vs_core.c, NF_IP_PRI_NAT_SRC - 1): the rest is the node's. */
const BEHIND_IPVS = 110;

/** What of this node's pods the chains depend on. */
export interface JudgedPods {
  /** Whether any policy restricts any of them. */
  readonly any: boolean;
  /** Whether what any of them sends to this node is restricted. */
  readonly towardsNode: boolean;
}

/** `closed` is there with `unknownLocalPods: "drop"` only; of it the chains depend on the blocks alone. */
export function baseChains(options: ProgramOptions, closed: ClosedAddresses | undefined, judged: JudgedPods): Chain[] {
  const strict = closed === undefined ? [] : [rule([], jump(UNKNOWN_CHAIN), "addresses that no known pod has")];
  const chains = [
    midstream(),
    linkScopeChain(judged.any),
    linkScopeDropChain(),
    dispatch6(DISPATCH6_CHAIN, [...toLinkScope6(), dispatch(6, "egress"), dispatch(6, "ingress")]),
    hookChain("forward", strict, bothDispatches()),
  ];
  if (closed !== undefined) chains.push(...unknownChains(closed.blocks));
  if (judged.towardsNode) chains.push(...ownNodeChains(options));
  if (options.serviceProxy === "ipvs") {
    const ownTraffic = rule([is("fib saddr type", "local")], ACCEPT, "what the node itself sends reaches its pods");
    chains.push(hookChain("output", [ownTraffic, ...strict], bothDispatches()));
  }
  return chains;
}

/** There exactly while any pod's packets to this node are judged: other nodes' own traffic meets no hook of ours. */
export function ownNodeChains({ serviceProxy }: Pick<ProgramOptions, "serviceProxy">): Chain[] {
  const toNode = (family: Family): Rule => ({
    statements: [lookUp(family === 4 ? "ip saddr" : "ip6 saddr", ownNodeMap(family))],
    comment: undefined,
  });
  const known = rule([is("ct state", "established", "related")], ACCEPT);
  return [
    dispatch6(DISPATCH6_NODE_CHAIN, [toNode(6)]),
    {
      name: "input",
      hook: { name: "input", priority: serviceProxy === "ipvs" ? BEHIND_IPVS : PRIORITY },
      comment: undefined,
      rules: [known, toNode(4), toDispatch6(DISPATCH6_NODE_CHAIN)],
    },
  ];
}

function hookChain(hook: Hook, first: readonly Rule[], dispatches: readonly Rule[]): Chain {
  const notFirstPacket = isNot(masked("tcp flags", "fin", "syn", "rst", "ack"), "syn");
  return {
    name: hook,
    hook: { name: hook, priority: PRIORITY },
    comment: undefined,
    rules: [
      rule([is("ct state", "established", "related")], ACCEPT),
      ...first,
      rule([notFirstPacket], jump(MIDSTREAM_CHAIN), "TCP without a known connection"),
      ...dispatches,
    ],
  };
}

function bothDispatches(): Rule[] {
  return [toLinkScope4(), dispatch(4, "egress"), dispatch(4, "ingress"), toDispatch6(DISPATCH6_CHAIN)];
}

function dispatch(family: Family, direction: "egress" | "ingress"): Rule {
  const address: Field = `${family === 4 ? "ip" : "ip6"} ${direction === "egress" ? "saddr" : "daddr"}`;
  return { statements: [lookUp(address, dispatchMap(direction, family))], comment: undefined };
}

function toDispatch6(chain: string): Rule {
  return rule([is("meta nfproto", "ipv6")], jump(chain));
}

function dispatch6(name: string, rules: readonly Rule[]): Chain {
  return { name, hook: undefined, comment: undefined, rules };
}

/** A cut connection stays cut: its next packet would otherwise start a new entry in connection tracking ("loose" pick-up). */
function midstream(): Chain {
  const rules = FAMILIES.flatMap((family) =>
    (["saddr", "daddr"] as const).map((side) =>
      rule(
        [
          inSet(`${family === 4 ? "ip" : "ip6"} ${side}`, isolatedSet(family)),
          { kind: "counter", name: MIDSTREAM_COUNTER },
        ],
        DROP,
      ),
    ),
  );
  return {
    name: MIDSTREAM_CHAIN,
    hook: undefined,
    comment: "not the first packet of a connection that is known",
    rules,
  };
}
