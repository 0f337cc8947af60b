// What explain answers where the Admin and Baseline tiers have a say: which tier decided, what a Pass skips, and what came before.

import { describe, expect, it } from "vitest";
import { runInMemory } from "./in-memory-run.ts";
import { FILES } from "./small-cluster.ts";

const API = "policy.networking.k8s.io/v1alpha2";

/** One rule a line, so that lines are easy to count: the first rule of a policy is in its line 4. */
function clusterPolicy(name: string, spec: string, rules: readonly string[], direction = "egress"): string {
  return `apiVersion: ${API}
kind: ClusterNetworkPolicy
metadata: {name: ${name}}
spec: {${spec}, subject: {namespaces: {}}, ${direction}: [
${rules.map((rule) => `  {${rule}}`).join(",\n")}]}
`;
}

const ADMIN = "tier: Admin, priority: 10";
const BASELINE = "tier: Baseline, priority: 10";
const TO_PODS = "to: [{namespaces: {}}]";
const TO_ALL = 'to: [{networks: ["0.0.0.0/0", "::/0"]}]';
const TO_API = "to: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: api}}}}]";
const UDP53 = "protocols: [{udp: {destinationPort: {number: 53}}}]";

async function explainIn(tiers: readonly string[], ...argv: readonly string[]): Promise<string> {
  const files = tiers.length === 0 ? FILES : { ...FILES, "c/tiers.yaml": tiers.join("---\n") };
  const { code, stdout, stderr } = await runInMemory(["explain", ...argv, "-f", "c"], { files });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).not.toContain("a bug in nftpol");
  return stdout;
}

/** The lines of one half, heading included. */
function halfOf(text: string, direction: "egress" | "ingress"): string {
  return new RegExp(`^${direction}[\\s\\S]*?(?=\\n\\n)`, "m").exec(text)?.[0] ?? "";
}

describe("the Admin tier decides", () => {
  const lockdown = clusterPolicy("lockdown", ADMIN, [
    `name: dns, action: Accept, ${TO_PODS}, ${UDP53}`,
    `name: no-network, action: Deny, ${TO_ALL}`,
  ]);

  it("a deny is told with policy, priority, rule, its name and place, peer and port, and the nearest allow before it", async () => {
    const text = await explainIn([lockdown], "ops/tool", "shop/web", "80");
    expect(halfOf(text, "egress")).toBe(`egress of ops/tool: deny
  Admin tier: denied by ClusterNetworkPolicy lockdown egress[1] "no-network" (priority 10, c/tiers.yaml:6)
    peer: to[0], networks 0.0.0.0/0, ::/0
    port: every port (no protocols)
    asked before it, without a match:
      ClusterNetworkPolicy lockdown (priority 10, c/tiers.yaml:1)
        egress[0] "dns" (allow): port no (53/UDP); peer yes (all pods in all namespaces)
  nearest allow before it: ClusterNetworkPolicy/lockdown egress[0] "dns" (c/tiers.yaml:5)
    the peer matches, the port does not: it allows 53/UDP, not 80/TCP`);
    expect(text).toMatch(/counter name drop_egress drop\n {2}deny\n$/);
  });

  it("an allow needs no NetworkPolicy and names none", async () => {
    const open = clusterPolicy("open", ADMIN, [`action: Accept, ${TO_PODS}`]);
    const text = await explainIn([open], "shop/web", "ops/tool", "80");
    expect(halfOf(text, "egress")).toBe(`egress of shop/web: allow
  Admin tier: allowed by ClusterNetworkPolicy open egress[0] (priority 10, c/tiers.yaml:5)
    peer: to[0], all pods in all namespaces
    port: every port (no protocols)`);
    const wide = await explainIn([open], "shop/web", "ops/tool", "80", "-o", "wide");
    expect(wide).toContain(
      "NetworkPolicy shop/web-egress (c/policies.yaml:17): selects the pod, not asked: the Admin tier decided",
    );
  });

  it("a deny without an allow before it has no nearest one", async () => {
    const text = await explainIn(
      [clusterPolicy("a", ADMIN, [`action: Deny, ${TO_ALL}`])],
      "ops/tool",
      "shop/web",
      "80",
    );
    expect(text).toContain("Admin tier: denied by");
    expect(text).not.toContain("nearest allow");
  });

  it("a named port of any protocol is told with what it is on the destination", async () => {
    const http = "protocols: [{destinationNamedPort: http}]";
    const text = await explainIn(
      [clusterPolicy("a", ADMIN, [`action: Deny, ${TO_PODS}, ${http}`])],
      "ops/tool",
      "shop/api",
      "9090",
    );
    expect(text).toContain("port: protocols[0], port http, which is 9090/TCP on shop/api");
    const other = [`action: Accept, ${TO_PODS}, ${http}`, `action: Deny, ${TO_ALL}`];
    expect(await explainIn([clusterPolicy("a", ADMIN, other)], "ops/tool", "shop/api", "80")).toContain(
      "it allows port http, not 80/TCP; http is 9090/TCP on shop/api",
    );
  });
});

