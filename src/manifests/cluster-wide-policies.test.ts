// Cluster-scoped policies in manifests: which of them are one object, and where their faults stand.

import { describe, expect, it } from "vitest";
import { findingLine, loadTexts } from "../../test/support/manifests.ts";

const SPEC = "{tier: Admin, priority: 1, subject: {namespaces: {}}";

function policy(metadata: string, rest = "", kind = "ClusterNetworkPolicy"): string {
  const isCluster = kind === "ClusterNetworkPolicy";
  const apiVersion = `policy.networking.k8s.io/${isCluster ? "v1alpha2" : "v1alpha1"}`;
  const spec = isCluster ? SPEC : SPEC.replace("tier: Admin, ", "");
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {${metadata}}\nspec: ${spec}${rest}}\n`;
}

describe("cluster-wide policies", () => {
  it("are one object by kind and name, whatever namespace they claim", async () => {
    const { policies, diagnostics } = await loadTexts({
      "a.yaml": policy("name: a"),
      "b.yaml": policy("name: a, namespace: shop"),
      "c.yaml": policy("name: a", "", "AdminNetworkPolicy"),
      "d.yaml": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}}\n",
    });
    expect(policies.map(({ key }) => key)).toEqual([
      ...["ClusterNetworkPolicy/a", "AdminNetworkPolicy/a", "NetworkPolicy/default/a"],
    ]);
    expect(diagnostics.map(findingLine)).toEqual([
      "b.yaml:3:21 warning namespace-ignored metadata.namespace",
      "b.yaml:1:1 error duplicate-object",
    ]);
    expect(diagnostics[1]).toMatchObject({
      object: "ClusterNetworkPolicy a",
      message: expect.stringContaining("a.yaml"),
    });
  });

  it("may stand in a list that says their kind", async () => {
    const item = (name: string) => `- metadata: {name: ${name}}\n  spec: ${SPEC}}\n`;
    const head = "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicyList\nitems:\n";
    const { policies, diagnostics } = await loadTexts({ "a.yaml": head + item("a") + item("b") });
    expect(diagnostics).toEqual([]);
    expect(policies.map(({ key, position }) => [key, position.line])).toEqual([
      ["ClusterNetworkPolicy/a", 4],
      ["ClusterNetworkPolicy/b", 6],
    ]);
  });

  it("have their faults where they are written, and rules that know their lines", async () => {
    const rules = ", egress: [\n {action: Deny, to: [{networks: [10.0.0.0/33]}]},\n {action: Denny}]";
    const { policies, diagnostics } = await loadTexts({ "a.yaml": policy("name: a", rules) });
    expect(diagnostics.map(findingLine)).toEqual([
      "a.yaml:5:34 error invalid-cidr spec.egress[0].to[0].networks[0]",
      "a.yaml:6:3 error unknown-action spec.egress[1].action",
      "a.yaml:6:2 error missing-field spec.egress[1].to",
    ]);
    expect(policies[0]?.rules.egress.map(({ position }) => position.line)).toEqual([5, 6]);
  });

  it("keep made-up addresses out of their networks", async () => {
    const rules = ", egress: [{action: Deny, to: [{networks: [10.244.0.0/16, 100.64.0.0/16]}]}]";
    const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n";
    const { pods } = await loadTexts({ "a.yaml": policy("name: a", rules), "p.yaml": pod });
    expect(pods[0]?.addresses).toEqual([expect.stringMatching(/^172\.31\./)]);
  });
});
