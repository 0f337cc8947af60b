// Hostile text in objects never leaves its comment: names, labels and port names are put into the model past all validation.

import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { diffRulesets } from "../../src/backends/nft/diff.ts";
import { renderJson } from "../../src/backends/nft/json.ts";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { renderText } from "../../src/backends/nft/text.ts";
import { renderTransaction } from "../../src/backends/nft/transaction.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { type ContainerPort, type Pod, podKey } from "../../src/model/cluster.ts";
import { canonicalSelector, type LabelRequirement, type LabelSelector } from "../../src/model/labels.ts";
import { type AllowRule, ANY, type Peer, type Policy, policyKey, type Rule } from "../../src/model/policy.ts";
import { type Address, formatAddress } from "../../src/net/address.ts";
import { type CidrBlock, parseCidr } from "../../src/net/cidr.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { checkProperty } from "../support/property.ts";

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

interface Input {
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

const input: fc.Arbitrary<Input> = fc.record({
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

/** Pods and one policy in which every free text is hostile; all pods are on the node and selected. */
function storeOf(each: Input): ClusterStore {
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

function policyOf(each: Input, position: { file: string; line: number; column: number }): Policy {
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

const NAME = /^[A-Za-z][A-Za-z0-9._-]*$/;
/** Shorter than what the kernel (NFT_NAME_MAXLEN, 256) and a log prefix can hold. */
const MAX_NAME = 127;
const QUOTED = /"[^"\\\n]*"/g;
/** What is left of a line without its quoted text: words, numbers, addresses, sets and verdicts. */
const LINE = /^[A-Za-z0-9 ._:,;@&|!=(){}/-]*$/;

/** The one other quoted text: the name of a chain. */
const LOG_PREFIX = / log prefix "nftpol [A-Za-z][A-Za-z0-9._-]* "/;

function expectGrammar(text: string): void {
  expect(text).toMatch(/^[\n\x20-\x7e]*$/);
  for (const line of text.split("\n")) {
    expect((line.match(/"/g)?.length ?? 0) % 2, line).toBe(0);
    for (const [quoted] of line.matchAll(QUOTED)) expect(quoted.length, line).toBeLessThanOrEqual(122);
    const bare = line.replace(/ comment "[^"]*"/g, "").replace(LOG_PREFIX, "");
    expect(bare).toMatch(LINE);
  }
}

function names(ruleset: Ruleset): string[] {
  return [...ruleset.chains.keys(), ...ruleset.sets.keys(), ...ruleset.counters];
}

const printInput = (each: Input) => JSON.stringify(each, undefined, 2);

function compiled(each: Input): Ruleset {
  return compileRuleset(new RuleGraph(storeOf(each), "node", DEFAULT_PROGRAM_OPTIONS).program());
}

test("no text from objects leaves its comment in the table's text", () => {
  checkProperty(
    input,
    (each) => {
      const ruleset = compiled(each);
      expect(ruleset.sets.get("ingress4")?.elements.size).toBeGreaterThan(0);
      const text = renderText(ruleset);
      expectGrammar(text);
      for (const name of names(ruleset)) {
        expect(name).toMatch(NAME);
        expect(name.length).toBeLessThanOrEqual(MAX_NAME);
      }
      const bare = text.replace(QUOTED, "");
      const declared = (kind: string) =>
        [...bare.matchAll(new RegExp(`^ {2}${kind} (\\S+) \\{`, "gm"))].map((found) => found[1]);
      expect(declared("chain").sort()).toEqual([...ruleset.chains.keys()].sort());
      expect([...declared("set"), ...declared("map")].sort()).toEqual([...ruleset.sets.keys()].sort());
      expect(bare.match(/\{/g)?.length).toBe(bare.match(/\}/g)?.length);
      expect(text.split("\n").filter((line) => /^\s*(flush|delete)\b/.test(line))).toEqual([
        "delete table inet nftpol",
      ]);
    },
    { runs: 300, print: printInput },
  );
});

test("no text from objects leaves its comment in a transaction", () => {
  const empty: Ruleset = { table: "nftpol", counters: new Set(), sets: new Map(), chains: new Map() };
  checkProperty(
    input,
    (each) => {
      const ruleset = compiled(each);
      for (const transaction of [diffRulesets(empty, ruleset), diffRulesets(ruleset, empty)]) {
        const text = renderTransaction(transaction);
        expectGrammar(text);
        expect(text.split("\n")).toHaveLength(transaction.operations.length + 1);
        for (const line of text.split("\n").slice(0, -1))
          expect(line).toMatch(/^(add|delete|flush) (table|counter|chain|rule|set|map|element) inet nftpol /);
      }
    },
    { runs: 200, print: printInput },
  );
});

test("the JSON form parses and has the same names and only safe comments", () => {
  checkProperty(
    input,
    (each) => {
      const ruleset = compiled(each);
      const { nftables } = JSON.parse(renderJson(ruleset)) as {
        nftables: Record<string, Record<string, { name?: string; comment?: string }>>[];
      };
      const added = nftables.flatMap(({ add }) => Object.entries(add ?? {}));
      const found = added.filter(([kind]) => ["chain", "set", "map", "counter"].includes(kind));
      expect(found.map(([, body]) => body.name).sort()).toEqual(names(ruleset).sort());
      for (const [, body] of added) expect(body.comment ?? "").toMatch(/^[^"\\]{0,120}$/);
      for (const [, body] of added) expect(body.comment ?? "").toMatch(/^[\x20-\x7e]*$/);
    },
    { runs: 200, print: printInput },
  );
});

test("addresses of pods and ports are all that objects add to the elements", () => {
  checkProperty(
    input,
    (each) => {
      for (const set of compiled(each).sets.values()) {
        const elements = [...(set.kind === "map" ? set.elements.keys() : set.elements)];
        if (set.name.startsWith("portranges_")) {
          for (const element of elements) expect(element).toMatch(/^(tcp|udp|sctp) \. (1-9|8080)$/);
          continue;
        }
        for (const element of elements) {
          const [address, second] = element.split(" . ") as [Address, string | undefined];
          expect(address).toMatch(/^(10\.0\.0\.\d+|fd00::\d*)$/);
          if (second !== undefined) expect(element).toMatch(/^\S+ \. (\S+|(tcp|udp|sctp) \. 8080)$/);
        }
      }
    },
    { runs: 100, print: printInput },
  );
});
