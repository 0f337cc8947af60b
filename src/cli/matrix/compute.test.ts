// The quick way (classes of pods, classes of ports, few policies at a time) against the plain one: every pair asked.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkProperty } from "../../../test/support/property.ts";
import { type ApiObject, cluster, storeOf, toYaml } from "../../../test/support/random-cluster.ts";
import { type Address, FAMILIES, parseAddress } from "../../net/address.ts";
import { evaluate } from "../../semantics/evaluate.ts";
import type { ClusterView } from "../../state/view.ts";
import { formatQuestion, type TrafficQuestion, trafficOf } from "../traffic-text.ts";
import { computeMatrix, type Matrix } from "./compute.ts";
import { groupMatrix } from "./groups.ts";
import { matrixRows } from "./rows.ts";

const PORTS: readonly TrafficQuestion[] = [
  { kind: "ports", protocol: "TCP", port: 80 },
  { kind: "ports", protocol: "TCP", port: 81 },
  { kind: "ports", protocol: "UDP", port: 53 },
  { kind: "ports", protocol: "UDP", port: 68 },
  { kind: "ports", protocol: "SCTP", port: 8080 },
  { kind: "icmp" },
  { kind: "other", protocol: 47 },
];
/** A node's, one outside, a pod's now and then. */
const ADDRESSES = ["10.9.0.1", "10.9.0.2", "fd09::1", "203.0.113.9", "2001:db8::9", "10.0.0.3"].map(address);

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(text);
  return parsed.address;
}

const input = fc.tuple(cluster, fc.constantFrom("allow" as const, "enforce" as const));
const print = ([objects, mode]: readonly [readonly ApiObject[], string]) =>
  `# podToOwnNode: ${mode}\n${toYaml(objects)}`;

/** `from to port family` -> `egress ingress`, each asked of the evaluator with all policies. */
function askEverything(view: ClusterView, podToOwnNode: "allow" | "enforce"): string[] {
  const pods = [...view.selectablePods()].map((pod) => ({
    name: pod.key as string,
    addresses: pod.addresses,
    isPod: true,
  }));
  const plain = ADDRESSES.filter((each) => view.ownerOf(each) === undefined);
  const all = [...pods, ...plain.map((each) => ({ name: each as string, addresses: [each], isPod: false }))];
  const lines: string[] = [];
  for (const from of all) {
    for (const to of all) {
      if (!from.isPod && !to.isPod) continue;
      for (const source of from.addresses) {
        const destination = to.addresses.find((each) => each.includes(":") === source.includes(":"));
        if (destination === undefined) continue;
        for (const port of PORTS) {
          const traffic = trafficOf(port, source.includes(":") ? 6 : 4);
          const { egress, ingress } = evaluate(view, { source, destination, traffic }, { podToOwnNode });
          const family = source.includes(":") ? "IPv6" : "IPv4";
          lines.push(`${from.name} ${to.name} ${formatQuestion(port)} ${family} ${egress.allow} ${ingress.allow}`);
        }
      }
    }
  }
  return lines.sort();
}

/** The same lines from the matrix's rows. */
function rowLines(matrix: Matrix): string[] {
  const familiesOf = new Map(matrix.endpoints.map((endpoint) => [endpoint.name, endpoint.addresses]));
  const lines: string[] = [];
  for (const row of matrixRows(matrix)) {
    const port =
      row.port === null ? (row.protocol === "ICMP" ? "ICMP" : `proto/${row.protocol}`) : `${row.port}/${row.protocol}`;
    const families = FAMILIES.filter(
      (family) => familiesOf.get(row.from)?.has(family) && familiesOf.get(row.to)?.has(family),
    );
    for (const family of row.family === undefined ? families.map((each) => `IPv${each}`) : [row.family]) {
      lines.push(`${row.from} ${row.to} ${port} ${family} ${row.egress === "allow"} ${row.ingress === "allow"}`);
    }
    expect(row.verdict).toBe(row.egress === "allow" && row.ingress === "allow" ? "allow" : "deny");
  }
  return lines.sort();
}

describe("a matrix of a random cluster", () => {
  it("says for every pair what the evaluator says when it is asked about that pair alone", () => {
    checkProperty(
      input,
      ([objects, podToOwnNode]) => {
        const store = storeOf(objects);
        const matrix = computeMatrix(store, { ports: PORTS, addresses: ADDRESSES, options: { podToOwnNode } });
        expect(rowLines(matrix)).toEqual(askEverything(store, podToOwnNode));
      },
      { runs: 150, print },
    );
  });

  it("gives the reasons of every single pair, also where it was judged by its like", () => {
    checkProperty(
      input,
      ([objects, podToOwnNode]) => {
        const store = storeOf(objects);
        const matrix = computeMatrix(store, { ports: PORTS, addresses: [], options: { podToOwnNode } });
        for (const [from, source] of matrix.endpoints.entries()) {
          for (const [to, destination] of matrix.endpoints.entries()) {
            for (const family of FAMILIES) {
              const [a, b] = [source.addresses.get(family), destination.addresses.get(family)];
              if (a === undefined || b === undefined) continue;
              const plain = PORTS.map((port) =>
                evaluate(store, { source: a, destination: b, traffic: trafficOf(port, family) }, { podToOwnNode }),
              );
              expect(matrix.verdicts(from, to, family)).toEqual(plain);
            }
          }
        }
      },
      { runs: 60, print },
    );
  });

  it("groups pods only where a group's cell is true for each pair of their pods", () => {
    // All pods of a namespace as one workload: the most that grouping may ever try.
    const oneWorkload = (objects: readonly ApiObject[]) =>
      objects.map((object) => {
        const ownerReferences = [
          { apiVersion: "apps/v1", kind: "StatefulSet", name: "all", uid: "u", controller: true },
        ];
        return object.kind === "Pod" ? { ...object, metadata: { ...object.metadata, ownerReferences } } : object;
      });
    let merged = 0;
    checkProperty(
      input,
      ([objects]) => {
        const store = storeOf(oneWorkload(objects));
        const grouped = groupMatrix(computeMatrix(store, { ports: PORTS, addresses: ADDRESSES.slice(3, 5) }));
        const { groups, matrix } = grouped;
        expect(groups.flatMap((group) => group.members).sort((a, b) => a - b)).toEqual([...matrix.endpoints.keys()]);
        expect(new Set(groups.map((group) => group.label)).size).toBe(groups.length);
        for (const [i, a] of groups.entries()) {
          for (const [j, b] of groups.entries()) {
            for (const from of a.members) {
              for (const to of b.members) {
                if (from !== to || a.members.length === 1) expect(matrix.cell(from, to)).toBe(grouped.cell(i, j));
              }
            }
          }
          if (a.members.length > 1) merged++;
        }
      },
      { runs: 150, print },
    );
    expect(merged).toBeGreaterThan(20);
  });
});

describe("a matrix of one namespace", () => {
  it("keeps the flows from and to it, and no others", () => {
    checkProperty(
      input,
      ([objects]) => {
        const store = storeOf(objects);
        const question = { ports: PORTS, addresses: ADDRESSES };
        const all = [...matrixRows(computeMatrix(store, question))];
        const some = [...matrixRows(computeMatrix(store, { ...question, namespace: "x" }))];
        expect(some).toEqual(all.filter((row) => row.from.startsWith("x/") || row.to.startsWith("x/")));
      },
      { runs: 30, print },
    );
  });
});
