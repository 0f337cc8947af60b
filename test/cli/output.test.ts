// What the CLI prints: shapes that scripts read, no colour where nobody looks, quiet when the reader leaves.

import { describe, expect, it } from "vitest";
import { folderOf, linesOf, runBash, runNftpol } from "./run-nftpol.ts";

const EXAMPLE = "policies-examples/01-default-deny-ingress";
const SHOP = "policies-examples/shop";
const TWO_PODS = ["a", "b"]
  .map(
    (name, index) =>
      `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, namespace: x }\nspec: { nodeName: worker-1, containers: [] }\nstatus: { phase: Running, podIP: 10.0.0.${index + 1} }\n`,
  )
  .join("---\n");

/** The names of the elements, in order; throws where the text is not well-formed. */
function elementsOf(xml: string): string[] {
  const names: string[] = [];
  const open: string[] = [];
  const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, "");
  if (body === xml) throw new Error("no XML declaration");
  const token = /<(\/?)([a-z]+)((?: [a-z]+="[^"<>]*")*)(\/?)>|([^<>]+)/y;
  while (token.lastIndex < body.length) {
    const at = token.lastIndex;
    const match = token.exec(body);
    if (match === null) throw new Error(`not well-formed: ${body.slice(at, at + 80)}`);
    const [whole, closes, name, , empty] = match;
    if (/&(?!(amp|lt|gt|quot|apos);)/.test(whole)) throw new Error(`bare ampersand: ${whole}`);
    if (name === undefined) continue;
    if (closes === "/") {
      if (open.pop() !== name) throw new Error(`</${name}> closes another element`);
      continue;
    }
    names.push(name);
    if (empty !== "/") open.push(name);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(", ")}`);
  return names;
}

describe("JSON", () => {
  it("matrix is an array of rows with exactly these keys", async () => {
    const { code, stdout } = await runNftpol(["matrix", "-f", SHOP, "-o", "json"]);
    expect(code).toBe(0);
    const rows = JSON.parse(stdout) as Record<string, unknown>[];
    expect(rows.length).toBeGreaterThan(10);
    const verdicts = ["allow", "deny"];
    for (const row of rows) {
      expect(Object.keys(row)).toEqual(["from", "to", "protocol", "port", "ingress", "egress", "verdict"]);
      for (const key of ["ingress", "egress", "verdict"] as const) expect(verdicts).toContain(row[key]);
      expect(row.verdict).toBe(row.ingress === "allow" && row.egress === "allow" ? "allow" : "deny");
    }
  });

  it.each([
    ["Explanation", ["explain", "web/site", "web/backend", "8080/TCP", "-f", EXAMPLE]],
    ["Proof", ["prove", "-f", EXAMPLE]],
    ["RuleGraph", ["graph", "-f", EXAMPLE]],
    ["LintReport", ["lint", "-f", EXAMPLE]],
    ["TestReport", ["test", EXAMPLE]],
    ["Version", ["version"]],
  ])("%s has its envelope", async (kind, args) => {
    const { code, stdout, stderr } = await runNftpol([...args, "-o", "json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ apiVersion: "nftpol/v1", kind });
  });

  it("a proof that was stopped says so", async () => {
    const { stdout } = await runNftpol(["prove", "-f", SHOP, "--max-packets", "10", "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ nodes: [{ exhaustive: false }] });
  });
});

describe("test", () => {
  const WRONG =
    'allow:\n  - x/a -> x/b : 80/TCP\nchecks:\n  - { from: x/a, to: x/b, ports: [81/TCP], verdict: deny, why: "5 < 6 & \\"7\\" > \\u0001" }\n';

  it("a failed expectation is exit code 1, with the place and the reason", async () => {
    const folder = folderOf({ "pods.yaml": TWO_PODS, "x.expect.yaml": WRONG });
    const { code, stdout } = await runNftpol(["test", folder]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/x\.expect\.yaml:4/);
    expect(linesOf(stdout).at(-1)).toBe("folders 0 ok / 1, rows 1 ok / 2");
  });

  it("junit is well-formed and escapes what XML cannot carry", async () => {
    const folder = folderOf({ "pods.yaml": TWO_PODS, "x.expect.yaml": WRONG });
    const { code, stdout } = await runNftpol(["test", folder, "-o", "junit"]);
    expect(code).toBe(1);
    expect(elementsOf(stdout)).toEqual(["testsuites", "testsuite", "testcase", "testcase", "failure"]);
    expect(stdout).toContain("x/a -&gt; x/b : 80/TCP");
    expect(stdout).toContain("5 &lt; 6 &amp; &quot;7&quot; &gt;");
    expect(stdout).toMatch(/<testsuites [^>]*tests="2" failures="1" errors="0"/);
    expect(stdout).not.toContain("\u0001");
  });

  it("junit of all examples is well-formed", async () => {
    const { code, stdout } = await runNftpol(["test", "policies-examples", "-o", "junit"]);
    expect(code).toBe(0);
    const names = elementsOf(stdout);
    expect(names.filter((name) => name === "testsuite").length).toBeGreaterThanOrEqual(29);
    expect(names).not.toContain("failure");
  });

  it("a broken expectation file is exit code 2 with its place", async () => {
    const folder = folderOf({ "pods.yaml": TWO_PODS, "x.expect.yaml": "alow:\n  - x/a -> x/b : 80/TCP\n" });
    const { code, stdout, stderr } = await runNftpol(["test", folder]);
    expect(code).toBe(2);
    expect(`${stdout}${stderr}`).toMatch(/x\.expect\.yaml:1:1: error: unknown key "alow" \(did you mean allow\?\)/);
  });
});

describe("colour", () => {
  const RUNS = [
    ["--help"],
    ["matrix", "-f", SHOP],
    ["explain", "web/site", "web/backend", "8080", "-f", EXAMPLE],
    ["graph", "-f", EXAMPLE],
    ["test", EXAMPLE],
    ["prove", "-f", SHOP],
  ];

  it.each(RUNS.map((args) => [args.join(" "), args] as const))("none without a terminal: %s", async (_name, args) => {
    const { code, stdout, stderr } = await runNftpol(args, { env: { FORCE_COLOR: "", NO_COLOR: "" } });
    expect(code).toBe(0);
    expect(`${stdout}${stderr}`).not.toContain("\u001b");
  });

  it("none in a terminal with NO_COLOR", async () => {
    // script gives a terminal; where it is missing, the test runs nftpol without one.
    const run = "nftpol matrix -f policies-examples/01-default-deny-ingress 2>/dev/null";
    const script = `if command -v script >/dev/null; then script -qec '${run}' /dev/null </dev/null; else ${run}; fi`;
    const { code, stdout } = await runBash(script, { env: { NO_COLOR: "1", TERM: "xterm" } });
    expect(code).toBe(0);
    expect(stdout).toContain("web/backend");
    expect(stdout).not.toContain("\u001b");
  });
});

describe("a reader that leaves", () => {
  it.each(["render", "matrix -o json", "graph", "prove"])("%s | head -1 is quiet", async (words) => {
    const { code, stdout, stderr } = await runBash(
      `nftpol ${words} -f ${SHOP} | head -1; echo "code \${PIPESTATUS[0]}"`,
    );
    expect(code).toBe(0);
    expect(linesOf(stdout)).toHaveLength(2);
    expect(linesOf(stdout)[1]).toBe("code 0");
    expect(stderr).not.toMatch(/EPIPE|Error|^\s+at /m);
  });

  it("a reader that reads nothing at all", async () => {
    const { stderr } = await runBash(`nftpol matrix -o html -f ${SHOP} | true`);
    expect(stderr).not.toMatch(/EPIPE|Error|^\s+at /m);
  });
});
