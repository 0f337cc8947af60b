// What the CRD of ClusterNetworkPolicy refuses in peers and protocols, and what is said about it: field, message, hint.

import { describe, expect, it } from "vitest";
import { CLUSTER, decodeTier, egressFindings, findingsOf, many } from "../../test/support/tier-policies.ts";

describe("in a peer", () => {
  const all = "namespaces, pods, networks, nodes, domainNames";
  const cases: readonly [sentence: string, peer: unknown, ...findings: string[]][] = [
    ["nothing", {}, `none-of-one : a peer needs one of ${all}`],
    ["null", null, `none-of-one : a peer needs one of ${all}`],
    ["a word", "all", 'wrong-type : must be a mapping, not the string "all"'],
    [
      "two fields",
      { networks: ["10.0.0.0/8"], namespaces: {} },
      `several-of-one .networks: namespaces and networks cannot stand in one: a peer has exactly one of ${all} (make each a peer of its own: start it with '-')`,
    ],
    [
      "a field that nobody knows",
      { service: {} },
      `unknown-field .service: unknown field "service" (known fields here: ${all})`,
    ],
    [
      "the namespaceSelector of other APIs",
      { namespaces: { namespaceSelector: {} } },
      'unknown-field .namespaces.namespaceSelector: unknown field "namespaceSelector" (namespaces is the selector itself: write its matchLabels one level up)',
    ],
    ["no network", { networks: [] }, "empty-list .networks: the list of networks must not be empty"],
    [
      "one network too many",
      { networks: many(26, (index) => `10.${index}.0.0/16`) },
      "too-many-items .networks: at most 25 networks are allowed, not 26",
    ],
    [
      "one network, not in a list",
      { networks: "10.0.0.0/8" },
      'wrong-type .networks: must be a list, not the string "10.0.0.0/8"',
    ],
    [
      "a network twice",
      { networks: ["10.0.0.0/8", "10.0.0.0/8"] },
      'repeated-item .networks[1]: "10.0.0.0/8" is there twice (remove one of the two)',
    ],
    [
      "an address",
      { networks: ["10.0.0.1"] },
      'invalid-cidr .networks[0]: "10.0.0.1" is not a CIDR block (add a prefix length: 10.0.0.1/32 for this one address)',
    ],
    [
      "an empty network",
      { networks: [""] },
      'invalid-cidr .networks[0]: a network is empty (for example "10.0.0.0/8")',
    ],
    [
      "a null network",
      { networks: [null] },
      'invalid-cidr .networks[0]: a network is empty (for example "10.0.0.0/8")',
    ],
    [
      "a number for a network",
      { networks: [10] },
      "wrong-type .networks[0]: must be a string, not the number 10 (quote the value)",
    ],
    [
      "leading zeros, which isCIDR refuses",
      { networks: ["010.0.0.0/8"] },
      'invalid-cidr .networks[0]: "010.0.0.0/8" has leading zeros, which some programs read as octal (write 10.0.0.0/8)',
    ],
    [
      "a prefix length with leading zeros",
      { networks: ["10.0.0.0/08"] },
      'invalid-cidr .networks[0]: "10.0.0.0/08" has leading zeros, which some programs read as octal (write 10.0.0.0/8)',
    ],
    [
      "an IPv4-mapped IPv6 block, which isCIDR refuses",
      { networks: ["::ffff:10.0.0.0/104"] },
      'invalid-cidr .networks[0]: "::ffff:10.0.0.0/104" is an IPv4-mapped IPv6 address, which is read as IPv4 (write 10.0.0.0/8)',
    ],
    [
      "a block of 44 characters",
      { networks: ["0000:0000:0000:0000:0000:0000:1.1.1.100/0128"] },
      'invalid-cidr .networks[0]: the string "0000:0000:0000:0000:0000:0000:1.1.1.100/0128" is longer than 43 characters',
    ],
    ["a bad selector of nodes", { nodes: [] }, "wrong-type .nodes: must be a mapping, not a list"],
    [
      "a value that is missing in a list, which only a label may be",
      { nodes: { matchExpressions: [{ key: "a", operator: "In", values: [null] }] } },
      'wrong-type .nodes.matchExpressions[0].values[0]: must be a string, not nothing (write "")',
    ],
    ["no domain name", { domainNames: [] }, "empty-list .domainNames: the list of domain names must not be empty"],
    [
      "one domain name too many",
      { domainNames: many(26, (index) => `a${index}.example`) },
      "too-many-items .domainNames: at most 25 domain names are allowed, not 26",
    ],
    [
      "a domain name twice",
      { domainNames: ["a.b", "a.b"] },
      'repeated-item .domainNames[1]: "a.b" is there twice (remove one of the two)',
    ],
    ...["localhost", "a.*.b", "*", "-a.b", "a..b", "", "a.b:80"].map((name): [string, unknown, string] => [
      `the domain name ${JSON.stringify(name)}`,
      { domainNames: [name] },
      `invalid-domain-name .domainNames[0]: ${JSON.stringify(name)} is not a domain name of at least two labels (for example "kubernetes.io", or "*.kubernetes.io" for all names below it)`,
    ]),
  ];
  it.each(cases)("%s", (_, peer, ...findings) => {
    const found = egressFindings({ action: "Accept", to: [peer] }).filter((finding) => !finding.startsWith("warning"));
    expect(found).toEqual(findings.map((finding) => finding.replace(" ", " spec.egress[0].to[0]")));
  });

  it.each(["networks", "nodes", "domainNames"])("of %s where traffic comes from", (key) => {
    const ingress = [{ action: "Accept", from: [{ [key]: [] }] }];
    expect(findingsOf(decodeTier(CLUSTER, { ...CLUSTER.spec, ingress }))).toEqual([
      `unknown-field spec.ingress[0].from[0].${key}: unknown field "${key}" (only egress rules have it: ingress rules know pods by their labels)`,
    ]);
  });

  it.each([
    ["Deny", "denies"],
    ["Pass", "passes"],
  ])("of domain names in a rule with %s: the API has them to allow only", (action, verb) => {
    expect(egressFindings({ action, to: [{ domainNames: ["a.b"] }] })).toEqual([
      `domain-names-not-allowed spec.egress[0].to[0].domainNames: a rule that ${verb} cannot have domainNames: only rules that allow can (name the addresses: networks)`,
    ]);
  });
});

