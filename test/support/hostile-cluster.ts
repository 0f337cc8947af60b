// Owns clusters whose free texts (names, labels, port names, files) are made to be taken for syntax, put into the model past all
// validation.

import fc from "fast-check";
import { type ContainerPort, type Pod, podKey } from "../../src/model/cluster.ts";
import { canonicalSelector, type LabelRequirement, type LabelSelector } from "../../src/model/labels.ts";
import { type AllowRule, ANY, type Peer, type Policy, policyKey, type Rule } from "../../src/model/policy.ts";
import { formatAddress } from "../../src/net/address.ts";
import { type CidrBlock, parseCidr } from "../../src/net/cidr.ts";
import { ClusterStore } from "../../src/state/store.ts";

const hostile = fc.oneof(
  fc.constantFrom(
    '"',
    '" accept comment "',
    '"; flush ruleset; #',
    "x\naccept\n",
    "x\r\ndelete table inet nftpol\n",
    "}\n}\nflush ruleset\n",
    "\\",
    'trailing\\"',
    "{ }",
    "; drop",
    "$variable",
    "@isolated4",
    "# comment",
    "\u0000",
    "\u001b[2J",
    "\u0085",
    "\u2028\u2029",
    "\u202eevil",
    "\ud800",
    "ünïcödé",
    "🦊",
    "＂；｛｝",
    "__proto__",
    "constructor",
    "",
    " ",
    "../../etc/passwd",
    "/dir/a b;c.yaml",
    "END",
    "\nEND\ntouch touched\n",
    "x\nCOMMIT\n*nat\n",
    "$(touch touched)",
    "`touch touched`",
    "$IFS;touch$IFS'touched'",
    "'; touch touched; '",
    '" -j ACCEPT -m comment --comment "',
    "-j ACCEPT",
    "--comment",
    "! -s 10.0.0.0/8",
    "a -j ACCEPT\n-A FORWARD -j ACCEPT",
    "add NFTPOL-ingress4 192.0.2.1",
    "b".repeat(300),
    "a".repeat(253),
    '"'.repeat(253),
    "é".repeat(253),
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('"', "\\", "\n", ";", "{", "}", "#", "é", "a", " ", "\u0000"), maxLength: 253 }),
);

const labels = fc.array(fc.tuple(hostile, hostile), { maxLength: 3 }).map((pairs) => {
  const record: Record<string, string> = {};
  for (const [key, value] of pairs) Object.defineProperty(record, key, { value, enumerable: true, configurable: true });
  return record;
});

const protocol = fc.constantFrom("TCP" as const, "UDP" as const, "SCTP" as const);

export interface HostileInput {
  readonly namespace: string;
  readonly policyName: string;
  readonly kind: string;
  readonly file: string;
  readonly podNames: readonly string[];
  readonly workload: string;
  readonly labels: Record<string, string>;
  readonly extraRequirement: LabelRequirement;
  readonly portName: string;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly cidr: string;
}

export const hostileInput: fc.Arbitrary<HostileInput> = fc.record({
  namespace: hostile,
  policyName: hostile,
  kind: hostile,
  file: hostile,
  podNames: fc.uniqueArray(hostile, { minLength: 2, maxLength: 4 }),
  workload: hostile,
  labels,
  extraRequirement: fc.oneof(
    fc.record({ operator: fc.constant("NotIn" as const), key: hostile, values: fc.array(hostile, { maxLength: 3 }) }),
    fc.record({ operator: fc.constant("DoesNotExist" as const), key: hostile }),
  ),
  portName: hostile,
  protocol,
  cidr: fc.constantFrom("0.0.0.0/0", "198.51.100.0/24", "2001:db8::/32"),
});

function block(text: string): CidrBlock {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(text);
  return parsed.block;
}

/** Pods and one policy in which every free text is hostile; all pods are on the node `node` and selected. */
export function hostileStore(each: HostileInput): ClusterStore {
  const store = new ClusterStore();
  const position = { file: each.file, line: 1, column: 1 };
  const ports: ContainerPort[] = [{ name: each.portName, protocol: each.protocol, port: 8080 }];
  store.apply({
    kind: "namespace",
    name: each.namespace,
    namespace: { name: each.namespace, labels: each.labels, position },
  });
  for (const [index, name] of each.podNames.entries()) {
    const pod: Pod = {
      key: podKey(each.namespace, name),
      namespace: each.namespace,
      name,
      labels: each.labels,
      nodeName: "node",
      hostNetwork: false,
      finished: false,
      addresses: [formatAddress(4, 0x0a000001n + BigInt(index)), formatAddress(6, (0xfd00n << 112n) + BigInt(index))],
      hostAddresses: [],
      ports,
      startedAt: "",
      createdAt: "",
      workload: each.workload,
      position,
    };
    store.apply({ kind: "pod", key: pod.key, pod });
  }
  const policy = policyOf(each, position);
  store.apply({ kind: "policy", key: policy.key, policy });
  return store;
}

function policyOf(each: HostileInput, position: { file: string; line: number; column: number }): Policy {
  const selected: LabelSelector = canonicalSelector(
    Object.entries(each.labels).map(([key, value]) => ({ operator: "In", key, values: [value] })),
  );
  const pods: Peer = { kind: "pods", query: { namespaces: { kind: "selector", selector: selected }, pods: selected } };
  const odd: Peer = {
    kind: "pods",
    query: {
      namespaces: { kind: "name", name: each.namespace },
      pods: canonicalSelector([each.extraRequirement]),
    },
  };
  const blocks: Peer = { kind: "ipBlock", cidr: block(each.cidr), except: [] };
  const named = { kind: "named" as const, protocol: each.protocol, name: each.portName };
  const ranged = { kind: "range" as const, protocol: each.protocol, first: 1, last: 9 };
  const rule = (index: number, peers: Rule["peers"], ports: Rule["ports"]): AllowRule => ({
    action: "allow",
    name: undefined,
    peers,
    ports,
    index,
    position,
  });
  const rules = [
    rule(0, [pods], [named]),
    rule(1, [odd, blocks], [named, ranged]),
    rule(2, [odd], ANY),
    rule(3, ANY, [named]),
  ];
  return {
    key: policyKey(each.kind, each.namespace, each.policyName),
    kind: each.kind,
    namespace: each.namespace,
    name: each.policyName,
    tier: "namespace",
    subject: { namespaces: { kind: "name", name: each.namespace }, pods: selected },
    isolates: { ingress: true, egress: true },
    rules: { ingress: rules, egress: rules },
    position,
  };
}
