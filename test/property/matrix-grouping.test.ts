// The matrix judges classes and shows groups; this asks the evaluator about every single pair, port and family, and
// nothing may differ: not the cells, not the reasons, not the rows, not what a group says about each of its pods.

import fc from "fast-check";
import { expect, test } from "vitest";
import { type Cell, computeMatrix, type Matrix } from "../../src/cli/matrix/compute.ts";
import { commonFamilies, type Endpoint } from "../../src/cli/matrix/endpoints.ts";
import { groupMatrix } from "../../src/cli/matrix/groups.ts";
import { matrixRows } from "../../src/cli/matrix/rows.ts";
import { formatQuestion, parseTraffic, type TrafficQuestion, trafficOf } from "../../src/cli/traffic-text.ts";
import { type Address, type Family, parseAddress } from "../../src/net/address.ts";
import { type EvaluateOptions, evaluate } from "../../src/semantics/evaluate.ts";
import type { Verdict } from "../../src/semantics/verdict.ts";
import { checkProperty } from "../support/property.ts";
import { type ApiObject, cluster, storeOf, toYaml } from "../support/random-cluster.ts";

/** Ports that the random policies name, their neighbours, and what has no ports. */
const PORTS = ["53/UDP", "68/UDP", "69/UDP", "546/UDP", "80/TCP", "81/TCP", "443/TCP", "80/SCTP", "ICMP", "proto/47"];
/** A node's, pods' or nobody's. */
const ADDRESSES = ["10.9.0.1", "fd09::2", "192.0.2.7", "10.0.0.4", "203.0.113.9", "fd00::3"];

interface Input {
  readonly objects: readonly ApiObject[];
  readonly ports: readonly string[];
  readonly addresses: readonly string[];
  readonly options: EvaluateOptions;
}

/** Where replicas of one workload may differ all the same: node and container ports. */
const VARIANTS = [
  { nodeName: "n1", ports: [{ name: "http", containerPort: 80 }] },
  { nodeName: "n1", ports: [{ name: "http", containerPort: 80 }] },
  { nodeName: "n2", ports: [{ name: "http", containerPort: 80 }] },
  { nodeName: "n1", ports: [{ name: "http", containerPort: 81 }] },
] as const;

/** Replicas beside the first pods, so that groups have several: the same labels, one owner, almost the same spec. */
function withCopies(objects: readonly ApiObject[], copies: number): ApiObject[] {
  const pods = objects.filter(({ kind }) => kind === "Pod").slice(0, 2);
  const replicas = pods.flatMap((pod, which) =>
    VARIANTS.slice(0, copies).map(({ nodeName, ports }, copy) => ({
      ...pod,
      metadata: {
        ...pod.metadata,
        name: `copy-${which}-${copy}`,
        uid: `copy-${which}-${copy}`,
        ownerReferences: [{ apiVersion: "apps/v1", kind: "DaemonSet", name: "copies", uid: "u", controller: true }],
      },
      spec: { nodeName, containers: [{ name: "c", ports }] },
      status: { phase: "Running", podIPs: [{ ip: `10.0.2.${10 * which + copy}` }, { ip: `fd00::2:${which}${copy}` }] },
    })),
  );
  return [...objects, ...replicas];
}

/** Nothing leaves these pods but to their own node, nothing enters but to the port that each calls http. */
const NAMED_PORT_POLICIES: readonly ApiObject[] = ["x", "y", "z"].map((namespace) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "named", namespace },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [{ ports: [{ port: "http" }] }] },
}));

const input: fc.Arbitrary<Input> = fc.record({
  objects: fc
    .tuple(cluster, fc.integer({ min: 0, max: VARIANTS.length }), fc.subarray([...NAMED_PORT_POLICIES]))
    .map(([objects, copies, policies]) => [...withCopies(objects, copies), ...policies]),
  ports: fc.subarray(PORTS, { minLength: 1 }),
  addresses: fc.subarray(ADDRESSES),
  options: fc.record({ podToOwnNode: fc.constantFrom("allow", "enforce"), unknownLocalPods: fc.constant("allow") }),
});

function print({ objects, ...rest }: Input): string {
  return `# ${JSON.stringify(rest)}\n${toYaml(objects)}`;
}

interface Judged {
  readonly store: ReturnType<typeof storeOf>;
  readonly matrix: Matrix;
  readonly ports: readonly TrafficQuestion[];
  plainVerdicts(from: number, to: number, family: Family): readonly Verdict[];
}

function judge({ objects, ports: texts, addresses, options }: Input): Judged {
  const store = storeOf(objects);
  const ports = texts.map((text) => parseTraffic(text) as TrafficQuestion);
  const plain = addresses.map((text) => parseAddress(text)?.address as Address);
  const matrix = computeMatrix(store, { ports, addresses: plain, options });
  const plainVerdicts = (from: number, to: number, family: Family) => {
    const source = matrix.endpoints[from]?.addresses.get(family) as Address;
    const destination = matrix.endpoints[to]?.addresses.get(family) as Address;
    return ports.map((port) => evaluate(store, { source, destination, traffic: trafficOf(port, family) }, options));
  };
  return { store, matrix, ports, plainVerdicts };
}

