// Who can be selected, who owns an address, and what a change means for those who select.

import { describe, expect, it } from "vitest";
import { type Namespace, type Node, type Pod, podKey } from "../model/cluster.ts";
import type { Address } from "../net/address.ts";
import { type CidrBlock, parseCidr } from "../net/cidr.ts";
import { ClusterStore } from "./store.ts";

const position = { file: "test" };

function pod(name: string, parts: Partial<Omit<Pod, "addresses">> & { addresses?: readonly string[] } = {}): Pod {
  const namespace = parts.namespace ?? "x";
  return {
    key: podKey(namespace, name),
    namespace,
    name,
    labels: {},
    nodeName: "n1",
    hostNetwork: false,
    finished: false,
    hostAddresses: [],
    ports: [],
    startedAt: "",
    createdAt: "",
    workload: `Pod/${name}`,
    position,
    ...parts,
    addresses: (parts.addresses ?? ["10.0.0.1"]) as Address[],
  };
}

function storeWith(...pods: readonly Pod[]): ClusterStore {
  const store = new ClusterStore();
  for (const each of pods) store.apply({ kind: "pod", key: each.key, pod: each });
  return store;
}

const address = (text: string) => text as Address;
const ownerName = (store: ClusterStore, text: string) => store.ownerOf(address(text))?.pod.name;

describe("who can be selected", () => {
  it.each<[string, Partial<Pod>, boolean]>([
    ["a running pod", {}, true],
    ["a pod on no node", { nodeName: undefined }, true],
    ["a hostNetwork pod", { hostNetwork: true }, false],
    ["a finished pod", { finished: true }, false],
    ["a pod without an address", { addresses: [] }, false],
  ])("%s", (_, parts, expected) => {
    const store = storeWith(pod("a", parts as Partial<Omit<Pod, "addresses">>));
    expect([...store.selectablePods()].length === 1).toBe(expected);
    expect([...store.selectablePodsOf("x")].length === 1).toBe(expected);
    expect(store.ownerOf(address("10.0.0.1")) !== undefined).toBe(expected);
    expect([...store.pods()]).toHaveLength(1);
  });

  it("a pod that finishes is no longer selectable, and one event says so", () => {
    const store = storeWith(pod("a"));
    const done = pod("a", { finished: true });
    const changes = store.apply({ kind: "pod", key: done.key, pod: done });
    expect(changes).toMatchObject([{ kind: "pod", before: { key: "x/a" }, after: undefined }]);
    expect([...store.selectablePods()]).toEqual([]);
  });

  it("both addresses of a dual-stack pod are its own", () => {
    const store = storeWith(pod("a", { addresses: ["10.0.0.1", "fd00::1"] }));
    expect(ownerName(store, "10.0.0.1")).toBe("a");
    expect(ownerName(store, "fd00::1")).toBe("a");
  });
});

describe("an address that two live pods claim", () => {
  const early = { startedAt: "2026-01-01T00:00:00Z", createdAt: "2026-01-01T00:00:00Z" };
  const late = { startedAt: "2026-01-02T00:00:00Z", createdAt: "2026-01-01T00:00:00Z" };
  const lateCreation = { startedAt: "2026-01-01T00:00:00Z", createdAt: "2026-01-02T00:00:00Z" };
  it.each<[string, Pod, Pod, string]>([
    ["belongs to the one that started later", pod("a", early), pod("b", late), "b"],
    [
      "belongs to the one that was created later when both started at once",
      pod("a", lateCreation),
      pod("b", early),
      "a",
    ],
    ["belongs to the one with the first key when times are equal", pod("b", early), pod("a", early), "a"],
    ["never belongs to a finished pod", pod("a", early), pod("b", { ...late, finished: true }), "a"],
    ["never belongs to a hostNetwork pod", pod("a", early), pod("b", { ...late, hostNetwork: true }), "a"],
  ])("%s, in whatever order they appear", (_, one, other, owner) => {
    expect(ownerName(storeWith(one, other), "10.0.0.1")).toBe(owner);
    expect(ownerName(storeWith(other, one), "10.0.0.1")).toBe(owner);
  });

  it("moves back when the newer pod is deleted, leaving the old owner first", () => {
    const store = storeWith(pod("a", early));
    const newer = pod("b", late);
    const moved = store.apply({ kind: "pod", key: newer.key, pod: newer });
    expect(moved.map((change) => change.kind === "pod" && [change.before?.key, change.after?.key])).toEqual([
      ["x/a", undefined],
      [undefined, "x/b"],
    ]);
    const back = store.apply({ kind: "pod", key: newer.key, pod: undefined });
    expect(back.map((change) => change.kind === "pod" && [change.before?.key, change.after?.key])).toEqual([
      ["x/b", undefined],
      [undefined, "x/a"],
    ]);
    expect(ownerName(store, "10.0.0.1")).toBe("a");
  });

  it("leaves its old owner the addresses that nobody else claims", () => {
    const store = storeWith(pod("a", { ...early, addresses: ["10.0.0.1", "fd00::1"] }), pod("b", late));
    expect(store.selectablePod(podKey("x", "a"))?.addresses).toEqual(["fd00::1"]);
    expect(store.selectablePod(podKey("x", "b"))?.addresses).toEqual(["10.0.0.1"]);
  });

  it("is reported with the owner first, and no longer once one is gone", () => {
    const store = storeWith(pod("a", early), pod("b", late));
    expect(store.sharedAddresses().map(({ claimants }) => claimants.map((each) => each.name))).toEqual([["b", "a"]]);
    store.apply({ kind: "pod", key: podKey("x", "a"), pod: undefined });
    expect(store.sharedAddresses()).toEqual([]);
  });
});

