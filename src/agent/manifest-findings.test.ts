// What a watched folder has to say beside its objects.

import { describe, expect, it } from "vitest";
import { policyText, WatchedManifests } from "../../test/support/watched-manifests.ts";

const CILIUM = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: x}\n";
const LOOSE = "found in manifests, and about nothing that is enforced";

describe("findings that belong to no object of the cluster", () => {
  it("are logged once each, and stand while they are there", async () => {
    const manifests = await WatchedManifests.start({ "d/a.yaml": policyText("a"), "d/c.yaml": CILIUM });
    const found = () => manifests.logged.filter(({ msg }) => msg === LOOSE);
    expect(found()).toMatchObject([
      { level: "warn", file: "d/c.yaml", line: 2, object: "CiliumNetworkPolicy x/c", code: "policy-not-enforced" },
    ]);
    expect(manifests.source.findings()).toMatchObject([{ object: "CiliumNetworkPolicy x/c" }]);
    expect(manifests.source.unenforcedKinds()).toEqual(["ciliumnetworkpolicies.cilium.io"]);

    manifests.files.write("d/a.yaml", policyText("a2"));
    manifests.files.write("d/values.yaml", "replicas: 3\n");
    await manifests.settle();
    expect(found().map(({ code }) => code)).toEqual(["policy-not-enforced", "not-kubernetes"]);
    expect(manifests.source.findings().map(({ object }) => object)).toEqual([
      "CiliumNetworkPolicy x/c",
      "d/values.yaml:1",
    ]);

    manifests.files.remove("d/c.yaml");
    manifests.files.remove("d/values.yaml");
    await manifests.settle();
    expect(manifests.source.findings()).toEqual([]);
    expect(manifests.source.unenforcedKinds()).toEqual([]);
  });

  it("are not those of objects: these come with their objects", async () => {
    const manifests = await WatchedManifests.start({
      "d/a.yaml": policyText("a", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: nonsense}}]}]}"),
      "d/b.yaml": policyText("a"),
    });
    expect(manifests.source.findings()).toEqual([]);
    expect(manifests.changes.map(({ diagnostics }) => diagnostics.map(({ code }) => code))).toEqual([
      ["invalid-cidr", "duplicate-object"],
    ]);
  });

  it("are not those of cluster-wide policies either", async () => {
    const text = (name: string) =>
      `apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: ${name}}\nspec: {tier: Admin}\n`;
    const manifests = await WatchedManifests.start({ "d/a.yaml": text("a") });
    expect(manifests.source.findings()).toEqual([]);
    expect(manifests.objects).toEqual(["ClusterNetworkPolicy/a"]);
    expect(manifests.changes.map(({ diagnostics }) => diagnostics.map(({ field }) => field))).toEqual([
      ["spec.priority", "spec.subject"],
    ]);
    manifests.files.write("d/a.yaml", text("b"));
    await manifests.settle();
    expect(manifests.objects).toEqual(["ClusterNetworkPolicy/b"]);
  });
});