describe("a Pass", () => {
  const policies = [
    clusterPolicy("trusted", "tier: Admin, priority: 5", [
      `name: hand-over, action: Pass, ${TO_API}`,
      `action: Deny, ${TO_ALL}`,
    ]),
    clusterPolicy("lockdown", ADMIN, [`name: none, action: Deny, ${TO_ALL}`, `action: Accept, ${TO_PODS}, ${UDP53}`]),
  ];

  it("is told with what it skips, in the order in which it would have been asked, and what decided behind it", async () => {
    const text = await explainIn(policies, "shop/web", "shop/api", "9090");
    expect(halfOf(text, "egress")).toBe(`egress of shop/web: allow
  Admin tier: passed on by ClusterNetworkPolicy trusted egress[0] "hand-over" (priority 5, c/tiers.yaml:5)
    peer: to[0], pods app=api in all namespaces
    port: every port (no protocols)
    skips:
      ClusterNetworkPolicy trusted egress[1] (priority 5, c/tiers.yaml:6): deny
      ClusterNetworkPolicy lockdown egress[0] "none" (priority 10, c/tiers.yaml:12): deny
  NetworkPolicy tier: allowed by NetworkPolicy shop/web-egress egress[0] (c/policies.yaml:24)
    peer: to[0], pods app=api in namespace shop
    port: every port (no ports)`);
  });

  it("that skips nothing says so; without anything behind it, the flow is allowed by default", async () => {
    const text = await explainIn(
      [clusterPolicy("p", ADMIN, [`action: Pass, ${TO_ALL}`])],
      "ops/tool",
      "shop/web",
      "80",
    );
    expect(halfOf(text, "egress")).toContain("    skips no rule that matches\n  allowed by default: no tier decides");
  });

  it("into NetworkPolicies that deny: the rules of these are told as ever", async () => {
    const text = await explainIn(
      [clusterPolicy("p", ADMIN, [`action: Pass, ${TO_ALL}`])],
      "shop/web",
      "ops/tool",
      "80",
    );
    expect(halfOf(text, "egress")).toContain(`  NetworkPolicy tier: isolated, and no rule matches:
    NetworkPolicy shop/web-egress (c/policies.yaml:17)
      egress[0]: port yes (every port of every protocol); peer no (pods app=api in namespace shop)
  nearest allow: shop/web-egress egress[0] (c/policies.yaml:24)`);
  });
});

describe("the Baseline tier", () => {
  const floor = clusterPolicy("floor", BASELINE, [`name: none, action: Deny, ${TO_ALL}`]);

  it("decides where no NetworkPolicy isolates the pod; an Admin tier without a match is told, too", async () => {
    const admin = clusterPolicy("dns", ADMIN, [`action: Accept, ${TO_PODS}, ${UDP53}`]);
    const text = await explainIn([admin, floor], "ops/tool", "shop/web", "80");
    expect(halfOf(text, "egress")).toBe(`egress of ops/tool: deny
  Admin tier: no rule matches:
    ClusterNetworkPolicy dns (priority 10, c/tiers.yaml:1)
      egress[0] (allow): port no (53/UDP); peer yes (all pods in all namespaces)
  Baseline tier: denied by ClusterNetworkPolicy floor egress[0] "none" (priority 10, c/tiers.yaml:11)
    peer: to[0], networks 0.0.0.0/0, ::/0
    port: every port (no protocols)
  nearest allow before it: ClusterNetworkPolicy/dns egress[0] (c/tiers.yaml:5)
    the peer matches, the port does not: it allows 53/UDP, not 80/TCP`);
  });

  it("is not asked where a NetworkPolicy isolates the pod, which -o wide says", async () => {
    const text = await explainIn([floor], "shop/web", "shop/api", "9090", "-o", "wide");
    expect(halfOf(text, "egress")).toMatch(
      /^egress of shop\/web: allow\n {2}by NetworkPolicy shop\/web-egress egress\[0\]/,
    );
    expect(text).toContain(
      "ClusterNetworkPolicy floor (c/tiers.yaml:1): selects the pod, not asked: the NetworkPolicy tier decided",
    );
    expect(text).toContain("ClusterNetworkPolicy floor (c/tiers.yaml:1): selects the pod, has no ingress rules");
  });
});

