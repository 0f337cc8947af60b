// lint decides about classes of flows; this asks about every address and port near what policies name, one by one. What either finds
// the other must find, and every example must be true.

import fc from "fast-check";
import { expect, test } from "vitest";
import { findEqualPriorities } from "../../src/lint/equal-priority.ts";
import { type Flow, ICMP, ICMPV6, type Traffic } from "../../src/model/flow.ts";
import {
  ANY,
  addressBlocksOf,
  DIRECTIONS,
  type Direction,
  type OrderedPolicy,
  type Rule,
} from "../../src/model/policy.ts";
import { type Address, addressFamily, formatAddress, maxAddressValue } from "../../src/net/address.ts";
import { cidrRange } from "../../src/net/cidr.ts";
import { firstMatch, queryMatches } from "../../src/semantics/matching.ts";
import { neverBlocked } from "../../src/semantics/never-blocked.ts";
import type { ClusterStore } from "../../src/state/store.ts";
import type { SelectablePod } from "../../src/state/view.ts";
import { checkProperty } from "../support/property.ts";
import { type ApiObject, cluster, storeOf, toYaml } from "../support/random-cluster.ts";
import { clusterPolicyObject } from "../support/random-cluster-policies.ts";

function rulesOf({ rules }: OrderedPolicy, direction: Direction): readonly Rule[] {
  return rules[direction];
}

function nearAddresses(store: ClusterStore, pair: readonly OrderedPolicy[], direction: Direction): Set<Address> {
  const addresses = new Set<Address>();
  for (const pod of store.selectablePods()) for (const address of pod.addresses) addresses.add(address);
  for (const node of store.nodes()) for (const address of node.addresses) addresses.add(address);
  const peers = pair
    .flatMap((policy) => rulesOf(policy, direction))
    .flatMap((rule) => (rule.peers === ANY ? [] : rule.peers));
  for (const { cidr } of peers.flatMap(addressBlocksOf)) {
    const { first, last } = cidrRange(cidr);
    for (const value of [first - 1n, first, first + 1n, last, last + 1n])
      if (value >= 0n && value <= maxAddressValue(cidr.family)) addresses.add(formatAddress(cidr.family, value));
  }
  return addresses;
}

function nearTraffic(
  store: ClusterStore,
  pair: readonly OrderedPolicy[],
  direction: Direction,
  family: 4 | 6,
): Traffic[] {
  const numbers = new Set<number>([1, 80, 65535]);
  const near = (port: number) => {
    for (const each of [port - 1, port, port + 1]) if (each >= 1 && each <= 65535) numbers.add(each);
  };
  for (const rule of pair.flatMap((policy) => rulesOf(policy, direction)))
    for (const match of rule.ports === ANY ? [] : rule.ports)
      if (match.kind === "range") for (const edge of [match.first, match.last]) near(edge);
  for (const { pod } of store.selectablePods()) for (const { port } of pod.ports) near(port);
  const ports = (["TCP", "UDP", "SCTP"] as const).flatMap((protocol) =>
    [...numbers].map((port): Traffic => ({ kind: "ports", protocol, port })),
  );
  const ping: Traffic =
    family === 4 ? { kind: "icmp", protocol: ICMP, type: 8 } : { kind: "icmp", protocol: ICMPV6, type: 128 };
  return [...ports, ping, { kind: "other", protocol: 47 }];
}

function differ(
  store: ClusterStore,
  direction: Direction,
  pair: readonly OrderedPolicy[],
  subject: SelectablePod,
  flow: Flow,
): boolean {
  if (neverBlocked(store, direction, subject, { ...flow, throughService: true }) !== undefined) return false;
  const [a, b] = pair.map((policy) => firstMatch(store, direction, [policy], flow)?.rule.action);
  return a !== undefined && b !== undefined && a !== b;
}

function differSomewhere(store: ClusterStore, pair: readonly OrderedPolicy[]): boolean {
  const subjects = [...store.selectablePods()].filter((pod) =>
    pair.every(({ subject }) => queryMatches(store, subject, pod)),
  );
  return DIRECTIONS.some((direction) => {
    if (subjects.length === 0) return false;
    const others = nearAddresses(store, pair, direction);
    return subjects.some((subject) =>
      subject.addresses.some((own) =>
        [...others]
          .filter((other) => addressFamily(other) === addressFamily(own))
          .some((other) =>
            nearTraffic(store, pair, direction, addressFamily(own)).some((traffic) => {
              const ends =
                direction === "egress" ? { source: own, destination: other } : { source: other, destination: own };
              return differ(store, direction, pair, subject, { ...ends, traffic });
            }),
          ),
      ),
    );
  });
}

function equalPairs(store: ClusterStore): OrderedPolicy[][] {
  const ordered = [...store.policies()].filter((policy): policy is OrderedPolicy => policy.tier !== "namespace");
  return ordered.flatMap((a, index) =>
    ordered.slice(index + 1).flatMap((b) => (a.tier === b.tier && a.priority === b.priority ? [[a, b]] : [])),
  );
}

/** Clusters with several policies that share one priority, and mostly their subject, so that pairs meet. */
const input = fc
  .tuple(cluster, fc.array(clusterPolicyObject, { minLength: 2, maxLength: 5 }), fc.boolean())
  .map(([objects, policies, sameSubject]) => [
    ...objects,
    ...policies
      .filter(({ kind }) => kind !== "BaselineAdminNetworkPolicy")
      .map((policy, index): ApiObject => {
        const subject = sameSubject ? { subject: { namespaces: {} } } : {};
        const spec = { ...(policy.spec as object), priority: 1, ...subject };
        return { ...policy, metadata: { name: `p${index}` }, spec };
      }),
  ]);

test("a pair is told exactly if some flow is treated differently, and with such a flow", () => {
  const seen = { told: 0, silent: 0 };
  checkProperty(
    input,
    (objects) => {
      const store = storeOf(objects);
      const told = findEqualPriorities(store).map(({ example }) => {
        if (example === undefined) throw new Error("no example");
        const { direction, flow, matches } = example;
        const pair = matches.map(({ policy }) => policy as OrderedPolicy);
        const subject = store.ownerOf(direction === "egress" ? flow.source : flow.destination) as SelectablePod;
        expect(pair.every((policy) => queryMatches(store, policy.subject, subject))).toBe(true);
        expect(differ(store, direction, pair, subject, flow)).toBe(true);
        expect(flow.throughService === true).toBe(store.ownerOf(flow.source) === store.ownerOf(flow.destination));
        return namesOf(pair);
      });
      const pairs = equalPairs(store);
      const meant = pairs.filter((pair) => differSomewhere(store, pair));
      expect(told.sort()).toEqual(meant.map(namesOf).sort());
      seen.told += told.length;
      seen.silent += pairs.length - told.length;
    },
    { runs: 200, print: toYaml },
  );
  // Without both the test would prove nothing.
  expect(seen.told).toBeGreaterThan(20);
  expect(seen.silent).toBeGreaterThan(20);
});

function namesOf(pair: readonly OrderedPolicy[]): string {
  return pair
    .map(({ key }) => key)
    .sort()
    .join(" ");
}
