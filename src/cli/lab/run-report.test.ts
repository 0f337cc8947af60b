// What `lab run` prints: tables, JSON, JUnit.

import { describe, expect, it } from "vitest";
import { CLUSTER, POLICIES } from "../../../test/cli/small-cluster.ts";
import { type FakeRunSettings, fakeRun } from "../../../test/support/fake-lab.ts";
import { parseXml, type XmlElement } from "../../../test/support/small-xml.ts";
import { memoryManifestFiles } from "../../manifests/manifest-files.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../program/program.ts";
import { judgeCases } from "./expect-outcome.ts";
import { readExpectedCases, resolveCases } from "./expect-questions.ts";
import {
  expectationFailures,
  isAsItShouldBe,
  type RunReport,
  runJson,
  runJunit,
  runTable,
  summaryLines,
} from "./run-report.ts";

const SHOP = `${CLUSTER}---\n${POLICIES}`;
const TABLE = { columns: 100, paint: (text: string) => text, byPod: false };
/** Lets through what ops/tool sends, whatever policies say. */
const LEAKY: FakeRunSettings = {
  kernel: (faithful) => (probe, attempt) => probe.from.address === "10.0.0.3" || faithful(probe, attempt),
};

async function reportOf(settings: FakeRunSettings = {}, expectations?: string, yaml = SHOP): Promise<RunReport> {
  const { matrix, measured, store, plan } = await fakeRun(yaml, { ports: ["9090/TCP", "ICMP"], ...settings });
  const found = { matrix, measured, store, program: DEFAULT_PROGRAM_OPTIONS };
  const report = { ...found, nodes: plan.nodes.length, times: { setUpMs: 1234, measureMs: 56 } };
  if (expectations === undefined) return { ...report, expectations: undefined };
  const files = memoryManifestFiles({ "e/x.expect.yaml": expectations });
  const { cases, diagnostics } = await readExpectedCases(["e"], files);
  const resolved = resolveCases(store, cases);
  expect([...diagnostics, ...resolved.diagnostics]).toEqual([]);
  return { ...report, expectations: judgeCases(resolved.cases, found) };
}