function familiesOf(matrix: Matrix, from: number, to: number): Family[] {
  return commonFamilies(matrix.endpoints[from] as Endpoint, matrix.endpoints[to] as Endpoint);
}

/** The cell that the evaluator gives when it is asked about everything. */
function plainCell({ matrix, plainVerdicts }: Judged, from: number, to: number): Cell {
  const isPod = (index: number) => matrix.endpoints[index]?.pod !== undefined;
  if (from === to) return isPod(from) ? { kind: "self" } : { kind: "unasked" };
  const families = familiesOf(matrix, from, to);
  if (families.length === 0 || (!isPod(from) && !isPod(to))) return { kind: "unasked" };
  return {
    kind: "judged",
    families: families.map((family) => {
      const verdicts = plainVerdicts(from, to, family);
      return {
        family,
        egress: verdicts.map(({ egress }) => egress.allow),
        ingress: verdicts.map(({ ingress }) => ingress.allow),
      };
    }),
  };
}

function pairsOf(length: number): (readonly [number, number])[] {
  const indexes = Array.from({ length }, (_, index) => index);
  return indexes.flatMap((from) => indexes.map((to) => [from, to] as const));
}

test("every cell is what the evaluator says about that very pair", () => {
  checkProperty(
    input,
    (each) => {
      const judged = judge(each);
      for (const [from, to] of pairsOf(judged.matrix.endpoints.length)) {
        expect(judged.matrix.cell(from, to)).toEqual(plainCell(judged, from, to));
      }
    },
    { runs: 150, print },
  );
});

test("every reason is the evaluator's", () => {
  checkProperty(
    input,
    (each) => {
      const { matrix, plainVerdicts } = judge(each);
      for (const [from, to] of pairsOf(matrix.endpoints.length)) {
        if (from === to) continue;
        for (const family of familiesOf(matrix, from, to)) {
          expect(matrix.verdicts(from, to, family)).toEqual(plainVerdicts(from, to, family));
        }
      }
    },
    { runs: 60, print },
  );
});

test("a group's cell holds between each two of its pods", () => {
  let large = 0;
  checkProperty(
    input,
    (each) => {
      const judged = judge(each);
      const { groups, cell } = groupMatrix(judged.matrix);
      expect(groups.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual([
        ...judged.matrix.endpoints.keys(),
      ]);
      expect(new Set(groups.map(({ label }) => label)).size).toBe(groups.length);
      for (const [from, to] of pairsOf(groups.length)) {
        const expected = cell(from, to);
        for (const source of groups[from]?.members ?? []) {
          for (const destination of groups[to]?.members ?? []) {
            if (source === destination) continue;
            expect(plainCell(judged, source, destination)).toEqual(expected);
          }
        }
        if (from === to && (groups[from]?.members.length ?? 0) > 1) large++;
      }
    },
    { runs: 100, print },
  );
  // Without groups of several pods the test would prove nothing.
  expect(large).toBeGreaterThan(20);
});

test("rows say the same, and name the family exactly where the families differ", () => {
  checkProperty(
    input,
    (each) => {
      const judged = judge(each);
      const { matrix, ports } = judged;
      const expected: string[] = [];
      for (const [from, to] of pairsOf(matrix.endpoints.length)) {
        const cell = plainCell(judged, from, to);
        for (const [index, port] of ports.entries()) {
          const start = `${matrix.endpoints[from]?.name} ${matrix.endpoints[to]?.name} ${formatQuestion(port)}`;
          if (cell.kind === "self") expected.push(`${start} any true true`);
          if (cell.kind !== "judged") continue;
          const ends = cell.families.map(({ egress, ingress }) => `${egress[index]} ${ingress[index]}`);
          if (new Set(ends).size === 1) expected.push(`${start} any ${ends[0]}`);
          else for (const [at, end] of ends.entries()) expected.push(`${start} IPv${cell.families[at]?.family} ${end}`);
        }
      }
      const rows = [...matrixRows(matrix)].map(({ from, to, protocol, port, egress, ingress, verdict, family }) => {
        expect(verdict).toBe(egress === "allow" && ingress === "allow" ? "allow" : "deny");
        const number = Number(protocol);
        const other = Number.isNaN(number) ? protocol : `proto/${number}`;
        const question = port === null ? other : `${port}/${protocol}`;
        return `${from} ${to} ${question} ${family ?? "any"} ${egress === "allow"} ${ingress === "allow"}`;
      });
      expect(rows).toEqual(expected);
    },
    { runs: 60, print },
  );
});