describe("equal priorities", () => {
  const deny = clusterPolicy("a", ADMIN, [`action: Deny, ${TO_ALL}`]);

  it("are told where the other policy does something else", async () => {
    const text = await explainIn(
      [deny, clusterPolicy("b", ADMIN, [`name: all, action: Accept, ${TO_ALL}`])],
      "ops/tool",
      "shop/web",
      "80",
    );
    expect(text).toContain(`
    same priority, another action (the API leaves the order open; asked by name, our choice):
      ClusterNetworkPolicy b egress[0] "all" (priority 10, c/tiers.yaml:11): allow
`);
  });

  it("are not where it does the same, and an earlier rule is said to have decided", async () => {
    const text = await explainIn(
      [deny, clusterPolicy("b", ADMIN, [`action: Deny, ${TO_ALL}`])],
      "ops/tool",
      "shop/web",
      "80",
      "-o",
      "wide",
    );
    expect(text).not.toContain("same priority");
    expect(text).toContain(
      "ClusterNetworkPolicy b (c/tiers.yaml:7): selects the pod, not asked: an earlier rule of the Admin tier decided",
    );
  });
});

describe("what is never blocked", () => {
  const deny = clusterPolicy("lockdown", ADMIN, [`action: Deny, ${TO_ALL}`]);

  it("a pod and itself; through a service a tier denies it, which is said for the half that does", async () => {
    const text = await explainIn([deny], "ops/tool", "ops/tool", "80");
    expect(text).toMatch(/: 80\/TCP: allow\n/);
    expect(halfOf(text, "egress")).toBe(`egress of ops/tool: allow
  never blocked: a pod and itself
  through a service it is denied: Admin tier, by ClusterNetworkPolicy lockdown egress[0] (priority 10, c/tiers.yaml:5)`);
    expect(halfOf(text, "ingress")).toBe("ingress of ops/tool: allow\n  never blocked: a pod and itself");
    expect(text).toContain("the packet never leaves the pod: no rule sees it");
  });

  it("a NetworkPolicy does not, and nothing is said of services", async () => {
    expect(await explainIn([], "shop/api", "shop/api", "80")).not.toContain("service");
  });

  it("a pod's own node is denied by a tier, at the hook where the node receives", async () => {
    const text = await explainIn([deny], "ops/tool", "node/worker-1", "10250");
    expect(halfOf(text, "egress")).toContain("Admin tier: denied by ClusterNetworkPolicy lockdown egress[0]");
    expect(text).toContain("nft rules on node worker-1 (received by the node):");
    expect(text).toMatch(/counter name drop_egress drop\n {2}deny\n$/);
  });

  it("NetworkPolicy lets it pass where no tier decides", async () => {
    const nodes = clusterPolicy("nodes", ADMIN, ["action: Deny, to: [{nodes: {matchLabels: {role: infra}}}]"]);
    const text = await explainIn([nodes], "shop/web", "node/worker-1", "10250");
    expect(halfOf(text, "egress")).toBe(`egress of shop/web: allow
  Admin tier: no rule matches:
    ClusterNetworkPolicy nodes (priority 10, c/tiers.yaml:1)
      egress[0] (deny): port yes (every port of every protocol); peer no (nodes role=infra)
  allowed: NetworkPolicy never blocks it: a pod and the node on which it runs`);
    expect(text).toMatch(/allow: no rule \S+ it\n$/);
  });
});