describe("namespaces", () => {
  const namespace = (name: string, labels: Record<string, string>): Namespace => ({ name, labels, position });

  it("that nobody defines have their name label only", () => {
    expect(new ClusterStore().namespaceLabels("x")).toEqual({ "kubernetes.io/metadata.name": "x" });
  });

  it("that are defined have the name label as well, whatever they claim", () => {
    const store = new ClusterStore();
    const labels = { team: "a", "kubernetes.io/metadata.name": "other" };
    const changes = store.apply({ kind: "namespace", name: "x", namespace: namespace("x", labels) });
    expect(store.namespaceLabels("x")).toEqual({ team: "a", "kubernetes.io/metadata.name": "x" });
    expect(changes).toHaveLength(1);
  });

  it("that are set to equal labels change nothing", () => {
    const store = new ClusterStore();
    expect(store.apply({ kind: "namespace", name: "x", namespace: namespace("x", {}) })).toEqual([]);
  });

  it("that are deleted fall back to the name label", () => {
    const store = new ClusterStore();
    store.apply({ kind: "namespace", name: "x", namespace: namespace("x", { team: "a" }) });
    const changes = store.apply({ kind: "namespace", name: "x", namespace: undefined });
    expect(changes).toMatchObject([{ after: { "kubernetes.io/metadata.name": "x" } }]);
  });

  it("are named when they are defined and when a pod is in them", () => {
    const store = storeWith(pod("a", { namespace: "used" }));
    store.apply({ kind: "namespace", name: "defined", namespace: namespace("defined", {}) });
    expect([...store.namespaceNames()].sort()).toEqual(["defined", "used"]);
  });
});

describe("node addresses", () => {
  const node: Node = { name: "n1", labels: {}, addresses: [address("10.9.0.1")], podCidrs: [], position };

  it("are those of the node and those that its pods report, once each", () => {
    const store = storeWith(pod("a", { hostAddresses: [address("10.9.0.1"), address("fd09::1")] }));
    store.apply({ kind: "node", name: "n1", node });
    expect(store.nodeAddresses("n1")).toEqual(["10.9.0.1", "fd09::1"]);
    expect(store.nodeAddresses("n2")).toEqual([]);
  });

  it("that pods report last as long as one of these pods", () => {
    const hostAddresses = [address("10.9.0.1")];
    const store = storeWith(pod("a", { hostAddresses }), pod("b", { hostAddresses, addresses: [], hostNetwork: true }));
    store.apply({ kind: "pod", key: podKey("x", "a"), pod: undefined });
    expect(store.nodeAt(address("10.9.0.1"))).toBe("n1");
    store.apply({ kind: "pod", key: podKey("x", "b"), pod: undefined });
    expect(store.nodeAt(address("10.9.0.1"))).toBeUndefined();
    expect(store.nodeAddresses("n1")).toEqual([]);
  });

  it("are not the node's when a selectable pod owns them", () => {
    const store = storeWith(pod("a", { addresses: ["10.9.0.1"] }));
    store.apply({ kind: "node", name: "n1", node });
    expect(store.nodeAt(address("10.9.0.1"))).toBeUndefined();
  });
});

describe("a node's labels, addresses and pod CIDRs", () => {
  const plain: Node = { name: "n1", labels: {}, addresses: [], podCidrs: [], position };
  const block = (text: string) => parseCidr(text)?.block as CidrBlock;
  const set = (store: ClusterStore, value: Node | undefined) => store.apply({ kind: "node", name: "n1", node: value });

  it.each<[string, Node]>([
    ["labels", { ...plain, labels: { role: "worker" } }],
    ["addresses", { ...plain, addresses: [address("10.9.0.1")] }],
    ["pod CIDRs", { ...plain, podCidrs: [block("10.1.0.0/24"), block("fd00:1::/64")] }],
  ])("are a change when the %s come, become others, and go with the node", (_, changed) => {
    const store = new ClusterStore();
    expect(set(store, plain)).toEqual([{ kind: "node", before: undefined, after: plain }]);
    expect(set(store, changed)).toEqual([{ kind: "node", before: plain, after: changed }]);
    expect(set(store, plain)).toEqual([{ kind: "node", before: changed, after: plain }]);
    expect(set(store, undefined)).toEqual([{ kind: "node", before: plain, after: undefined }]);
  });

  it("are no change while they stay, as with a node that reports its health", () => {
    const store = new ClusterStore();
    const node = { ...plain, labels: { role: "worker" }, addresses: [address("10.9.0.1")] };
    set(store, node);
    expect(set(store, { ...node, labels: { ...node.labels }, addresses: [...node.addresses] })).toEqual([]);
    expect(store.nodeAddresses("n1")).toEqual(["10.9.0.1"]);
  });
});

it("setting the same policy object again changes nothing", () => {
  const store = storeWith();
  expect(store.apply({ kind: "policy", key: "k" as never, policy: undefined })).toEqual([]);
});
