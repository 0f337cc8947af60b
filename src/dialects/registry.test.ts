import { describe, expect, it } from "vitest";
import { textlessSource } from "./object-source.ts";
import { decodeObject } from "./registry.ts";

const decode = (apiVersion: string, kind: string, rest = {}) =>
  decodeObject({ apiVersion, kind, metadata: { name: "a" }, ...rest }, textlessSource("x"));
const codes = (apiVersion: string, kind: string) => decode(apiVersion, kind).diagnostics.map(({ code }) => code);

describe("a kind that is nearly one that is read", () => {
  it.each([
    ["networking.k8s.io/v1", "networkPolicy", "NetworkPolicy"],
    ["networking.k8s.io/v1", "NetworkPolcy", "NetworkPolicy"],
    ["networking.k8s.io/v1", "NetworkPolicies", "NetworkPolicy"],
    ["networking.k8s.io/v1", "NNetworkPolicy", "NetworkPolicy"],
    ["networking.k8s.io/v1", "NetworkPolicylist", "NetworkPolicyList"],
    ["networking.k8.io/v1", "NetworkPolcy", "NetworkPolicy"],
    ["extensions/v1beta1", "NetworkPolcy", "NetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolcy", "ClusterNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha2", "ClusteNetworkPolicy", "ClusterNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha2", "clusternetworkpolicy", "ClusterNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha1", "AdmniNetworkPolicy", "AdminNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha1", "BaselineAdmnNetworkPolicy", "BaselineAdminNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicylist", "ClusterNetworkPolicyList"],
    ["policy.networking.k8.io/v1alpha2", "ClusterNetworkPolcy", "ClusterNetworkPolicy"],
    ["networking.k8s.io/v1", "ClusterNetworkPolcy", "ClusterNetworkPolicy"],
    ["v1", "pod", "Pod"],
    ["v1", "Pods", "Pod"],
    ["v1", "NameSpace", "Namespace"],
    ["v1", "node", "Node"],
    ["v1", "list", "List"],
    ["v1", "Podlist", "PodList"],
  ])("%s %s is an error: a typo must not remove an object", (apiVersion, kind, meant) => {
    const decoded = decode(apiVersion, kind);
    expect(decoded.type).toBe("refused");
    expect(decoded.diagnostics).toMatchObject([
      { code: "unknown-kind", severity: "error", field: "kind", hint: `did you mean ${meant}?` },
    ]);
  });

  it.each([
    ["v1", "Service"],
    ["v1", "Secret"],
    ["v1", "ConfigMap"],
    ["v1", "Event"],
    ["v1", "Endpoints"],
    ["v1", "PersistentVolume"],
    ["v1", "PodTemplate"],
    ["v1", "PodTemplateList"],
    ["v1", "Config"],
    ["apps/v1", "ControllerRevision"],
    ["policy/v1", "PodDisruptionBudget"],
    ["rbac.authorization.k8s.io/v1", "Role"],
    ["node.k8s.io/v1", "RuntimeClass"],
    ["metrics.k8s.io/v1beta1", "PodMetrics"],
    ["networking.k8s.io/v1", "Ingress"],
    ["networking.k8s.io/v1", "IngressClass"],
    ["networking.istio.io/v1", "Gateway"],
    ["networking.istio.io/v1", "ServiceEntry"],
    ["policy.networking.k8s.io/v1alpha1", "ExternalNetworkSet"],
    ["networking.k8s.aws/v1alpha1", "ClusterPolicyEndpoint"],
    ["networking.gke.io/v1", "NetworkLogging"],
    ["example.com/v1", "Nod"],
    ["example.com/v1", "NetworkPolcy"],
    ["example.com/v1", "AllowList"],
  ])("%s %s is another kind and ignored", (apiVersion, kind) => {
    expect(decode(apiVersion, kind)).toMatchObject({ type: "ignored", diagnostics: [] });
  });
});

