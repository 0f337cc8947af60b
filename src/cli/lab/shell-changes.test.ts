import { describe, expect, it } from "vitest";
import { memoryManifestFiles } from "../../manifests/manifest-files.ts";
import { type LabInput, type LabManifests, makeLabInput, readLabManifests } from "./lab-input.ts";
import { describeChange, keepPods, listed } from "./shell-changes.ts";

function pod(
  name: string,
  more: { readonly ip?: string; readonly labels?: string; readonly node?: string } = {},
): string {
  return `apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: ${name}, labels: { app: ${more.labels ?? name} } }
spec: { containers: [{ name: main }]${more.node === undefined ? "" : `, nodeName: ${more.node}`} }
${more.ip === undefined ? "" : `status: { podIP: ${more.ip} }`}
`;
}

function policy(name: string, app: string, block = ""): string {
  const ingress = block === "" ? "[]" : `[{ from: [{ ipBlock: { cidr: ${block} } }] }]`;
  return `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { namespace: shop, name: ${name} }
spec: { podSelector: { matchLabels: { app: ${app} } }, policyTypes: [Ingress], ingress: ${ingress} }
`;
}

function read(...documents: readonly string[]): Promise<LabManifests> {
  return readLabManifests(["shop.yaml"], false, memoryManifestFiles({ "shop.yaml": documents.join("---\n") }));
}

async function begin(...documents: readonly string[]): Promise<LabInput> {
  return makeLabInput(await read(...documents), { nodes: 2, topology: "routed", dualStack: true });
}

describe("edited manifests", () => {
  it("bring policies and labels; pods stay on their nodes and keep their addresses", async () => {
    const first = await begin(pod("web"), pod("db"));
    const edited = keepPods(first, await read(pod("web", { labels: "shop" }), pod("db"), policy("closed", "db")));
    const placeOf = ({ key, nodeName, addresses }: (typeof first.cluster.pods)[number]) => ({
      key,
      nodeName,
      addresses,
    });
    const byKey = (a: { readonly key: string }, b: { readonly key: string }) => (a.key < b.key ? -1 : 1);
    expect(edited.cluster.pods.map(placeOf).sort(byKey)).toEqual(first.cluster.pods.map(placeOf).sort(byKey));
    expect(edited.cluster.pods.find(({ name }) => name === "web")?.labels).toEqual({ app: "shop" });
    expect([...edited.store.policies()].map(({ key }) => key)).toHaveLength(1);
    expect([edited.added, edited.removed, edited.moved]).toEqual([[], [], []]);
  });

  it("a made-up address that a new ipBlock would make another one is the lab's own, and nothing to tell", async () => {
    const first = await begin(pod("web"), pod("db"));
    const own = first.cluster.pods.flatMap(({ addresses }) => addresses);
    const next = await read(pod("web"), pod("db"), policy("block", "db", "10.244.0.0/16"));
    expect(next.loaded.pods.flatMap(({ addresses }) => addresses)).not.toEqual(expect.arrayContaining(own));
    const edited = keepPods(first, next);
    expect(edited.cluster.pods.flatMap(({ addresses }) => addresses).sort()).toEqual([...own].sort());
    expect(edited.moved).toEqual([]);
  });

  it("a new pod is left out and named, so is one that is gone, and one that the manifests move", async () => {
    const first = await begin(pod("web", { ip: "10.1.0.1" }), pod("db"));
    const edited = keepPods(first, await read(pod("web", { ip: "10.1.0.2" }), pod("cache")));
    expect([edited.added, edited.removed, edited.moved]).toEqual([["shop/cache"], ["shop/db"], ["shop/web"]]);
    expect(edited.cluster.pods.map(({ key }) => key)).toEqual(["shop/web"]);
    expect(edited.cluster.pods[0]?.addresses).toContain("10.1.0.1");
    expect(edited.store.pod(first.plan.pods[0]?.key ?? ("" as never))).toBeUndefined();
  });

  it("errors come out with their place", async () => {
    const edited = keepPods(await begin(pod("web")), await read(pod("web"), "kind: [\n"));
    expect(edited.diagnostics[0]).toMatchObject({ severity: "error", position: { file: "shop.yaml", line: 8 } });
  });
});

describe("a change is described by what is different", () => {
  const before = [pod("web"), pod("db"), policy("a", "web"), policy("b", "db")];

  it.each([
    ["one policy more", [...before, policy("c", "db")], "policies changed: 2 → 3 (shop/c)"],
    ["one policy less", before.slice(0, 3), "policies changed: 2 → 1 (shop/b)"],
    ["another content", [...before.slice(0, 3), policy("b", "web")], "policies changed: 2 (shop/b)"],
    ["another label", [pod("web", { labels: "x" }), ...before.slice(1)], "1 pod changed (shop/web)"],
    ["other lines only", ["# a comment\n", ...before], undefined],
    ["another order only", [...before].reverse(), undefined],
    [
      "a namespace with labels",
      ["apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { team: a } }\n", ...before],
      "namespaces changed (shop)",
    ],
  ])("%s", async (_, after, expected) => {
    const first = await begin(...before);
    const { cluster } = keepPods(first, await read(...before));
    expect(describeChange(cluster, keepPods(first, await read(...after)).cluster)).toBe(expected);
  });

  it("an edit that changes nothing is nothing from the start, too", async () => {
    const first = await begin(...before);
    expect(
      describeChange(first.cluster, keepPods(first, await read("# a comment\n", ...before)).cluster),
    ).toBeUndefined();
  });
});

it("long lists are shortened", () => {
  expect(listed(["a", "b"], 2)).toBe("a, b");
  expect(listed(["a", "b", "c"], 2)).toBe("a, b and 1 more");
});
