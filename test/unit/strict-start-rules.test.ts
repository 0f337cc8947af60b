// Strict start from events to transactions: what becomes known, and its rules, reach the kernel together.

import { describe, expect, it } from "vitest";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { diffRulesets } from "../../src/backends/nft/diff.ts";
import { MemoryTable } from "../../src/backends/nft/memory-table.ts";
import { renderText } from "../../src/backends/nft/text.ts";
import { RulesetTracker } from "../../src/backends/nft/tracker.ts";
import { renderTransaction } from "../../src/backends/nft/transaction.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../src/program/program.ts";
import { type ApiObject, eventOf, removalOf, storeOf } from "../support/random-cluster.ts";

const STRICT: ProgramOptions = { ...DEFAULT_PROGRAM_OPTIONS, unknownLocalPods: "drop" };

const node = (...podCIDRs: readonly string[]): ApiObject => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "n1" },
  spec: { podCIDRs },
});
const pod = (name: string, ip: string): ApiObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "x" },
  spec: { nodeName: "n1", containers: [] },
  status: { phase: "Running", podIPs: [{ ip }] },
});
const policy: ApiObject = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "closed", namespace: "x" },
  spec: { podSelector: {}, policyTypes: ["Ingress"] },
};

/** The graph of n1 and the tracker of its table; `change` gives the transaction of a batch of events, as text. */
function nodeWith(...objects: readonly ApiObject[]) {
  const graph = new RuleGraph(storeOf(objects), "n1", STRICT);
  const tracker = new RulesetTracker(graph.program());
  graph.flush();
  const table = new MemoryTable(tracker.ruleset());
  const change = (...events: readonly Parameters<RuleGraph["apply"]>[0][]): string[] => {
    for (const event of events) graph.apply(event);
    const transaction = tracker.update(graph.flush());
    table.apply(transaction);
    expect(renderText(table.ruleset())).toBe(renderText(tracker.ruleset()));
    return renderTransaction(transaction).split("\n").slice(0, -1);
  };
  return { graph, tracker, table, change };
}

describe("a local pod", () => {
  it("becomes known in the transaction that has its class and its dispatch", () => {
    const { change } = nodeWith(node("10.1.0.0/24"), policy);
    const lines = change(eventOf(pod("a", "10.1.0.5")));
    expect(lines).toContain("add element inet nftpol known4 { 10.1.0.5 }");
    expect(lines).toContainEqual(expect.stringMatching(/^add chain inet nftpol ingress4_x\.closed_\w+ /));
    expect(lines).toContainEqual(
      expect.stringMatching(/^add element inet nftpol ingress4 \{ 10\.1\.0\.5 : jump ingress4_x/),
    );
    expect(lines).toContain("add element inet nftpol isolated4 { 10.1.0.5 }");
    // It is the first one that is isolated: from now on packets that only a link carries are dropped.
    expect(lines.filter((line) => line.startsWith("flush"))).toEqual(["flush chain inet nftpol link_scope"]);
  });

  it("that no policy isolates is one element", () => {
    const { change } = nodeWith(node("10.1.0.0/24"));
    expect(change(eventOf(pod("a", "10.1.0.5")))).toEqual(["add element inet nftpol known4 { 10.1.0.5 }"]);
  });

  it("that is gone is closed in the transaction that takes its dispatch away", () => {
    const { change } = nodeWith(node("10.1.0.0/24"), policy, pod("a", "10.1.0.5"));
    const lines = change(removalOf(pod("a", "10.1.0.5")));
    expect(lines).toContain("delete element inet nftpol known4 { 10.1.0.5 }");
    expect(lines).toContain("delete element inet nftpol ingress4 { 10.1.0.5 }");
  });
});

describe("pod CIDRs of the node", () => {
  it("that become others refill one chain and leave the base chains alone", () => {
    const { change } = nodeWith(node("10.1.0.0/24"), pod("a", "10.1.0.5"));
    expect(change(eventOf(node("10.1.0.0/24", "fd00:1::/64")))).toEqual([
      "flush chain inet nftpol unknown",
      "add rule inet nftpol unknown ip saddr 10.1.0.0/24 ip saddr != @known4 jump unknown_egress4",
      "add rule inet nftpol unknown ip6 saddr fd00:1::/64 ip6 saddr != @known6 jump unknown_egress6",
      "add rule inet nftpol unknown ip daddr 10.1.0.0/24 ip daddr != @known4 jump unknown_ingress4",
      "add rule inet nftpol unknown ip6 daddr fd00:1::/64 ip6 daddr != @known6 jump unknown_ingress6",
    ]);
  });

  it("come with the pods that are known in them", () => {
    const { change } = nodeWith(pod("a", "10.1.0.5"), pod("b", "10.2.0.5"));
    const lines = change(eventOf(node("10.1.0.0/24")));
    expect(lines).toContain("add element inet nftpol known4 { 10.1.0.5 }");
    expect(change(removalOf(node()))).toEqual([
      "flush chain inet nftpol unknown",
      "delete element inet nftpol known4 { 10.1.0.5 }",
    ]);
  });

  it("that change together with more pods than the set has room for give each rule once", () => {
    const { change, table, graph } = nodeWith(node("10.1.0.0/24"));
    const pods = Array.from({ length: 1025 }, (_, index) => pod(`p${index}`, `10.1.${index >> 8}.${index & 255}`));
    change(...pods.map(eventOf), eventOf(node("10.1.0.0/16")));
    const withoutSizes = (text: string) => text.replace(/^ *size \d+\n/gm, "");
    expect(withoutSizes(renderText(table.ruleset()))).toBe(withoutSizes(renderText(compileRuleset(graph.program()))));
  });
});

describe("a table of an earlier run", () => {
  const objects = [node("10.1.0.0/24"), policy, pod("a", "10.1.0.5")];
  const rulesetWith = (options: ProgramOptions) =>
    compileRuleset(new RuleGraph(storeOf(objects), "n1", options).program());

  it.each([
    ["with strict start is led to one without", STRICT, DEFAULT_PROGRAM_OPTIONS],
    ["without strict start is led to one with it", DEFAULT_PROGRAM_OPTIONS, STRICT],
  ])("%s, and no base chain is made anew", (_, before, after) => {
    const table = new MemoryTable(rulesetWith(before));
    const transaction = diffRulesets(table.ruleset(), rulesetWith(after));
    table.apply(transaction);
    expect(renderText(table.ruleset())).toBe(renderText(rulesetWith(after)));
    expect(renderTransaction(transaction)).not.toMatch(/^(add|delete) chain inet nftpol (forward|input|output)\b/m);
  });
});