it.each([
  ["crd.antrea.io/v1beta1", "ClusterNetworkPolicy", "clusternetworkpolicies.crd.antrea.io"],
  ["networking.k8s.aws/v1alpha1", "ClusterNetworkPolicy", "clusternetworkpolicies.networking.k8s.aws"],
  ["k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy", "multinetworkpolicies.k8s.cni.cncf.io"],
  ["cilium.io/v2", "CiliumNetworkPolicy", "ciliumnetworkpolicies.cilium.io"],
  ["networking.gke.io/v1", "FQDNNetworkPolicy", "fqdnnetworkpolicies.networking.gke.io"],
  ["projectcalico.org/v3", "NetworkPolicy", "networkpolicies.projectcalico.org"],
])("%s %s is named as a policy that is not enforced", (apiVersion, kind, unenforced) => {
  expect(codes(apiVersion, kind)).toEqual(["policy-not-enforced"]);
  expect(decode(apiVersion, kind)).toMatchObject({ type: "ignored", unenforced });
});

it.each([
  ["networking.k8s.io/v2", "NetworkPolicy", "policy"],
  ["extensions/v1beta1", "NetworkPolicy", "policy"],
  ["networking.k8.io/v1", "NetworkPolicy", "policy"],
  ["netwroking.k8s.io/v1", "NetworkPolicy", "policy"],
  ["policy.networking.k8s.io/v1alpha1", "ClusterNetworkPolicy", "policy"],
  ["policy.networking.k8s.io/v1beta1", "ClusterNetworkPolicy", "policy"],
  ["networking.k8s.io/v1", "ClusterNetworkPolicy", "policy"],
  ["policy.networking.k8.io/v1alpha2", "ClusterNetworkPolicy", "policy"],
  ["policy.networking.k8s.io/v1alpha2", "AdminNetworkPolicy", "policy"],
  ["policy.networking.k8s.io/v1alpha2", "BaselineAdminNetworkPolicy", "policy"],
  ["policy.networking.k8s.io/v1", "NetworkPolicy", "policy"],
  ["v2", "Pod", "pod"],
  ["extensions/v1beta1", "Deployment", "workload"],
])("%s %s is a %s that cannot be read", (apiVersion, kind, type) => {
  const decoded = decode(apiVersion, kind);
  expect(decoded.type).toBe(type);
  expect("object" in decoded).toBe(false);
  expect(decoded.diagnostics).toMatchObject([{ code: "unknown-api-version", severity: "error" }]);
});

it.each([
  ["policy.networking.k8s.io/v1beta1", "ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2"],
  ["policy.networking.k8s.io/v1alpha2", "AdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1"],
  ["policy.networking.k8s.io/v1", "NetworkPolicy", "networking.k8s.io/v1"],
])("%s %s: the hint is the version that is read", (apiVersion, kind, right) => {
  expect(decode(apiVersion, kind).diagnostics).toMatchObject([{ hint: `write apiVersion: ${right}` }]);
});

it.each(["ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"])("%s is a policy", (kind) => {
  const apiVersion = `policy.networking.k8s.io/${kind === "ClusterNetworkPolicy" ? "v1alpha2" : "v1alpha1"}`;
  expect(decode(apiVersion, kind)).toMatchObject({ type: "policy", object: { kind, key: `${kind}/a` } });
});

it("who uses a policy that is not enforced is told which ones are", () => {
  const [finding] = decode("cilium.io/v2", "CiliumNetworkPolicy").diagnostics;
  expect(finding?.hint).toMatch(/networking\.k8s\.io\/v1 NetworkPolicy.* BaselineAdminNetworkPolicy$/);
});

it.each(["Net", "NetworkP", "P", "Li"])("a kind %s without anything else is one that was cut off", (kind) => {
  const decoded = decodeObject({ apiVersion: "v1", kind }, textlessSource("x"));
  expect(decoded).toMatchObject({ type: "refused", diagnostics: [{ code: "unknown-kind" }] });
});

it.each(["List", "PodList"])("a %s without items is an error, not an ignored kind", (kind) => {
  expect(decode("v1", kind)).toMatchObject({
    type: "refused",
    diagnostics: [{ code: "missing-field", field: "items" }],
  });
});
