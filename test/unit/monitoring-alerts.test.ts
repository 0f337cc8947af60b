// The alert rules fire when they should, and not otherwise: Prometheus' own promtool judges them. docs/metrics.md lists them, and each
// leads to a heading of the page for troubleshooting.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { ALERT_CASES, type AlertCase } from "../support/alert-cases.ts";
import { describePromtool, type RuleFile, type RuleTest } from "../support/promtool.ts";

const root = resolve(import.meta.dirname, "../..");

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

const RULES = (load(read("deploy/components/alerts/prometheus-rule.yaml")) as { readonly spec: RuleFile }).spec;
const ALERTS = RULES.groups.flatMap(({ rules }) => rules as readonly Alert[]);

describePromtool("promtool", (promtool) => {
  it("finds nothing wrong with the rules", () => {
    expect(promtool.checkRules(RULES)).toBe("");
  });

  it.each(
    ALERT_CASES.map((each) => [each.alert, each.fires === undefined ? "is quiet" : "fires", each.when, each] as const),
  )("%s %s when %s", (_alert, _does, _when, each) => {
    expect(promtool.testRules(RULES, [ruleTest(each)])).toBe("");
  });

  it("takes the scrape configuration of docs/metrics.md", () => {
    const [, config = ""] = /^```yaml\n(scrape_configs:\n[\s\S]*?)^```$/m.exec(read("docs/metrics.md")) ?? [];
    expect(config).toContain("target_label: node");
    // Debian's promtool knows no discovery by Kubernetes.
    const known = config.replace(/^ {4}kubernetes_sd_configs:\n(?: {6}.*\n)+/m, "");
    expect(known).not.toBe(config);
    expect(promtool.checkConfig(load(known) as object)).toBe("");
  });

  it("notices an alert that does not fire", () => {
    const quiet = ALERT_CASES.find(({ fires }) => fires === undefined) as AlertCase;
    const test = ruleTest({ ...quiet, fires: { labels: { node: "n1" }, value: "3" } });
    expect(promtool.testRules(RULES, [test])).toContain("FAILED");
  });
});

/** With every word of the message that people would get. */
function ruleTest({ alert, series, atMinutes = 20, fires }: AlertCase): RuleTest {
  const rule = ALERTS.find((each) => each.alert === alert);
  if (rule === undefined) throw new Error(`there is no alert ${alert}`);
  const input = Object.entries(series).map(([name, values]) => ({ series: name, values }));
  const expected =
    fires === undefined
      ? []
      : [
          {
            exp_labels: { ...fires.labels, ...rule.labels },
            exp_annotations: messages(rule, fires),
          },
        ];
  return {
    interval: "30s",
    input_series: input,
    alert_rule_test: [{ eval_time: `${atMinutes}m`, alertname: alert, exp_alerts: expected }],
  };
}

function messages({ alert, annotations }: Alert, { labels, value }: NonNullable<AlertCase["fires"]>) {
  const filled = (text: string) =>
    text.replaceAll(/\{\{ (?:\$labels\.(\w+)|\$value(?: \| humanizeDuration)?) \}\}/g, (_all, label?: string) => {
      const word = label === undefined ? value : labels[label];
      if (word === undefined) throw new Error(`${alert}: the case does not tell ${label ?? "the value"}`);
      return word;
    });
  return Object.fromEntries(Object.entries(annotations).map(([key, text]) => [key, filled(text)]));
}

describe("every alert", () => {
  it.each(ALERTS.map((each) => [each.alert, each] as const))("%s is tried both ways", (alert) => {
    const own = ALERT_CASES.filter((each) => each.alert === alert);
    expect(new Set(own.map(({ fires }) => fires === undefined))).toEqual(new Set([true, false]));
  });

  it.each(ALERTS.map((each) => [each.alert, each] as const))(
    "%s says how bad it is, what it means and what to do",
    (_, each) => {
      expect(["critical", "warning"]).toContain(each.labels.severity);
      expect(Object.keys(each.annotations)).toEqual(["summary", "description", "runbook_url"]);
      const [page = "", anchor = ""] = (each.annotations.runbook_url ?? "").split("#");
      expect(anchorsOf(read(page))).toContain(anchor);
    },
  );

  it("is in the table of docs/metrics.md, with its severity, its patience and its heading", () => {
    const rows = read("docs/metrics.md").match(/^\| `Nftpol.*$/gm) ?? [];
    const documented = rows.map((row) =>
      row
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.replaceAll("`", "").trim()),
    );
    expect(documented.map(([name, severity, patience]) => [name, severity, patience])).toEqual(
      ALERTS.map((each) => [each.alert, each.labels.severity, each.for ?? ""]),
    );
    const headings = documented.map((cells) => slug(/"([^"]+)"/.exec(cells.at(-1) ?? "")?.[1] ?? ""));
    expect(headings).toEqual(ALERTS.map(({ annotations }) => annotations.runbook_url?.split("#")[1]));
  });
});

/** Of its headings, as repository hosts make them. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => slug(heading));
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, "")
    .replaceAll(" ", "-");
}
