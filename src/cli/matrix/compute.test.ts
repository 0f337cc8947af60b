// Which questions a matrix asks. That its answers are the evaluator's: test/property/matrix-grouping.test.ts.

import { describe, expect, it } from "vitest";
import { checkProperty } from "../../../test/support/property.ts";
import { type ApiObject, cluster, storeOf, toYaml } from "../../../test/support/random-cluster.ts";
import { type Address, parseAddress } from "../../net/address.ts";
import type { TrafficQuestion } from "../traffic-text.ts";
import { computeMatrix } from "./compute.ts";
import { matrixRows } from "./rows.ts";

const HTTP: TrafficQuestion = { kind: "ports", protocol: "TCP", port: 80 };

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(text);
  return parsed.address;
}

function pod(name: string, ips: readonly string[], more: Record<string, unknown> = {}): ApiObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "x", labels: {} },
    spec: { containers: [], ...more },
    status: { phase: "Running", podIPs: ips.map((ip) => ({ ip })), ...more },
  };
}

function pairs(
  objects: readonly ApiObject[],
  addresses: readonly string[] = [],
  families?: readonly (4 | 6)[],
): string[] {
  const question = {
    ports: [HTTP],
    addresses: addresses.map(address),
    ...(families === undefined ? {} : { families }),
  };
  return [...matrixRows(computeMatrix(storeOf(objects), question))].map((row) => `${row.from} ${row.to}`);
}

describe("computeMatrix", () => {
  it("has pods by key, themselves included, without finished and host-network pods", () => {
    const objects = [
      pod("b", ["10.0.0.2"]),
      pod("a", ["10.0.0.1"]),
      pod("done", ["10.0.0.3"], { phase: "Succeeded" }),
      pod("host", ["10.0.0.4"], { hostNetwork: true }),
    ];
    expect(pairs(objects)).toEqual(["x/a x/a", "x/a x/b", "x/b x/a", "x/b x/b"]);
  });

  it("puts plain addresses behind the pods and asks nothing between two of them", () => {
    expect(pairs([pod("a", ["10.0.0.1"])], ["192.0.2.10", "192.0.2.9"])).toEqual([
      "x/a x/a",
      "x/a 192.0.2.9",
      "x/a 192.0.2.10",
      "192.0.2.9 x/a",
      "192.0.2.10 x/a",
    ]);
  });

  it("takes an address that a pod owns for the pod", () => {
    expect(pairs([pod("a", ["10.0.0.1"])], ["10.0.0.1"])).toEqual(["x/a x/a"]);
  });

  it("asks nothing of two that have no family in common", () => {
    expect(pairs([pod("a", ["10.0.0.1"]), pod("b", ["fd00::1"])])).toEqual(["x/a x/a", "x/b x/b"]);
  });

  it("leaves out who has no address of the family that is asked for", () => {
    expect(pairs([pod("a", ["10.0.0.1", "fd00::2"]), pod("b", ["fd00::1"])], [], [4])).toEqual(["x/a x/a"]);
  });

  it("of one namespace keeps the flows from and to it, and no others", () => {
    checkProperty(
      cluster,
      (objects) => {
        const question = { ports: [HTTP], addresses: ["10.9.0.1", "203.0.113.9"].map(address) };
        const all = [...matrixRows(computeMatrix(storeOf(objects), question))];
        const some = [...matrixRows(computeMatrix(storeOf(objects), { ...question, namespace: "x" }))];
        expect(some).toEqual(all.filter((row) => row.from.startsWith("x/") || row.to.startsWith("x/")));
      },
      { runs: 30, print: toYaml },
    );
  });
});