describe("in protocols", () => {
  const fields = "tcp, udp, sctp, destinationNamedPort";
  const cases: readonly [sentence: string, entry: unknown, ...findings: string[]][] = [
    ["nothing", {}, `none-of-one : an entry of protocols needs one of ${fields}`],
    [
      "two fields",
      { tcp: {}, udp: {} },
      `several-of-one .udp: tcp and udp cannot stand in one: an entry of protocols has exactly one of ${fields} (make each an entry of its own: start it with '-')`,
    ],
    ["ICMP", { icmp: {} }, `unknown-field .icmp: unknown field "icmp" (known fields here: ${fields})`],
    [
      "the named port of v1alpha1",
      { namedPort: "http" },
      'unknown-field .namedPort: unknown field "namedPort" (did you mean destinationNamedPort?)',
    ],
    [
      "an empty port name",
      { destinationNamedPort: "" },
      "invalid-port-name .destinationNamedPort: the name of the port is empty",
    ],
    [
      "a number for a name",
      { destinationNamedPort: 80 },
      "wrong-type .destinationNamedPort: must be a string, not the number 80 (quote the value)",
    ],
    [
      "a protocol without a port",
      { tcp: {} },
      "missing-field .tcp.destinationPort: tcp needs a destinationPort (for all ports write range: {start: 1, end: 65535})",
    ],
    ["a protocol that is no mapping", { udp: 53 }, "wrong-type .udp: must be a mapping, not the number 53"],
    [
      "an unknown field of a protocol",
      { tcp: { destinationPort: { number: 1 }, sourcePort: {} } },
      'unknown-field .tcp.sourcePort: unknown field "sourcePort" (known fields here: destinationPort)',
    ],
    [
      "an empty port",
      { tcp: { destinationPort: {} } },
      "none-of-one .tcp.destinationPort: a destinationPort needs one of number, range",
    ],
    [
      "port 0",
      { tcp: { destinationPort: { number: 0 } } },
      "port-out-of-range .tcp.destinationPort.number: port 0 is not in 1..65535",
    ],
    [
      "port 65536",
      { sctp: { destinationPort: { number: 65536 } } },
      "port-out-of-range .sctp.destinationPort.number: port 65536 is not in 1..65535",
    ],
    [
      "a quoted port",
      { tcp: { destinationPort: { number: "80" } } },
      'wrong-type .tcp.destinationPort.number: must be a whole number, not the string "80" (unquote it: 80)',
    ],
    [
      "a range without its ends",
      { tcp: { destinationPort: { range: {} } } },
      "missing-field .tcp.destinationPort.range.start: start is missing",
      "missing-field .tcp.destinationPort.range.end: end is missing",
    ],
    [
      "a range of one port",
      { tcp: { destinationPort: { range: { start: 80, end: 80 } } } },
      "range-not-ascending .tcp.destinationPort.range: the range starts at 80 and must end above that, not at 80 (write number: 80)",
    ],
    [
      "a range that ends before it starts",
      { tcp: { destinationPort: { range: { start: 80, end: 79 } } } },
      "range-not-ascending .tcp.destinationPort.range: the range starts at 80 and must end above that, not at 79",
    ],
    [
      "a range that starts at 0 and ends beyond the last port",
      { tcp: { destinationPort: { range: { start: 0, end: 65536 } } } },
      "port-out-of-range .tcp.destinationPort.range.start: port 0 is not in 1..65535",
      "port-out-of-range .tcp.destinationPort.range.end: port 65536 is not in 1..65535",
    ],
  ];
  it.each(cases)("%s", (_, entry, ...findings) => {
    const rule = { action: "Deny", to: [{ namespaces: {} }], protocols: [entry] };
    expect(egressFindings(rule)).toEqual(
      findings.map((finding) => finding.replace(" ", " spec.egress[0].protocols[0]")),
    );
  });
});
