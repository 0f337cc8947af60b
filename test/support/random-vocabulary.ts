// The few words that random clusters are made of: labels, selectors, blocks and ports that meet.

import fc from "fast-check";

export const NAMESPACES = ["x", "y", "z"] as const;
export const BLOCKS: readonly (readonly [string, readonly string[]])[] = [
  ["0.0.0.0/0", ["10.0.0.0/8", "10.0.0.2/32", "192.0.2.0/24", "10.0.0.0/30"]],
  ["10.0.0.0/8", ["10.0.0.0/16", "10.0.1.0/24", "10.0.0.3/32", "10.9.0.0/16"]],
  ["10.0.0.0/24", ["10.0.0.0/31", "10.0.0.4/32"]],
  ["10.0.0.2/32", []],
  ["10.0.1.0/31", ["10.0.1.1/32"]],
  ["192.0.2.0/25", ["192.0.2.7/32"]],
  ["198.51.100.0/24", []],
  ["203.0.113.0/24", []],
  ["::/0", ["fd00::/16", "fd00::2/128"]],
  ["fd00::/64", ["fd00::1/128", "fd00::1:0/112"]],
  ["fd00::/112", []],
];

export const labels = fc.record(
  { app: fc.constantFrom("web", "db"), tier: fc.constantFrom("front", "back") },
  { requiredKeys: [] },
);

const requirement = fc.oneof(
  fc.record({
    key: fc.constantFrom("app", "tier", "none"),
    operator: fc.constantFrom("In", "NotIn"),
    values: fc.subarray(["web", "db", "front", "back"], { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ key: fc.constantFrom("app", "tier"), operator: fc.constantFrom("Exists", "DoesNotExist") }),
);

export const podSelector = fc.oneof(
  { weight: 3, arbitrary: fc.record({ matchLabels: labels }) },
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.record({ matchExpressions: fc.array(requirement, { minLength: 1, maxLength: 2 }) }) },
);

export const namespaceSelector = fc.oneof(
  fc.constant({}),
  fc.record({ matchLabels: fc.record({ team: fc.constantFrom("red", "blue") }) }),
  fc.record({ matchLabels: fc.record({ "kubernetes.io/metadata.name": fc.constantFrom(...NAMESPACES) }) }),
  fc.record({
    matchExpressions: fc.constant([{ key: "team", operator: "NotIn", values: ["red"] }]),
  }),
);

export const protocol = fc.constantFrom("TCP", "UDP", "SCTP");
export const portNumber = fc.constantFrom(53, 67, 68, 80, 81, 443, 546, 8080, 65535);
export const portRange = fc
  .tuple(fc.constantFrom(1, 60, 80, 400), fc.constantFrom(0, 1, 20, 400, 60000))
  .map(([port, width]) => ({ port, endPort: Math.min(65535, port + width) }));
export const portName = fc.constantFrom("http", "dns", "metrics");