describe("the table", () => {
  it("is one table where packets found what is meant", async () => {
    const report = await reportOf();
    expect(isAsItShouldBe(report)).toBe(true);
    const text = runTable(report, TABLE);
    expect(text).toMatch(/^ports: 9090\/TCP ICMP/);
    expect(text).not.toMatch(/MEASURED|MEANT|DIFFERENT/);
    expect(summaryLines(report)).toMatch(
      /^measured = meant: \d+ flows among 6 endpoints on 1 node, \d+ packets; set up in 1\.23 s, measured in 0\.06 s\n$/,
    );
  });

  it("is both tables, the flows and why they are meant so, where packets found something else", async () => {
    const report = await reportOf(LEAKY);
    expect(isAsItShouldBe(report)).toBe(false);
    const text = runTable(report, TABLE);
    const [first, ...rest] = text.split(/^(?=AS MEANT|DIFFERENT|ops\/tool \(10)/m);
    expect(first).toMatch(/^AS MEASURED, ports:/);
    expect(rest.map((part) => part.slice(0, 9))).toEqual(["AS MEANT,", "DIFFERENT", "ops/tool ", "ops/tool "]);
    expect(text).toContain(
      "DIFFERENT: 2 flows are not as meant\n\nops/tool -> shop/api : 9090/TCP IPv4: meant deny, measured allow\n",
    );
    expect(text).toContain("ingress of shop/api: deny\n  isolated, and no rule matches:");
    expect(text).toContain("nft rules on node worker-1");
    expect(summaryLines(report)).toMatch(/^2 DIFFERENT: /);
  });

  it("explains five flows and counts the others", async () => {
    const ports = ["1/TCP", "2/TCP", "3/TCP", "4/TCP", "5/TCP", "6/TCP", "7/TCP"];
    const text = runTable(await reportOf({ ...LEAKY, ports }), TABLE);
    expect(text).toContain("DIFFERENT: 7 flows are not as meant");
    expect(text.match(/^ingress of shop\/api: deny$/gm)).toHaveLength(5);
    expect(text).toContain("… and 2 more: ask nftpol explain\n");
  });

  it("says is of one flow", async () => {
    expect(runTable(await reportOf({ ...LEAKY, ports: ["1/TCP"] }), TABLE)).toContain(
      "DIFFERENT: 1 flow is not as meant",
    );
  });
});

describe("JSON", () => {
  it("is an array of rows, one for each flow", async () => {
    const report = await reportOf({ ...LEAKY, ports: ["9090/TCP", "ICMP", "proto/47"] });
    const rows = JSON.parse(runJson(report)) as Record<string, unknown>[];
    expect(rows).toHaveLength(report.measured.flows.length);
    const of = (from: string, to: string) => rows.filter((row) => row.from === from && row.to === to);
    const start = { from: "ops/tool", to: "shop/api", family: "IPv4", meant: "deny", measured: "allow" };
    expect(of("ops/tool", "shop/api")).toEqual([
      { ...start, protocol: "TCP", port: 9090 },
      { ...start, protocol: "ICMP", port: null },
      { ...start, protocol: "47", port: null },
    ]);
    expect(of("shop/web", "shop/api")[0]).toEqual({
      ...{ from: "shop/web", to: "shop/api", protocol: "TCP", port: 9090, family: "IPv4" },
      ...{ meant: "allow", measured: "allow" },
    });
  });

  it("says what is expected of the flows that expectations name, and of no other", async () => {
    const report = await reportOf(
      {},
      "allow: ['shop/web -> shop/api : 9090/TCP']\ndeny: ['shop/web -> shop/api : ICMP']\n",
    );
    const rows = JSON.parse(runJson(report)) as { from: string; to: string; protocol: string; expected?: string }[];
    expect(
      rows
        .filter(({ expected }) => expected !== undefined)
        .map(({ from, to, protocol, expected }) => `${from} ${to} ${protocol} ${expected}`),
    ).toEqual(["shop/web shop/api TCP allow", "shop/web shop/api ICMP deny"]);
  });

  it("is an empty array where there is nothing to measure", async () => {
    const report = await reportOf();
    expect(runJson({ ...report, measured: { ...report.measured, flows: [] } })).toBe("[]\n");
  });
});

describe("JUnit", () => {
  const parts = (root: XmlElement) => {
    const cases = root.children.flatMap(({ children }) => children);
    return { cases, failures: cases.filter(({ children }) => children.some(({ name }) => name === "failure")) };
  };

  it("has a suite for each source and a case for each flow, and counts them", async () => {
    const report = await reportOf(LEAKY);
    const root = parseXml(runJunit(report));
    const { cases, failures } = parts(root);
    expect(root.attributes).toEqual({
      ...{ name: "nftpol lab run", tests: String(report.measured.flows.length), failures: "2", time: "1.290" },
    });
    expect([cases.length, failures.length]).toEqual([report.measured.flows.length, 2]);
    for (const suite of root.children) {
      expect(suite.attributes.tests).toBe(String(suite.children.length));
      expect(suite.attributes.failures).toBe(suite.attributes.name === "ops/tool" ? "2" : "0");
    }
    expect(failures[0]?.attributes).toEqual({
      name: "ops/tool -> shop/api : 9090/TCP IPv4 is deny",
      classname: "ops/tool",
    });
    expect(failures[0]?.children[0]?.attributes.message).toBe("meant deny, measured allow");
    expect(failures[0]?.children[0]?.text).toContain("isolated, and no rule matches");
  });

  it("has a suite for each expectation file, and counts it, too", async () => {
    const report = await reportOf(
      {},
      "allow: ['ops/tool -> shop/api : 9090/TCP', 'shop/web -> shop/api : 9090/TCP']\n",
    );
    const root = parseXml(runJunit(report));
    const { cases, failures } = parts(root);
    expect(root.attributes).toMatchObject({ tests: String(cases.length), failures: "1" });
    expect(cases.length).toBe(report.measured.flows.length + 2);
    expect(failures.map(({ attributes }) => attributes)).toEqual([
      { name: "ops/tool -> shop/api : 9090/TCP is allow", classname: "e", file: "e/x.expect.yaml", line: "1" },
    ]);
  });

  it("is XML whatever names there are, and drives no terminal", async () => {
    const evil = '<e>"&b]]>\u001b[31m';
    // Manifests with such names are refused; what people write into expectations is theirs.
    const why = `checks: [{ from: ops/tool, to: shop/api, ports: 9090, verdict: allow, why: ${JSON.stringify(evil)} }]`;
    const found = await reportOf({}, why);
    const endpoints = found.matrix.endpoints.map((each) => ({ ...each, name: `${each.name}${evil}` }));
    const report = { ...found, matrix: { ...found.matrix, endpoints } };
    const texts = [runJunit(report), runJson(report), runTable(report, TABLE), expectationFailures(report)];
    expect(texts.filter((text) => text.includes("\u001b"))).toEqual([]);
    const root = parseXml(runJunit(report));
    const { cases, failures } = parts(root);
    expect(cases[0]?.attributes.name).toBe(
      'ops/tool<e>"&b]]>\\u{1b}[31m -> shop/api<e>"&b]]>\\u{1b}[31m : 9090/TCP IPv4 is deny',
    );
    expect(failures[0]?.children[0]?.text).toContain('(why: <e>"&b]]>');
    expect(JSON.parse(runJson(report))[0]).toMatchObject({ from: `ops/tool${evil}`, to: `shop/api${evil}` });
  });
});

describe("expectations", () => {
  it("that do not hold are told with file, line, reason and explanation", async () => {
    const text = `checks:
  - { from: ops/tool, to: shop/api, ports: [9090/TCP], verdict: allow, why: "tools may" }
`;
    const report = await reportOf({}, text);
    expect(isAsItShouldBe(report)).toBe(false);
    expect(expectationFailures(report)).toContain(
      "e/x.expect.yaml:2: ops/tool -> shop/api : 9090/TCP (IPv4): expected allow, got deny (why: tools may)\n    egress allow:",
    );
    expect(summaryLines(report)).toMatch(/^measured = meant: .*\nexpectations: rows 0 ok \/ 1\n$/);
  });

  it("that hold are counted", async () => {
    const report = await reportOf({}, "deny: ['ops/tool -> shop/api : 9090/TCP, ICMP']\n");
    expect([isAsItShouldBe(report), expectationFailures(report)]).toEqual([true, ""]);
    expect(summaryLines(report)).toContain("expectations: rows 2 ok / 2\n");
  });

  it("are not spoken of where nobody gave any", async () => {
    const report = await reportOf();
    expect(expectationFailures(report) + summaryLines(report)).not.toContain("xpect");
  });
});
