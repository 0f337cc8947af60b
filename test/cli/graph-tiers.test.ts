// What graph shows of the Admin and Baseline tiers: priorities, sections of classes, nodes in sets, the way to the own node.

import { describe, expect, it } from "vitest";
import { runInMemory } from "./in-memory-run.ts";
import { FILES } from "./small-cluster.ts";

const TIERS = `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: lockdown}
spec:
  tier: Admin
  priority: 20
  subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}
  egress:
  - {name: dns, action: Accept, to: [{namespaces: {}}], protocols: [{udp: {destinationPort: {number: 53}}}]}
  - {name: hand-over, action: Pass, to: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: api}}}}]}
  - {name: nodes, action: Deny, to: [{nodes: {matchLabels: {role: infra}}}]}
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: first}
spec:
  priority: 3
  subject: {namespaces: {}}
  ingress:
  - {action: Allow, from: [{namespaces: {}}]}
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: {name: default}
spec:
  subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: tool}}}}
  ingress:
  - {action: Deny, from: [{namespaces: {}}]}
`;

async function graph(...argv: readonly string[]): Promise<string> {
  const files = { ...FILES, "c/tiers.yaml": TIERS };
  const { code, stdout, stderr } = await runInMemory(["graph", "-f", "c", ...argv], { files });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

describe("tables", () => {
  it("have policies in the order in which they are asked, with tier and priority", async () => {
    const text = await graph();
    expect(text).toMatch(/POLICY +TIER +WHERE +CLASSES\n/);
    const order = [...text.matchAll(/^ {2}(\S+) +(Admin \d+|NetworkPolicy|Baseline) +c\//gm)].map(
      ([, name, tier]) => `${name} ${tier}`,
    );
    expect(order).toEqual([
      "AdminNetworkPolicy/first Admin 3",
      "ClusterNetworkPolicy/lockdown Admin 20",
      "shop/api-ingress NetworkPolicy",
      "shop/web-egress NetworkPolicy",
      "BaselineAdminNetworkPolicy/default Baseline",
    ]);
  });

  it("say what each tier does in a class, and which class judges the way to the own node", async () => {
    const text = await graph();
    expect(text).toMatch(/Admin: allow, pass, deny; NetworkPolicy: allow {2}/);
    expect(text).toMatch(/POD +ADDRESS +EGRESS +INGRESS +TO OWN NODE\n/);
    expect(text).toMatch(/^ {2}ops\/tool +10\.0\.0\.3 +open +ingress4_\S+ +open\n/m);
    expect(text).toMatch(/^ {2}shop\/api +10\.0\.0\.2 +(egress4_\S+) +ingress4_\S+ +\1\n/m);
  });

  it("without tiers have none of these columns", async () => {
    const { stdout } = await runInMemory(["graph", "-f", "c"], { files: FILES });
    expect(stdout).toMatch(/POLICY +WHERE +CLASSES\n/);
    expect(stdout).toMatch(/POD +ADDRESS +EGRESS +INGRESS\n/);
    expect(stdout).not.toMatch(/TIER|OWN NODE/);
  });

  it("do not say that a policy selects nobody because nothing is denied", async () => {
    const open = TIERS.slice(TIERS.indexOf("---\n") + 4).split("---\n")[0] as string;
    const files = { "c/cluster.yaml": FILES["c/cluster.yaml"] as string, "c/tiers.yaml": open };
    const { stdout } = await runInMemory(["graph", "-f", "c"], { files });
    expect(stdout).toMatch(
      /AdminNetworkPolicy\/first +Admin 3 +c\/tiers.yaml:1 +none: no pod here that is denied anything\n/,
    );
  });
});

it("JSON has sections with their rules, sets of nodes, and the class for the own node", async () => {
  const json = JSON.parse(await graph("-o", "json"));
  const web = json.pods.find((each: { pod: string }) => each.pod === "shop/web");
  const classOf = (id: string) => json.classes.find((each: { id: string }) => each.id === id);
  expect(classOf(web.egress).sections).toEqual([
    {
      tier: "Admin",
      runs: [
        { action: "allow", rules: ["ClusterNetworkPolicy/lockdown[0]"] },
        { action: "pass", rules: ["ClusterNetworkPolicy/lockdown[1]"] },
        { action: "deny", rules: ["ClusterNetworkPolicy/lockdown[2]"] },
      ],
    },
    { tier: "NetworkPolicy", runs: [{ action: "allow", rules: ["shop/web-egress[0]"] }] },
  ]);
  // NetworkPolicy never judges the way to the own node.
  expect(web.toOwnNode).not.toBe(web.egress);
  expect(classOf(web.toOwnNode).sections.map((each: { tier: string }) => each.tier)).toEqual(["Admin"]);
  expect(json.policies[1]).toMatchObject({ name: "ClusterNetworkPolicy/lockdown", tier: "Admin", priority: 20 });
  const nodes = json.sets.find((each: { definition: string[] }) => each.definition.includes("nodes role=infra"));
  expect(nodes).toMatchObject({ elements: 0, kind: "addresses" });
  expect(json.selections).toContainEqual({ query: "nodes role=infra", sets: [nodes.id] });
});

it.each(["mermaid", "dot"])(
  "%s labels a policy with its tier and joins a pod with the class for its own node",
  async (format) => {
    const text = await graph("-o", format);
    expect(text).toContain("policy: ClusterNetworkPolicy/lockdown (Admin 20)");
    expect(text).toContain("selection: nodes role=infra");
    const json = JSON.parse(await graph("-o", "json"));
    const { pod, toOwnNode } = json.pods.find((each: { pod: string }) => each.pod === "shop/web");
    if (format === "dot") expect(text).toContain(`"pod ${pod}" -> "class ${toOwnNode}";`);
  },
);
