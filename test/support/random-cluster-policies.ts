// Random policies of the Admin and Baseline tiers, of all three dialects, valid for their CRDs.

import fc from "fast-check";
import type { ApiObject } from "./random-cluster.ts";
import {
  BLOCKS,
  namespaceSelector,
  podSelector,
  portName,
  portNumber,
  portRange,
  protocol,
} from "./random-vocabulary.ts";

const CIDRS = [
  ...new Set(BLOCKS.flatMap(([cidr, holes]) => [cidr, ...holes])),
  "10.9.0.0/24",
  "10.9.0.1/32",
  "fd09::/64",
];

const pods = fc.record({ namespaceSelector, podSelector });
const subject = fc.oneof(fc.record({ namespaces: namespaceSelector }), fc.record({ pods }));
const nodeSelector = fc.constantFrom<unknown>(
  {},
  { matchLabels: { role: "worker" } },
  { matchLabels: { "no-such": "label" } },
  { matchExpressions: [{ key: "role", operator: "NotIn", values: ["infra"] }] },
);

const podPeer = fc.oneof(fc.record({ namespaces: namespaceSelector }), fc.record({ pods }));
const addressPeer = fc.oneof(
  // Rules that match everything end a tier.
  fc.constantFrom({ networks: ["0.0.0.0/0", "::/0"] }, { networks: ["0.0.0.0/0"] }, { networks: ["::/0"] }),
  fc.record({ networks: fc.uniqueArray(fc.constantFrom(...CIDRS), { minLength: 1, maxLength: 3 }) }),
  fc.record({ nodes: nodeSelector }),
);

const number = fc.record({ number: portNumber });
const range = portRange.map(({ port, endPort }) => ({ range: { start: port, end: Math.max(endPort, port + 1) } }));
const protocolMatch = fc
  .tuple(protocol, fc.oneof(number, range, fc.constant({ range: { start: 1, end: 65535 } })))
  .map(([name, destinationPort]) => ({ [name.toLowerCase()]: { destinationPort } }));
const namedProtocol = portName.map((destinationNamedPort) => ({ destinationNamedPort }));

/** Port names do not go with peers that are no pods (the CRD's rule). */
const peersAndPorts = <Port>(direction: "from" | "to", port: fc.Arbitrary<Port>, named: fc.Arbitrary<Port>) => {
  const podsOnly = fc.record({
    peers: fc.array(podPeer, { minLength: 1, maxLength: 3 }),
    ports: fc.array(fc.oneof({ weight: 3, arbitrary: port }, { weight: 1, arbitrary: named }), { maxLength: 3 }),
  });
  if (direction === "from") return podsOnly;
  const addresses = fc.record({
    peers: fc.array(fc.oneof<fc.Arbitrary<unknown>[]>(podPeer, addressPeer), { minLength: 1, maxLength: 3 }),
    ports: fc.oneof(fc.constant<Port[]>([]), fc.array(port, { maxLength: 3 })),
  });
  return fc.oneof<fc.Arbitrary<{ peers: unknown[]; ports: Port[] }>[]>(podsOnly, addresses);
};

interface DialectWords<Port> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly actions: readonly string[];
  readonly portsField: string;
  readonly port: fc.Arbitrary<Port>;
  readonly named: fc.Arbitrary<Port>;
}

function rules<Port>(direction: "from" | "to", words: DialectWords<Port>) {
  const { port, named, portsField, actions } = words;
  const rule = fc.record({ action: fc.constantFrom(...actions), match: peersAndPorts(direction, port, named) });
  return fc.array(
    rule.map(({ action, match: { peers, ports } }) => ({
      action,
      [direction]: peers,
      ...(ports.length > 0 ? { [portsField]: ports } : {}),
    })),
    { maxLength: 4 },
  );
}

function policy<Port>(
  words: DialectWords<Port>,
  names: readonly string[],
  place: fc.Arbitrary<object>,
): fc.Arbitrary<ApiObject> {
  const { apiVersion, kind } = words;
  return fc
    .record({
      name: fc.constantFrom(...names),
      place,
      subject,
      ingress: rules("from", words),
      egress: rules("to", words),
    })
    .map(({ name, place: own, ...spec }) => ({ apiVersion, kind, metadata: { name }, spec: { ...own, ...spec } }));
}

/** Few priorities, so that policies share them. */
const priority = fc.constantFrom(0, 1, 1, 50, 1000);

const v1alpha1 = {
  apiVersion: "policy.networking.k8s.io/v1alpha1",
  portsField: "ports",
  port: fc.oneof<fc.Arbitrary<unknown>[]>(
    fc.record({ portNumber: fc.record({ protocol, port: portNumber }) }),
    fc.tuple(protocol, portRange).map(([name, { port, endPort }]) => ({
      portRange: { protocol: name, start: port, end: Math.max(endPort, port + 1) },
    })),
  ),
  named: portName.map((namedPort): unknown => ({ namedPort })),
};

export const clusterPolicyObject: fc.Arbitrary<ApiObject> = fc.oneof(
  {
    weight: 4,
    arbitrary: policy<unknown>(
      {
        apiVersion: "policy.networking.k8s.io/v1alpha2",
        kind: "ClusterNetworkPolicy",
        actions: ["Accept", "Deny", "Pass"],
        portsField: "protocols",
        port: protocolMatch,
        named: namedProtocol,
      },
      ["a", "b", "c", "d"],
      fc.record({ tier: fc.constantFrom("Admin", "Baseline"), priority }),
    ),
  },
  {
    weight: 2,
    arbitrary: policy<unknown>(
      { ...v1alpha1, kind: "AdminNetworkPolicy", actions: ["Allow", "Deny", "Pass"] },
      ["a", "e"],
      fc.record({ priority }),
    ),
  },
  {
    weight: 1,
    arbitrary: policy<unknown>(
      { ...v1alpha1, kind: "BaselineAdminNetworkPolicy", actions: ["Allow", "Deny"] },
      ["default"],
      fc.constant({}),
    ),
  },
);
