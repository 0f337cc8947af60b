// What may be shown as one row, where the pods of one workload are not alike.

import { expect, test } from "vitest";
import { loadTexts } from "../../../test/support/manifests.ts";
import { fillStore } from "../input.ts";
import { computeMatrix } from "./compute.ts";
import { groupMatrix } from "./groups.ts";

function replica(name: string, role: string, address: string): string {
  return `
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  namespace: shop
  labels: { role: ${role} }
  ownerReferences: [{ apiVersion: apps/v1, kind: StatefulSet, name: db, uid: u, controller: true }]
spec: { containers: [{ name: c }] }
status: { phase: Running, podIP: ${address} }
`;
}

const CLOSED_REPLICAS = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed, namespace: shop }
spec: { podSelector: { matchLabels: { role: replica } }, policyTypes: [Egress] }
`;

async function labelsOf(documents: readonly string[], byPod = false): Promise<string[]> {
  const { store } = fillStore(await loadTexts({ "a.yaml": documents.join("---") })).input;
  const matrix = computeMatrix(store, { ports: [{ kind: "ports", protocol: "TCP", port: 80 }], addresses: [] });
  return groupMatrix(matrix, byPod).groups.map(({ label }) => label);
}

test("two pods are apart when only what is between them tells them apart", async () => {
  const pods = [replica("db-0", "primary", "10.0.0.1"), replica("db-1", "replica", "10.0.0.2")];
  expect(await labelsOf(pods)).toEqual(["shop/db (2)"]);
  expect(await labelsOf([...pods, CLOSED_REPLICAS])).toEqual(["shop/db-0", "shop/db-1"]);
});

test("parts of a workload are called by their first pods", async () => {
  const pods = [
    replica("db-0", "primary", "10.0.0.1"),
    replica("db-1", "replica", "10.0.0.2"),
    replica("db-2", "replica", "10.0.0.3"),
  ];
  expect(await labelsOf([...pods, CLOSED_REPLICAS])).toEqual(["shop/db-0", "shop/db-1 (+1)"]);
  expect(await labelsOf([...pods, CLOSED_REPLICAS], true)).toEqual(["shop/db-0", "shop/db-1", "shop/db-2"]);
});
