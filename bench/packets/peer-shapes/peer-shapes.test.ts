import { expect, it } from "vitest";
import { PEER_BACKENDS } from "../backend.ts";
import type { BenchPolicies } from "../bench-cluster.ts";
import type { Ends } from "../variant.ts";
import { PEER_SHAPES } from "./peer-shapes.ts";
import { ENDS } from "./shape-samples.ts";

const POLICIES: BenchPolicies = {
  crowdsOfClient: [0],
  networkPolicies: [{ name: "server", subject: "server", rules: [{ from: 0, ports: [8000] }] }],
};
const WITH_ADMIN: BenchPolicies = { ...POLICIES, adminRules: [{ action: "Deny", crowd: 0, port: 8000 }] };

function whoCompiles(policies: BenchPolicies, ends: Ends): string[] {
  return PEER_SHAPES.filter(({ compile }) => compile(policies, ends) !== undefined).map(({ name }) => name);
}

it("every shape is there once, and takes NetworkPolicies between routed pods", () => {
  expect(whoCompiles(POLICIES, ENDS)).toEqual([...PEER_BACKENDS]);
});

it("only Calico's shapes have Admin rules", () => {
  expect(whoCompiles(WITH_ADMIN, ENDS)).toEqual(["calico-nft", "calico-iptables"]);
});

it("only kube-router's shapes are for bridged pods", () => {
  expect(whoCompiles(POLICIES, { ...ENDS, topology: "bridged" })).toEqual(["kube-router-nft", "kube-router-iptables"]);
});

it("rules that take less than what they are asked for are no counters", () => {
  for (const { name, compile } of PEER_SHAPES) {
    const rules = compile(POLICIES, ENDS);
    const names = rules?.counters.map((counter) => counter.name) ?? [];
    expect(names.filter((each) => /KUBE-POD-FW-0[#_]/.test(each))).toHaveLength(name.startsWith("kube-router") ? 7 : 0);
    expect(new Set(names).size).toBe(names.length);
  }
});

it("has the floor of ours for the same tool", () => {
  expect(PEER_SHAPES.map(({ programs: [program] }) => program)).toEqual([
    "nft",
    "iptables-legacy-restore",
    "nft",
    "iptables-legacy-restore",
  ]);
});
