// What stands before a drop: the traffic that is never blocked; and how a drop is logged and counted.

import { DHCP_ANSWER_PORTS, NEIGHBOUR_DISCOVERY_TYPES } from "../../model/flow.ts";
import type { Direction } from "../../model/policy.ts";
import type { Family } from "../../net/address.ts";
import { DROP, is, RETURN, rule } from "./build.ts";
import { LOG_GROUP, logPrefix } from "./names.ts";
import type { Rule } from "./ruleset.ts";
import { icmpv6TypeWord } from "./words.ts";

/** Returns what keeps addresses working. Asked only just before a drop, so that allowed packets do not pay for it. */
export function neverBlocked(direction: Direction, family: Family): Rule[] {
  const rules: Rule[] = [];
  if (family === 6)
    rules.push(
      rule([is("icmpv6 type", ...NEIGHBOUR_DISCOVERY_TYPES.map(icmpv6TypeWord))], RETURN, "neighbour discovery, MLD"),
    );
  if (direction === "ingress") {
    const { sourcePort, port } = DHCP_ANSWER_PORTS[family];
    rules.push(rule([is("udp sport", String(sourcePort)), is("udp dport", String(port))], RETURN, "DHCP answers"));
  }
  return rules;
}

/** `name` of the class or chain is what the log says. */
export function logAndDrop(name: string, counter: string): Rule[] {
  return [
    {
      statements: [
        { kind: "limit", perSecond: 10, burstPackets: 20 },
        { kind: "log", prefix: logPrefix(name), group: LOG_GROUP },
      ],
      comment: undefined,
    },
    rule([{ kind: "counter", name: counter }], DROP),
  ];
}
