// What the command line says of addresses that --unknown-local-pods=drop closes.

import { describe, expect, it } from "vitest";
import { runInMemory } from "./in-memory-run.ts";

const FILES = {
  "c.yaml": `
{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDRs: [10.0.1.0/24, "fd00:1::/64"]}, status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDR: 10.0.2.0/24}, status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n3}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x}, spec: {nodeName: n1, containers: [{name: c}]}, status: {podIP: 10.0.1.5}}
---
{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: x}, spec: {nodeName: n2, containers: [{name: c}]}, status: {podIP: 10.0.2.5}}
`,
};
const NOTE = "note: node n3 has no pod CIDR (spec.podCIDRs), so --unknown-local-pods=drop closes nothing there\n";
const STRICT = ["--unknown-local-pods", "drop", "-f", "c.yaml"];

async function run(...argv: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await runInMemory(argv, { files: FILES });
  expect({ argv, code, stderr: stderr.replace(NOTE, "") }).toEqual({ argv, code: 0, stderr: "" });
  return { stdout, stderr };
}

async function explain(...argv: readonly string[]): Promise<string> {
  return (await run("explain", ...argv, ...STRICT)).stdout;
}

describe("explain", () => {
  it("names the node that closes the address, and the rules there", async () => {
    const text = await explain("10.0.1.9", "x/b", "80");
    expect(text).toContain(`10.0.1.9 -> x/b (10.0.2.5) : 80/TCP: deny

egress: deny
  closed: 10.0.1.9 is in the pod CIDR 10.0.1.0/24 of node n1, and no pod is known to have it (--unknown-local-pods=drop)
`);
    expect(text).toMatch(
      /nft rules on node n1 \(forwarded\):\n[\s\S]*ip saddr 10\.0\.1\.0\/24 ip saddr != @known4 jump unknown_egress4\n[\s\S]*drop_unknown drop\n {2}deny\n\nnft rules on node n2 \(forwarded\):\n[\s\S]*allow: no rule denies it\n$/,
    );
  });

  it("shows the way to such an address over both nodes", async () => {
    const text = await explain("x/b", "10.0.1.9", "80");
    expect(text).toContain("ingress: deny\n  closed: 10.0.1.9 is in the pod CIDR 10.0.1.0/24 of node n1");
    expect(text.match(/^nft rules on node .*$/gm)).toEqual([
      "nft rules on node n2 (forwarded):",
      "nft rules on node n1 (forwarded):",
    ]);
  });

  it.each([
    ["10.0.1.9", "192.0.2.1", "nft rules on node n1 (received by the node):"],
    ["node/n1", "10.0.1.9", "nft rules on node n1 (sent by the node):"],
  ])("%s -> %s is the node's own traffic, which is not closed", async (from, to, path) => {
    const text = await explain(from, to, "80");
    expect(text).toContain("never blocked: a pod and the node on which it runs");
    expect(text).toContain(path);
    expect(text).not.toContain("deny");
  });

  it("says nothing of it without the option", async () => {
    const { stdout } = await run("explain", "10.0.1.9", "x/b", "80", "-f", "c.yaml");
    expect(stdout).toContain("egress: allow\n  not asked: 10.0.1.9 is an address outside of the pods");
  });

  it("finds nothing closed between two nodes whose pod CIDRs hold each other's address: neither forwards it", async () => {
    const node = (name: string, address: string) =>
      `{apiVersion: v1, kind: Node, metadata: {name: ${name}}, spec: {podCIDR: 10.0.0.0/8}, status: {addresses: [{type: InternalIP, address: ${address}}]}}`;
    const files = { "c.yaml": [node("n1", "10.9.0.1"), node("n2", "10.9.0.2")].join("\n---\n") };
    const { code, stdout } = await runInMemory(["explain", "10.9.0.1", "10.9.0.2", "80", ...STRICT], { files });
    expect(code).toBe(0);
    expect(stdout).toContain("10.9.0.1 -> 10.9.0.2 : 80/TCP: allow\n");
    expect(stdout).not.toContain("nft rules");
  });

  it("has it in JSON", async () => {
    const { flows } = JSON.parse(await explain("10.0.1.9", "x/b", "80", "-o", "json"));
    expect(flows[0].egress).toEqual({
      verdict: "deny",
      pod: null,
      reason: "unknown-pod",
      node: "n1",
      podCidr: "10.0.1.0/24",
    });
    expect(flows[0].rulesAgree).toBe(true);
  });
});

describe("graph", () => {
  it("lists what is closed, and how many addresses are known", async () => {
    const { stdout } = await run("graph", "--node", "n1", ...STRICT);
    expect(stdout).toContain("\nCLOSED\n  POD CIDR     KNOWN ADDRESSES\n  10.0.1.0/24  1\n  fd00:1::/64  0\n");
    const json = JSON.parse((await run("graph", "--node", "n1", "-o", "json", ...STRICT)).stdout);
    expect(json.closed).toEqual([
      { podCidr: "10.0.1.0/24", knownAddresses: 1 },
      { podCidr: "fd00:1::/64", knownAddresses: 0 },
    ]);
  });

  it("has no such part without the option", async () => {
    const { stdout } = await run("graph", "--node", "n1", "-f", "c.yaml");
    expect(stdout).not.toContain("CLOSED");
  });
});

it("prove finds the rules of every node equal", async () => {
  const { stdout } = await run("prove", ...STRICT);
  expect(stdout.match(/^node n\d: equal: /gm)).toHaveLength(3);
});

it.each([
  ["render", "--node", "n3"],
  ["graph", "--node", "n3"],
  ["prove", "--node", "n3"],
  ["explain", "x/a", "x/b", "80"],
])("%s says that a node without pod CIDRs is not closed", async (...argv) => {
  expect((await run(...argv, ...STRICT)).stderr).toBe(NOTE);
});

it.each([
  ["of a node that has some", ["render", "--node", "n1", ...STRICT]],
  ["without the option", ["render", "--node", "n3", "-f", "c.yaml"]],
])("nothing is said %s", async (_, argv) => {
  expect((await run(...argv)).stderr).toBe("");
});
