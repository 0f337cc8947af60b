// What explain answers: the deciding rule, why others do not match, and the rules that the packet meets.

import { describe, expect, it } from "vitest";
import { runInMemory } from "./in-memory-run.ts";
import { FILES } from "./small-cluster.ts";

async function explain(...argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runInMemory(["explain", ...argv, "-f", "c"], { files: FILES });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

describe("an allowed flow", () => {
  it("names the policy, the rule, its place, and the peer and port that match", async () => {
    const text = await explain("shop/web", "shop/api", "9090");
    expect(text).toMatch(/^shop\/web \(10\.0\.0\.1\) -> shop\/api \(10\.0\.0\.2\) : 9090\/TCP: allow\n/);
    expect(text).toContain(`ingress of shop/api: allow
  by NetworkPolicy shop/api-ingress ingress[0] (c/policies.yaml:8)
    peer: from[0], pods app=web in namespace shop
    port: ports[0], http/TCP, which is 9090 on shop/api
`);
    expect(text).toContain(`egress of shop/web: allow
  by NetworkPolicy shop/web-egress egress[0] (c/policies.yaml:24)
    peer: to[0], pods app=api in namespace shop
    port: every port (no ports)
`);
    expect(text).toMatch(
      /nft rules on node worker-1 \(forwarded\):[\s\S]*vmap @egress4 {2}# 10\.0\.0\.1 : jump egress4_/,
    );
    expect(text).toMatch(/\n {2}allow: no rule denies it\n$/);
  });

  it("says when the pod is not isolated, or the end is no pod", async () => {
    const text = await explain("ops/tool", "203.0.113.7", "443");
    expect(text).toContain("not isolated: no policy with policyTypes Egress selects the pod");
    expect(text).toContain("not asked: 203.0.113.7 is an address outside of the pods");
    expect(text).toContain("allow: no rule matches");
  });

  it("says why it is never blocked, and where the packet goes", async () => {
    const node = await explain("node/worker-1", "shop/api", "9090");
    expect(node).toContain("ingress of shop/api: allow\n  never blocked: a pod and the node on which it runs");
    expect(node).toContain("nft rules on node worker-1 (sent by the node):");
    const back = await explain("shop/web", "node/worker-1", "10250");
    expect(back).toContain("egress of shop/web: allow\n  never blocked: a pod and the node on which it runs");
    expect(back).toContain("nft rules on node worker-1 (received by the node):");
    const self = await explain("shop/web", "shop/web", "8080");
    expect(self).toContain("never blocked: a pod and itself");
    expect(self).toContain("the packet never leaves the pod: no rule sees it");
    expect(self).not.toContain("nft rules");
  });

  it("judges a pod's traffic to its own node where that is asked for", async () => {
    const text = await explain("shop/web", "node/worker-1", "10250", "--pod-to-own-node", "enforce");
    expect(text).toContain("egress of shop/web: deny");
    expect(text).toMatch(/counter name drop_egress drop\n {2}deny\n$/);
  });
});

it("an address that two nodes have (a virtual one) is that of the pod's own node, both ways", async () => {
  const node = (name: string, own: string) => `apiVersion: v1
kind: Node
metadata: {name: ${name}}
status: {addresses: [{type: InternalIP, address: ${own}}, {type: ExternalIP, address: 192.168.0.9}]}
`;
  const files = {
    ...FILES,
    "c/nodes.yaml": [node("aaa", "192.168.0.2"), node("worker-1", "192.168.0.1")].join("---\n"),
  };
  const cluster = { ...files, "c/cluster.yaml": (FILES["c/cluster.yaml"] as string).replace(/^[\s\S]*?---\n/, "") };
  for (const [ends, hook] of [
    [["shop/web", "192.168.0.9"], "received by the node"],
    [["192.168.0.9", "shop/api"], "sent by the node"],
  ] as const) {
    const { stdout } = await runInMemory(["explain", ...ends, "80", "-f", "c"], { files: cluster });
    expect(stdout).toContain("never blocked: a pod and the node on which it runs");
    expect(stdout).toContain(`nft rules on node worker-1 (${hook}):`);
    expect(stdout).not.toContain("a bug in nftpol");
  }
});

describe("a denied flow", () => {
  it.each([
    {
      says: "the port that the nearest rule allows",
      argv: ["shop/web", "shop/api", "80"],
      lines: "the peer matches, the port does not: it allows http/TCP, not 80/TCP; http is 9090 on shop/api",
    },
    {
      says: "the label that the nearest rule wants",
      argv: ["ops/tool", "shop/api", "9090"],
      lines:
        "the port matches, the peer does not: it allows pods app=web in namespace shop, and ops/tool is in namespace ops and ops/tool has app=tool",
    },
    {
      says: "the except that cuts the address out",
      argv: ["10.0.0.77", "shop/api", "22"],
      lines:
        "the port matches, the peer does not: it allows 10.0.0.0/8 except 10.0.0.0/24, and 10.0.0.77 is in the except 10.0.0.0/24",
    },
    {
      says: "that the address is outside",
      argv: ["203.0.113.7", "shop/api", "22"],
      lines: "it allows 10.0.0.0/8 except 10.0.0.0/24, and 203.0.113.7 is outside of it",
    },
  ])("says $says", async ({ argv, lines }) => {
    const text = await explain(...argv);
    expect(text).toContain("ingress of shop/api: deny\n  isolated, and no rule matches:\n");
    expect(text).toContain(lines);
    expect(text).toMatch(/counter name drop_ingress drop\n {2}deny\n$/);
  });

  it("lists each rule of the isolating policies, and with -o wide the policies that have no say", async () => {
    const text = await explain("ops/tool", "shop/api", "80");
    expect(text).toContain("ingress[0]: port no (http/TCP); peer no (pods app=web in namespace shop)");
    expect(text).toContain("ingress[1]: port no (22/TCP); peer no (10.0.0.0/8 except 10.0.0.0/24)");
    expect(text).not.toContain("shop/web-egress");
    const wide = await explain("ops/tool", "shop/api", "80", "-o", "wide");
    expect(wide).toContain(
      "NetworkPolicy shop/web-egress (c/policies.yaml:17): selects pods app=web in namespace shop; shop/api has app=api",
    );
  });
});

describe("words for the ends", () => {
  it("a bare name is a pod of -n", async () => {
    expect(await explain("web", "api", "9090", "-n", "shop")).toBe(await explain("shop/web", "shop/api", "9090"));
  });

  it.each([
    [["shop/wbe", "shop/api", "80"], "there is no pod or workload shop/wbe", "did you mean shop/web?"],
    [["shp/web", "shop/api", "80"], 'there are no pods in namespace "shp"', "did you mean shop/web?"],
    [["node/worker-2", "shop/api", "80"], 'there is no node "worker-2"', "did you mean node/worker-1?"],
    [["a/b/c", "shop/api", "80"], '"a/b/c" is no endpoint', "write namespace/pod"],
    [["web", "shop/api", "80"], 'there are no pods in namespace "default"', ""],
    [["shop/web", "2001:db8::1", "80"], "have no address family in common", "10.0.0.1 and 2001:db8::1"],
    [["shop/web", "shop/api", "80", "--family", "IPv6"], "have not both an IPv6 address", "10.0.0.1 and 10.0.0.2"],
  ])("%j is refused: %s", async (argv, message, hint) => {
    const { code, stdout, stderr } = await runInMemory(["explain", ...argv, "-f", "c"], { files: FILES });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });

  it("a pod that has finished, or waits for an address, cannot be asked about", async () => {
    const pod = (name: string, status: string) =>
      `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: ops, uid: ${name}-1}\nspec: {nodeName: worker-1, containers: []}\nstatus: {${status}}\n`;
    const pods = [
      pod("done", "phase: Succeeded, podIP: 10.0.0.8"),
      pod("waiting", "phase: Pending, hostIP: 192.168.0.1"),
    ];
    const files = { ...FILES, "c/jobs.yaml": pods.join("---\n") };
    const ask = (name: string) => runInMemory(["explain", `ops/${name}`, "shop/api", "80", "-f", "c"], { files });
    const done = await ask("done");
    expect(done.code).toBe(2);
    expect(done.stderr).toContain(
      "pod ops/done has finished: it sends and receives nothing\n  its address may belong to",
    );
    const waiting = await ask("waiting");
    expect(waiting.code).toBe(2);
    expect(waiting.stderr).toContain("pod ops/waiting has no address");
  });
});

it("JSON has the same answer", async () => {
  const json = JSON.parse(await explain("ops/tool", "shop/api", "9090", "-o", "json"));
  expect(json).toMatchObject({ apiVersion: "nftpol/v1", kind: "Explanation", verdict: "deny" });
  expect(json.flows).toHaveLength(1);
  const [flow] = json.flows;
  expect(flow).toMatchObject({ family: "IPv4", source: "10.0.0.3", traffic: "9090/TCP", rulesAgree: true });
  expect(flow.egress).toEqual({ verdict: "allow", pod: "ops/tool", reason: "not-isolated" });
  expect(flow.ingress).toMatchObject({
    verdict: "deny",
    reason: "isolated",
    policies: [{ kind: "NetworkPolicy", policy: "shop/api-ingress", file: "c/policies.yaml", line: 1 }],
    nearest: { policy: "shop/api-ingress", index: 0, peerMatches: false, portMatches: true, line: 8 },
  });
  expect(flow.packets[0]).toMatchObject({ node: "worker-1", hook: "forward", verdict: "drop" });
  expect(flow.packets[0].rules.at(-1)).toMatchObject({ rule: "counter name drop_ingress drop", verdict: "drop" });
});