it.each([
  [
    "nodes by their labels",
    "nodes: {matchLabels: {role: infra}}",
    "it allows nodes role=infra, and node worker-1 has no label role",
  ],
  [
    "networks by the address",
    "networks: [10.0.0.0/8, 172.16.0.0/12]",
    "it allows networks 10.0.0.0/8, 172.16.0.0/12, and 192.168.0.1 is outside of them",
  ],
  ["a network of the other family", 'networks: ["fd00::/8"]', "it allows network fd00::/8, and 192.168.0.1 is IPv4"],
])("the nearest allow says why it does not match: %s", async (_, peer, words) => {
  const rules = [`action: Accept, to: [{${peer}}]`, `action: Deny, ${TO_ALL}`];
  expect(await explainIn([clusterPolicy("a", ADMIN, rules)], "ops/tool", "node/worker-1", "80")).toContain(
    `the port matches, the peer does not: ${words}\n`,
  );
});

describe("many rules before the one that decides", () => {
  const far = (count: number) =>
    Array.from({ length: count }, (_, index) => `action: Accept, to: [{networks: [192.0.${index}.0/24]}], ${UDP53}`);
  const policies = [
    clusterPolicy("many", ADMIN, [
      ...far(20),
      `name: near, action: Pass, to: [{networks: [192.0.2.0/24]}]`,
      `action: Deny, ${TO_ALL}`,
    ]),
  ];

  it("the near ones are listed, the rest is counted", async () => {
    const text = await explainIn(policies, "ops/tool", "shop/web", "80");
    expect(text).toContain(`    asked before it, without a match:
      ClusterNetworkPolicy many (priority 10, c/tiers.yaml:1)
        egress[20] "near" (pass): port yes (every port of every protocol); peer no (network 192.0.2.0/24)
      and 20 more rules (explain -o wide lists all)
`);
  });

  it("-o wide lists all", async () => {
    const text = await explainIn(policies, "ops/tool", "shop/web", "80", "-o", "wide");
    expect(text).toContain("egress[19] (allow): port no (53/UDP); peer no (network 192.0.19.0/24)");
    expect(text).not.toContain("more rule");
  });
});

describe("JSON", () => {
  it("has tier, priority, action, name, passes with what they skip, misses and equal priorities", async () => {
    const policies = [
      clusterPolicy("p", "tier: Admin, priority: 5", [
        `name: further, action: Pass, ${TO_ALL}`,
        `action: Deny, ${TO_ALL}`,
      ]),
      clusterPolicy("x", BASELINE, [`action: Accept, ${TO_PODS}, ${UDP53}`, `name: none, action: Deny, ${TO_ALL}`]),
      clusterPolicy("z", BASELINE, [`action: Accept, ${TO_PODS}`]),
    ];
    const json = JSON.parse(await explainIn(policies, "ops/tool", "shop/web", "80", "-o", "json"));
    const { egress, rulesAgree } = json.flows[0];
    expect(rulesAgree).toBe(true);
    expect(egress).toMatchObject({
      verdict: "deny",
      reason: "tier-rule",
      tier: "Baseline",
      rule: {
        kind: "ClusterNetworkPolicy",
        policy: "x",
        tier: "Baseline",
        priority: 10,
        index: 1,
        name: "none",
        action: "deny",
        line: 13,
      },
      peer: { index: 0, text: "networks 0.0.0.0/0, ::/0" },
      port: null,
      passes: [
        {
          rule: { policy: "p", index: 0, name: "further", action: "pass" },
          skipped: [{ rule: { policy: "p", index: 1, action: "deny" } }],
        },
      ],
      misses: [{ policy: "x", index: 0, action: "allow", peerMatches: true, portMatches: false }],
      samePriority: [{ rule: { policy: "z", action: "allow" } }],
      nearest: { policy: "x", index: 0 },
    });
  });

  it("of a pod and itself has the verdict through a service", async () => {
    const deny = clusterPolicy("d", ADMIN, [`action: Deny, ${TO_ALL}`]);
    const json = JSON.parse(await explainIn([deny], "ops/tool", "ops/tool", "80", "-o", "json"));
    expect(json).toMatchObject({
      verdict: "allow",
      flows: [
        { throughService: { egress: { verdict: "deny", rule: { policy: "d" } }, ingress: { verdict: "allow" } } },
      ],
    });
    const same = JSON.parse(await explainIn([], "ops/tool", "ops/tool", "80", "-o", "json"));
    expect(same.flows[0]).not.toHaveProperty("throughService");
  });
});
