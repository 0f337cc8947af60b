import { expect, it } from "vitest";
import { loadTexts } from "../../../../test/support/manifests.ts";
import { fillStore } from "../../input.ts";
import { parseTraffic, type TrafficQuestion } from "../../traffic-text.ts";
import { computeMatrix } from "../compute.ts";
import { groupMatrix } from "../groups.ts";
import { buildPageData, type PageData } from "./page-data.ts";
import type { PageReason } from "./reasons.ts";

const PODS = ["a", "b"].map(
  (name, index) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: x, labels: {app: ${name}}}
spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}
status: {podIP: 10.0.0.${index + 1}}
`,
);

function tier(name: string, place: string, rules: string): string {
  return `
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: ${name}}
spec: {${place}, subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: a}}}}, egress: [${rules}]}
`;
}

const ISOLATION = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: open, namespace: x}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}
`;

async function pageOf(...policies: readonly string[]): Promise<PageData> {
  const { store } = fillStore(await loadTexts({ "c.yaml": [...PODS, ...policies].join("---") })).input;
  const ports = ["80/TCP", "81/TCP"].map((text) => parseTraffic(text) as TrafficQuestion);
  return buildPageData(groupMatrix(computeMatrix(store, { ports, addresses: [] }), true));
}

/** Why a may or may not send to b on each port. */
function egressReasons({ grid, cells, reasons }: PageData): (PageReason | undefined)[] {
  const blocks = cells[grid[1] as number] ?? [];
  return [0, 1].map((port) => reasons[blocks.find(({ ports }) => ports.includes(port))?.egress ?? -1]);
}

const TO_ALL = "to: [{networks: [10.0.0.0/8]}]";

it("a tier that decides is named, with policy, rule, its name and its place", async () => {
  const rules = `{name: web, action: Accept, to: [{namespaces: {}}], protocols: [{destinationNamedPort: http}]}, {action: Deny, ${TO_ALL}}`;
  expect(egressReasons(await pageOf(tier("p", "tier: Admin, priority: 1", rules)))).toEqual([
    {
      allow: true,
      text: 'Admin tier: ClusterNetworkPolicy p allows it with egress[0].to[0] "web": port http to all pods in all namespaces',
      place: "c.yaml:17",
    },
    {
      allow: false,
      text: "Admin tier: ClusterNetworkPolicy p denies it with egress[1].to[0]: every port of every protocol to network 10.0.0.0/8",
      place: "c.yaml:17",
    },
  ]);
});

it("a Pass is a note of what decides behind it, and tells apart what is decided by the same rule without it", async () => {
  const pass = `{name: web, action: Pass, to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 80}}}]}`;
  const [passed, other] = egressReasons(await pageOf(tier("p", "tier: Admin, priority: 1", pass), ISOLATION));
  expect(passed).toEqual({
    allow: true,
    text: "NetworkPolicy x/open allows it with egress[0]: every port of every protocol to everybody",
    place: "c.yaml:22",
    notes: [
      {
        text: 'Admin tier: ClusterNetworkPolicy p passes it on with egress[0].to[0] "web": 80/TCP to all pods in all namespaces',
        place: "c.yaml:17",
      },
    ],
  });
  expect(other).toEqual({ allow: true, text: passed?.text, place: passed?.place });
});

it("nothing that decides is said to be the default", async () => {
  const [reason] = egressReasons(
    await pageOf(tier("p", "tier: Baseline, priority: 1", `{action: Deny, to: [{nodes: {}}]}`)),
  );
  expect(reason).toEqual({
    allow: true,
    text: "allowed by default: no policy isolates the source for egress, and no tier decides",
  });
});
