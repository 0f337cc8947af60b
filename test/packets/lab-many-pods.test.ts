// More pods than the kernel's table of neighbours has room for, if each had to ask for each: all namespaces share that table.

import { expect, it } from "vitest";
import { describeKernel } from "../support/kernel.ts";
import { differencesOf, withTestLab } from "../support/packet-lab.ts";

const PODS = 75;

describeKernel("a lab of many pods", () => {
  it.each(["bridged", "vxlan"] as const)("%s: packets find what the policies mean", (topology) =>
    withTestLab({ yaml: manyPods() }, { topology, nodes: 2, dualStack: true }, async ({ measure }) => {
      const result = await measure();
      expect(result.measured.flows).toHaveLength(PODS * (PODS - 1) * 2);
      expect(differencesOf(result)).toEqual([]);
    }),
  );
});

function manyPods(): string {
  const pods = Array.from({ length: PODS }, (_, index) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pod-${index}`, labels: { group: String(index % 5) } },
    spec: { containers: [{ name: "main", ports: [{ containerPort: 80 }] }] },
  }));
  const policy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "second-from-first" },
    spec: {
      podSelector: { matchLabels: { group: "1" } },
      ingress: [{ from: [{ podSelector: { matchLabels: { group: "0" } } }] }],
    },
  };
  return [...pods, policy].map((object) => JSON.stringify(object)).join("\n---\n");
}
