// The cluster's policies with their peers as addresses: what other engines' shapes of rules are made of. Pure.

import type { Address } from "../../src/net/address.ts";
import { type BenchNetworkPolicy, type BenchPolicies, MOST_RULES, SERVER_GROUP } from "./bench-cluster.ts";
import { crowdAddresses, neighbourAddresses } from "./cluster-addresses.ts";
import type { NodePolicies, PortNumber, ResolvedAdminRules, ResolvedPolicy } from "./peer-shapes/node-policies.ts";
import type { Ends } from "./variant.ts";

/** Client and server stand in the middle of the node's pods: engines that ask one pod after the other meet them half-way. */
export function nodePolicies(policies: BenchPolicies, ends: Ends): NodePolicies {
  const { adminRules = [], networkPolicies = [], serverGroup = SERVER_GROUP, neighbours = [] } = policies;
  const { crowdsOfClient, protocol = "udp" } = policies;
  const addresses = neighbourAddresses(ends).slice(0, neighbours.length);
  const crowds = crowdAddresses(policies, ends);
  const members = (crowd: number): readonly Address[] => {
    const others = crowds.get(crowd) ?? [];
    return crowdsOfClient.includes(crowd) ? [ends.client, ...others] : others;
  };
  const portNumber = (port: number): PortNumber => ({ protocol, port });
  const podsOf = (subject: string): Address[] => [
    ...(serverGroup === subject ? [ends.server] : []),
    ...addresses.filter((_, index) => neighbours[index] === subject),
  ];
  const resolved = ({ name, subject, rules }: BenchNetworkPolicy): ResolvedPolicy => ({
    name,
    pods: podsOf(subject),
    rules: rules.map(({ from, ports }) => ({
      addresses: from === "client" ? [ends.client] : typeof from === "number" ? members(from) : [],
      blocks: typeof from === "object" ? from : [],
      ports: ports.map(portNumber),
    })),
  });
  const half = addresses.length >> 1;
  return {
    localPods: [...addresses.slice(0, half), ends.client, ends.server, ...addresses.slice(half)],
    networkPolicies: networkPolicies.map(resolved),
    adminRules: chunks(adminRules, MOST_RULES).map(
      (own): ResolvedAdminRules => ({
        pods: [ends.server],
        rules: own.map(({ action, crowd, port }) => ({
          action,
          addresses: members(crowd),
          blocks: [],
          ports: [portNumber(port)],
        })),
      }),
    ),
  };
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
