// Whose connections are looked at again after a change: what the graph's deltas say, for each kind of rule.

import { describe, expect, it } from "vitest";
import { makeClusterPolicy, makePod, makePolicy, setPod, setPolicy } from "../../test/support/model-objects.ts";
import { RuleGraph } from "../graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../program/program.ts";
import { ClusterStore } from "../state/store.ts";
import { shrunkAddresses } from "./shrunk-addresses.ts";

const LOCAL = makePod("web", "10.0.0.1", { labels: { app: "web" } });
const far = (labels: Readonly<Record<string, string>>) =>
  setPod(makePod("far", "10.0.0.2", { node: "node-2", labels }));
const GUESTS = { pods: { namespaceSelector: {}, podSelector: { matchLabels: { guest: "yes" } } } };
const subject = { namespaces: {} };

const allowing = makePolicy("p", {
  podSelector: {},
  ingress: [{ from: [{ podSelector: { matchLabels: { guest: "yes" } } }] }],
});
const acting = (action: string) =>
  makeClusterPolicy("p", {
    tier: "Admin",
    priority: 1,
    subject,
    // The last rule is there for the class: where nothing can be denied there is none.
    ingress: [
      { action, from: [GUESTS] },
      { action: "Deny", from: [{ namespaces: { matchLabels: { no: "one" } } }] },
    ],
  });

describe("shrunkAddresses", () => {
  it.each([
    { what: "a peer comes to what is allowed", policy: allowing, joins: true, expected: [] },
    { what: "a peer leaves what is allowed", policy: allowing, joins: false, expected: ["10.0.0.2"] },
    { what: "a peer comes to what Admin accepts", policy: acting("Accept"), joins: true, expected: [] },
    { what: "a peer leaves what Admin accepts", policy: acting("Accept"), joins: false, expected: ["10.0.0.2"] },
    { what: "a peer comes to what Admin denies", policy: acting("Deny"), joins: true, expected: ["10.0.0.2"] },
    { what: "a peer leaves what Admin denies", policy: acting("Deny"), joins: false, expected: [] },
    { what: "a peer comes to what Admin passes on", policy: acting("Pass"), joins: true, expected: ["10.0.0.2"] },
    { what: "a peer leaves what Admin passes on", policy: acting("Pass"), joins: false, expected: ["10.0.0.2"] },
  ])("$what", ({ policy, joins, expected }) => {
    const graph = new RuleGraph(new ClusterStore(), "node-1", DEFAULT_PROGRAM_OPTIONS);
    const [before, after] = joins ? [{}, { guest: "yes" }] : [{ guest: "yes" }, {}];
    for (const event of [setPod(LOCAL), far(before as never), setPolicy(policy)]) graph.apply(event);
    graph.flush();
    graph.apply(far(after as never));
    const delta = graph.flush();
    expect(delta.elements).toHaveLength(1);
    expect([...shrunkAddresses(delta)]).toEqual(expected);
  });

  it("a policy that comes: the local pods that it judges", () => {
    const graph = new RuleGraph(new ClusterStore(), "node-1", DEFAULT_PROGRAM_OPTIONS);
    for (const event of [setPod(LOCAL), far({})]) graph.apply(event);
    graph.flush();
    graph.apply(setPolicy(acting("Deny")));
    expect([...shrunkAddresses(graph.flush())]).toEqual(["10.0.0.1"]);
  });
});
