// What stands before a drop: the traffic that is never blocked; and how a drop is logged, counted and done.

import { DHCP_ANSWER_PORTS, NEIGHBOUR_DISCOVERY_TYPES } from "../../model/flow.ts";
import type { Direction } from "../../model/policy.ts";
import type { Family } from "../../net/address.ts";
import { DROP, destinationPorts, goto, protocol, RETURN, rule, singlePorts } from "./build.ts";
import { type DropReason, dropChain, logPrefix } from "./names.ts";
import type { Chain, Rule } from "./ruleset.ts";

/** NFLOG group of the drop log. */
const LOG_GROUP = 100;

/** Returns what keeps addresses working. Asked only just before a drop, so that allowed packets do not pay for it. */
export function neverBlocked(direction: Direction, family: Family): Rule[] {
  const rules = family === 6 ? neighbourDiscovery() : [];
  if (direction === "ingress") {
    const { sourcePort, port } = DHCP_ANSWER_PORTS[family];
    const ports = destinationPorts(singlePorts([port]));
    rules.push(rule([protocol("udp"), { kind: "source-port", port: sourcePort }, ports], RETURN, "DHCP answers"));
  }
  return rules;
}

/** ip6tables compares one type a rule. */
export function neighbourDiscovery(): Rule[] {
  return NEIGHBOUR_DISCOVERY_TYPES.map((type) =>
    rule([protocol("ipv6-icmp"), { kind: "icmpv6-type", type }], RETURN, "neighbour discovery, MLD"),
  );
}

/** `name` of the class or chain is what the log says. */
export function logAndDrop(name: string, reason: DropReason): Rule[] {
  return [
    rule([{ kind: "limit", perSecond: 10, burst: 20 }], { kind: "log", prefix: logPrefix(name), group: LOG_GROUP }),
    rule([], goto(dropChain(reason))),
  ];
}

/** Never changes, so that its counter lasts. */
export function dropChainOf(reason: DropReason): Chain {
  return { name: dropChain(reason), rules: [rule([], DROP)] };
}
