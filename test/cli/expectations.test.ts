// What `nftpol test` makes of expectation files.

import { describe, expect, it } from "vitest";
import { runInMemory } from "./in-memory-run.ts";
import { FILES } from "./small-cluster.ts";

async function testFiles(files: Readonly<Record<string, string>>, ...argv: readonly string[]) {
  return runInMemory(["test", ...(argv.length === 0 ? ["c"] : argv)], { files: { ...FILES, ...files } });
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

describe("expectations that hold", () => {
  it.each([
    [
      "a list stands for every combination, a pod and itself left out",
      "allow: ['shop/* -> shop/web : 1/TCP, 2/TCP']",
      2,
    ],
    ["* is every pod", "deny: ['* -> shop/api : 1/TCP']", 2],
    [
      "addresses and nodes",
      "allow: ['node/worker-1 -> shop/api : 1/TCP']\ndeny: ['203.0.113.7 -> shop/api : 1/TCP']",
      2,
    ],
    ["each half by itself", "checks: [{from: ops/tool, to: shop/api, ports: 9090, egress: allow, ingress: deny}]", 1],
  ])("%s", async (_, text, rows) => {
    const { code, stdout, stderr } = await testFiles({ "c/x.expect.yaml": text });
    expect({ code, stderr, stdout }).toEqual({
      code: 0,
      stderr: "",
      stdout: `folders 1 ok / 1, rows ${rows} ok / ${rows}\n`,
    });
  });

  it("rows of other engines: from = to is skipped, null is not asked", async () => {
    const row = (from: string, to: string, verdicts: object) => ({
      from,
      to,
      protocol: "TCP",
      port: 9090,
      ...verdicts,
    });
    const rows = [
      row("shop/api", "shop/api", { ingress: "deny", egress: "deny", combined: "deny" }),
      row("shop/web", "shop/api", { ingress: "allow", egress: null, combined: null }),
      row("203.0.113.7", "shop/api", { ingress: "deny", egress: null, combined: "deny" }),
    ];
    const files = { "r/state.yaml": Object.values(FILES).join("---\n"), "r/expected.json": JSON.stringify(rows) };
    expect(await testFiles(files, "r")).toMatchObject({ code: 0, stdout: "folders 1 ok / 1, rows 2 ok / 2\n" });
  });

  it("one file of a folder, with the manifests that it names", async () => {
    const files = {
      "other/x.expect.yaml": "manifests: [../c/cluster.yaml]\nallow: ['ops/tool -> shop/api : 1/TCP']\n",
    };
    const path = "other/x.expect.yaml";
    const memory = { ...files, "other/../c/cluster.yaml": FILES["c/cluster.yaml"] as string };
    expect(await testFiles(memory, path)).toMatchObject({ code: 0, stdout: "folders 1 ok / 1, rows 1 ok / 1\n" });
  });
});

describe("expectations that fail", () => {
  it("are told with line, both verdicts, the reason that was given, and the explanation", async () => {
    const text = `checks:
  - { from: ops/tool, to: shop/api, ports: [9090/TCP], verdict: allow, ingress: allow, why: "tools may" }
`;
    const { code, stdout } = await testFiles({ "c/x.expect.yaml": text });
    expect(code).toBe(1);
    expect(stdout).toContain(
      "c/x.expect.yaml:2: ops/tool -> shop/api : 9090/TCP (IPv4): expected ingress allow, got deny; expected allow, got deny (why: tools may)\n",
    );
    expect(stdout).toContain("    ingress deny: isolated, and no rule matches:\n");
    expect(stdout).toContain("nearest allow: shop/api-ingress ingress[0] (c/policies.yaml:8)");
    expect(lastLine(stdout)).toBe("folders 0 ok / 1, rows 0 ok / 1");
  });

  it("name the rule of the tier that decided, and the Pass on the way", async () => {
    const tiers = `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: guard}
spec:
  tier: Admin
  priority: 7
  subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: ops}}}
  egress:
  - {name: web only, action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 9090}}}]}
  - {name: others, action: Pass, to: [{namespaces: {}}]}
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: {name: default}
spec:
  subject: {namespaces: {}}
  egress:
  - {action: Deny, to: [{namespaces: {}}]}
`;
    const files = { "c/tiers.yaml": tiers, "c/x.expect.yaml": "allow: ['ops/tool -> shop/web : 9090/TCP, 80/TCP']" };
    const { code, stdout } = await testFiles(files);
    expect(code).toBe(1);
    expect(stdout).toContain(
      '    egress deny: Admin tier: denied by ClusterNetworkPolicy guard egress[0] "web only" (priority 7, c/tiers.yaml:9)\n',
    );
    expect(stdout).toContain(
      "\n      Baseline tier: denied by BaselineAdminNetworkPolicy default egress[0] (c/tiers.yaml:18)\n",
    );
    const report = JSON.parse((await testFiles(files, "c", "-o", "json")).stdout);
    expect(report.cases[0].failures).toMatchObject([
      {
        port: "9090/TCP",
        policies: ["ClusterNetworkPolicy/guard"],
        rules: ['ClusterNetworkPolicy/guard egress[0] "web only"'],
      },
      {
        port: "80/TCP",
        policies: ["BaselineAdminNetworkPolicy/default"],
        rules: ['ClusterNetworkPolicy/guard egress[1] "others"', "BaselineAdminNetworkPolicy/default egress[0]"],
      },
    ]);
  });

  it("a pair must hold in each of its families", async () => {
    const dual = (name: string, index: number) =>
      `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: d}\nspec: {nodeName: worker-1, containers: []}\nstatus: {podIPs: [{ip: 10.1.0.${index}}, {ip: "fd00::${index}"}]}\n`;
    const policy = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: v4, namespace: d}
spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}
`;
    const cluster = [dual("a", 1), dual("b", 2), policy].join("---\n");
    const both = { "d/m.yaml": cluster, "d/x.expect.yaml": "allow: ['d/a -> d/b : 80/TCP']" };
    const failed = await testFiles(both, "d");
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain("(IPv6): expected allow, got deny");
    const one = "checks: [{from: d/a, to: d/b, ports: 80, verdict: allow, family: IPv4}]";
    expect(await testFiles({ ...both, "d/x.expect.yaml": one }, "d")).toMatchObject({ code: 0 });
  });

  it("a pair without a common family fails", async () => {
    const { code, stdout } = await testFiles({ "c/x.expect.yaml": "deny: ['2001:db8::1 -> shop/api : 80/TCP']" });
    expect(code).toBe(1);
    expect(stdout).toContain("no address family in common");
  });

  it("many are counted, and all are in the JSON", async () => {
    const ports = Array.from({ length: 30 }, (_, index) => `${index + 1}/TCP`).join(", ");
    const files = { "c/x.expect.yaml": `allow: ['ops/tool -> shop/api : ${ports}']` };
    const text = await testFiles(files);
    expect(text.stdout).toContain("c/x.expect.yaml: and 20 more failures (-o json lists all)");
    const json = JSON.parse((await testFiles(files, "c", "-o", "json")).stdout);
    expect(json.totals).toEqual({ folders: 1, foldersOk: 0, rows: 30, rowsOk: 0 });
    expect(json.cases[0].failures).toHaveLength(30);
    expect(json.cases[0].failures[0]).toMatchObject({ line: 1, from: "ops/tool", to: "shop/api", port: "1/TCP" });
  });
});

describe("what cannot be tested ends with code 2, and the rest is tested all the same", () => {
  it.each([
    [
      "an endpoint that matches nothing",
      "allow: ['shop/wbe -> shop/api : 80/TCP']",
      "x.expect.yaml:1:9: error: there is no pod or workload shop/wbe (did you mean shop/web?)",
    ],
    ["a namespace without pods", "allow: ['none/* -> shop/api : 80/TCP']", "namespace none has no pods"],
    ["a port that is none", "allow: ['shop/web -> shop/api : http']", '"http" is no port'],
  ])("%s", async (_, text, message) => {
    const good = {
      "good/m.yaml": FILES["c/cluster.yaml"] as string,
      "good/x.expect.yaml": "allow: ['* -> * : 80/TCP']",
    };
    const { code, stdout } = await testFiles({ ...good, "c/x.expect.yaml": text }, "c", "good");
    expect(code).toBe(2);
    expect(stdout).toContain(message);
    expect(lastLine(stdout)).toBe("folders 1 ok / 2, rows 6 ok / 6");
  });

  it("bad manifests", async () => {
    const files = { "c/bad.yaml": "kind: [\n", "c/x.expect.yaml": "allow: ['shop/web -> shop/api : 80/TCP']" };
    const { code, stdout } = await testFiles(files);
    expect(code).toBe(2);
    expect(stdout).toMatch(/c\/bad\.yaml:\d+:\d+: error: /);
  });

  it.each([
    ["missing", "missing: error: cannot be read: no such file or folder"],
    ["c", "c: error: no expectations here"],
    ["c/cluster.yaml", "c/cluster.yaml: error: not an expectation file"],
  ])("the path %s", async (path, message) => {
    const { code, stderr } = await testFiles({}, path);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
