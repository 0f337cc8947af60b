// What lint prints, and with which exit code.

import { describe, expect, it } from "vitest";
import { type CommandRun, runInMemory } from "./in-memory-run.ts";
import { FILES } from "./small-cluster.ts";

const CLUSTER = FILES["c/cluster.yaml"] as string;

function lint(files: Readonly<Record<string, string>>, ...argv: readonly string[]): Promise<CommandRun> {
  return runInMemory(["lint", ...(argv.includes("-f") ? [] : ["-f", "c"]), ...argv], {
    files: { "c/cluster.yaml": CLUSTER, ...files },
  });
}

function clusterPolicy(name: string, action: string, spec = "priority: 10"): string {
  return `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: ${name}}
spec:
  tier: Admin
  ${spec}
  subject: {namespaces: {}}
  egress:
  - {name: out of ${name}, action: ${action}, to: [{networks: ["0.0.0.0/0"]}]}
`;
}

const EQUAL = [clusterPolicy("a", "Deny"), clusterPolicy("b", "Accept")].join("---\n");
const BLOCK = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  podSelector: {}
  ingress:
  - from:
    - ipBlock: {cidr: 10.0.0.0/8}
`;

describe("without findings", () => {
  it("ends with exit code 0 and says so", async () => {
    const tiers = [clusterPolicy("a", "Deny"), clusterPolicy("b", "Accept", "priority: 11")].join("---\n");
    expect(await lint({ "c/t.yaml": tiers })).toEqual({ code: 0, stdout: "no findings\n", stderr: "" });
  });

  it("JSON is an empty list", async () => {
    const { code, stdout } = await lint({}, "-o", "json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ apiVersion: "nftpol/v1", kind: "LintReport", findings: [] });
  });
});

describe("findings go to stdout, with exit code 1", () => {
  it("equal priorities, with both rules and a flow", async () => {
    expect(await lint({ "c/t.yaml": EQUAL })).toEqual({
      code: 1,
      stderr: "",
      stdout:
        "c/t.yaml:9:5: warning: spec.egress[0]: ClusterNetworkPolicy/a and ClusterNetworkPolicy/b have the same priority (10) in the Admin tier and do not agree about " +
        'ops/tool -> shop/web : 80/TCP: ClusterNetworkPolicy/a egress[0] "out of a" (c/t.yaml:9) denies it, ClusterNetworkPolicy/b egress[0] "out of b" (c/t.yaml:19) allows it ' +
        "(give them different priorities: the API leaves open which of the two is asked first; here it is ClusterNetworkPolicy/a, by name)\n1 warning\n",
    });
  });

  it("as JSON, with the flow and the rules as data", async () => {
    const { code, stdout } = await lint({ "c/t.yaml": EQUAL }, "-o", "json");
    expect(code).toBe(1);
    const { findings } = JSON.parse(stdout);
    expect(findings).toMatchObject([
      {
        code: "equal-priority",
        severity: "warning",
        file: "c/t.yaml",
        line: 9,
        object: "ClusterNetworkPolicy a",
        flow: { from: "ops/tool", to: "shop/web", source: "10.0.0.3", destination: "10.0.0.1", traffic: "80/TCP" },
        rules: [
          { policy: "ClusterNetworkPolicy/a", rule: 'egress[0] "out of a"', action: "deny", file: "c/t.yaml", line: 9 },
          { policy: "ClusterNetworkPolicy/b", rule: 'egress[0] "out of b"', action: "allow", line: 19 },
        ],
      },
    ]);
  });

  it("blocks that hold pods, and what every verb warns of, in the order of the file", async () => {
    const unused = BLOCK.replace("podSelector: {}", "podSelector: {}\n  policyTypes: [Ingress]\n  egress: [{}]");
    const { code, stdout } = await lint({ "c/p.yaml": unused });
    expect(code).toBe(1);
    expect(stdout.split("\n")).toEqual([
      expect.stringMatching(/^c\/p\.yaml:7:3: warning: spec\.egress: these egress rules have no effect/),
      expect.stringMatching(
        /^c\/p\.yaml:9:5: warning: spec\.ingress\[0\]\.from\[0\]\.ipBlock\.cidr: 10\.0\.0\.0\/8 holds the addresses of 3 pods/,
      ),
      "2 warnings",
      "",
    ]);
  });

  it("an invalid policy is one, and is not compared with others: what it says is not known", async () => {
    const { code, stdout, stderr } = await lint({ "c/t.yaml": EQUAL.replace("action: Deny", "action: Dney") });
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toMatch(/^c\/t\.yaml:9:\d+: error: spec\.egress\[0\]\.action: .*did you mean Deny.*\n1 error\n$/);
  });
});

describe("what cannot be read ends with exit code 2; the rest is told all the same", () => {
  it.each([
    ["no YAML", { "c/x.yaml": "a: [", "c/t.yaml": EQUAL }, [], /error: [\s\S]*have the same priority/],
    [
      "no such file",
      { "c/t.yaml": EQUAL },
      ["-f", "nothing.yaml"],
      /nothing\.yaml: error: cannot be read: no such file/,
    ],
    ["a folder without manifests", { "d/readme.md": "" }, ["-f", "d"], /error: the folder has no manifests/],
  ])("%s", async (_, files, argv, message) => {
    const { code, stdout } = await lint(files, ...argv);
    expect(code).toBe(2);
    expect(stdout).toMatch(message);
  });

  it("as wrong usage does, with nothing on stdout", async () => {
    expect(await lint({}, "-o", "yaml")).toMatchObject({ code: 2, stdout: "" });
  });
});

it("what was not read or was made up is noted on stderr, as by other verbs", async () => {
  const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: new, namespace: shop}\nspec: {containers: []}\n";
  const config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";
  const { code, stdout, stderr } = await lint({ "c/x.yaml": [pod, config].join("---\n") });
  expect({ code, stdout }).toEqual({ code: 0, stdout: "no findings\n" });
  expect(stderr).toBe("ignored: 1 ConfigMap\nnote: 1 pod without an address got a made-up one\n");
});
