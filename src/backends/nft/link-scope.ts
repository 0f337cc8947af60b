// Packets that only a bridge carries from pod to pod: link-local addresses, and multicast and broadcast that stay on a link. No policy
// can name whose they are, so they would reach a closed pod: a node that isolates any pod drops them.
//
//   forward -> link_scope: what keeps addresses working returns; the rest -> link_scope_drop
//
// The chain is empty while no pod of the node is isolated, and gets its rules with the first one.

import { NEIGHBOUR_DISCOVERY_TYPES } from "../../model/flow.ts";
import { DHCP_PORTS, LIMITED_BROADCAST, LINK_LOCAL, LINK_MULTICAST } from "../../model/link-scope.ts";
import { goto, is, jump, RETURN, rule } from "./build.ts";
import { logAndDrop } from "./deny.ts";
import { dropCounter, LINK_SCOPE_CHAIN, LINK_SCOPE_DROP_CHAIN } from "./names.ts";
import type { Chain, Rule } from "./ruleset.ts";
import { icmpv6TypeWord } from "./words.ts";

/** Asked of every IPv4 packet that begins a connection: one comparison, of what holds multicast and broadcast. */
export function toLinkScope4(): Rule {
  return rule([is("ip daddr", "224.0.0.0/3")], jump(LINK_SCOPE_CHAIN));
}

/** The same for IPv6: two comparisons; fe00::/7 holds link-local and multicast. */
export function toLinkScope6(): Rule[] {
  return [
    rule([is("ip6 saddr", LINK_LOCAL)], jump(LINK_SCOPE_CHAIN)),
    rule([is("ip6 daddr", "fe00::/7")], jump(LINK_SCOPE_CHAIN)),
  ];
}

/** `isolates`: whether any pod of the node is isolated. */
export function linkScopeChain(isolates: boolean): Chain {
  const drop = goto(LINK_SCOPE_DROP_CHAIN);
  const rules = [
    rule([is("icmpv6 type", ...NEIGHBOUR_DISCOVERY_TYPES.map(icmpv6TypeWord))], RETURN, "neighbour discovery, MLD"),
    rule([is("udp dport", ...DHCP_PORTS.map(String))], RETURN, "DHCP"),
    rule([is("ip6 saddr", LINK_LOCAL)], drop),
    rule([is("ip6 daddr", LINK_LOCAL)], drop),
    rule([is("ip6 daddr", LINK_MULTICAST[6])], drop),
    rule([is("ip daddr", LINK_MULTICAST[4])], drop),
    rule([is("ip daddr", LIMITED_BROADCAST)], drop),
  ];
  return {
    name: LINK_SCOPE_CHAIN,
    hook: undefined,
    comment: "addresses of one link, while any local pod is isolated",
    rules: isolates ? rules : [],
  };
}

export function linkScopeDropChain(): Chain {
  const rules = logAndDrop(LINK_SCOPE_CHAIN, dropCounter("ingress"));
  return { name: LINK_SCOPE_DROP_CHAIN, hook: undefined, comment: undefined, rules };
}
