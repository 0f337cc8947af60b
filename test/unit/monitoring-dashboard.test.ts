// The dashboard asks for what agents export, shows all of it, and can be imported; so do the alerts ask. Prometheus' own promtool
// evaluates every expression over what an agent really serves.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { dashboardConfigMap } from "../../scripts/dashboard-config-map.ts";
import { everyMetric, readMetrics, samplesOf, seriesNames } from "../support/exported-metrics.ts";
import { groupings, labelMatchers, metricNames } from "../support/promql-names.ts";
import { describePromtool } from "../support/promtool.ts";

const components = resolve(import.meta.dirname, "../../deploy/components");

interface Target {
  readonly refId: string;
  readonly datasource: unknown;
  readonly expr: string;
  readonly legendFormat: string;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: unknown;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly Target[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string; query: unknown }[] };
  readonly panels: readonly Panel[];
}

const JSON_TEXT = readFileSync(join(components, "dashboard/dashboard.json"), "utf8");
const DASHBOARD = JSON.parse(JSON_TEXT) as Dashboard;
const PANELS = DASHBOARD.panels.filter(({ type }) => type !== "row");
const QUERIES = PANELS.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));

const RULE_TEXT = readFileSync(join(components, "alerts/prometheus-rule.yaml"), "utf8");
const RULES = load(RULE_TEXT) as {
  readonly spec: { readonly groups: readonly { rules: readonly { expr: string }[] }[] };
};
const ALERT_EXPRESSIONS = RULES.spec.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
const EXPRESSIONS = [...QUERIES.map(({ expr }) => expr), ...ALERT_EXPRESSIONS];

/** What Prometheus and its monitors add to what an agent serves. */
const TARGET_LABELS = ["node", "instance", "job", "namespace", "pod"];
/** Of kube-state-metrics. */
const FOREIGN = "kube_daemonset_status_number_unavailable";

const EXPORTED = readMetrics(await everyMetric());
const NAMES = seriesNames(EXPORTED);

function metricOf(series: string) {
  return EXPORTED.find(({ name }) => series.replace(/_(?:bucket|sum|count)$/, "") === name || series === name);
}

describe("dashboard and alerts", () => {
  it.each(EXPRESSIONS)("ask for metrics that an agent exports: %s", (expression) => {
    const asked = metricNames(expression).filter((name) => name !== FOREIGN);
    expect(asked.filter((name) => !NAMES.includes(name))).toEqual([]);
    expect(metricNames(expression)).not.toEqual([]);
  });

  it.each(EXPRESSIONS)("ask for labels, and for values of them, that it has: %s", (expression) => {
    for (const { metric, label, operator, value } of labelMatchers(expression)) {
      if (metric === FOREIGN || TARGET_LABELS.includes(label)) continue;
      const values = metricOf(metric)?.labels.get(label);
      expect([metric, label, values !== undefined]).toEqual([metric, label, true]);
      if (operator === "=")
        expect([metric, label, [...(values ?? [])]]).toEqual([metric, label, expect.arrayContaining([value])]);
    }
    const known = metricNames(expression).flatMap((name) => [...(metricOf(name)?.labels.keys() ?? [])]);
    const unknown = groupings(expression).filter((label) => ![...known, ...TARGET_LABELS, "le"].includes(label));
    expect(unknown).toEqual([]);
  });

  it("show every metric of ours", () => {
    const shown = new Set(
      QUERIES.flatMap(({ expr }) => metricNames(expr)).flatMap((name) => metricOf(name)?.name ?? []),
    );
    const ours = EXPORTED.map(({ name }) => name).filter((name) => name.startsWith("nftpol_"));
    expect(ours.filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe("the dashboard", () => {
  it("asks the data source and the nodes that are chosen, and knows no other variable", () => {
    expect(DASHBOARD.templating.list.map(({ name, type }) => [name, type])).toEqual([
      ["datasource", "datasource"],
      ["node", "query"],
    ]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in
    const source = { type: "prometheus", uid: "${datasource}" };
    expect(PANELS.filter(({ datasource }) => JSON.stringify(datasource) !== JSON.stringify(source))).toEqual([]);
    expect(QUERIES.filter(({ datasource }) => JSON.stringify(datasource) !== JSON.stringify(source))).toEqual([]);
    for (const { expr } of QUERIES) {
      expect(expr).toContain('node=~"$node"');
      const variables = [...expr.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name);
      expect(variables.filter((name) => !["node", "__rate_interval"].includes(name ?? ""))).toEqual([]);
    }
  });

  it("has a row for each thing to look at", () => {
    const rows = DASHBOARD.panels.filter(({ type }) => type === "row").map(({ title }) => title);
    expect(rows).toEqual([
      "At a glance",
      "Rules and syncs",
      "Latencies",
      "Drops and connections",
      "Verification",
      "API server",
      "Resources",
    ]);
  });

  it("names in legends labels that the series still have", () => {
    for (const { title, expr, legendFormat } of QUERIES) {
      const wanted = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
      const grouped = groupings(expr);
      const own = metricNames(expr).flatMap((name) => [...(metricOf(name)?.labels.keys() ?? [])]);
      const left = / by \(/.test(expr) ? grouped : [...own, ...TARGET_LABELS];
      expect([title, wanted.filter((label) => !left.includes(label))]).toEqual([title, []]);
    }
  });

  it("can be imported: an identity, panels of their own numbers that do not cover each other", () => {
    expect(DASHBOARD).toMatchObject({ uid: "nftpol", title: "nftpol", schemaVersion: expect.any(Number) });
    expect(DASHBOARD).not.toHaveProperty("id");
    expect(new Set(DASHBOARD.panels.map(({ id }) => id)).size).toBe(DASHBOARD.panels.length);
    const cells = DASHBOARD.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(cells.length).toBe(new Set(cells).size);
    expect(DASHBOARD.panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
    for (const { targets = [] } of PANELS) expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
  });

  it("is in its ConfigMap as it is in its file (node scripts/dashboard-config-map.ts)", () => {
    const manifest = readFileSync(join(components, "dashboard/config-map.yaml"), "utf8");
    expect(manifest).toBe(dashboardConfigMap(JSON_TEXT));
    const { metadata, data } = load(manifest) as { metadata: { labels: object }; data: Record<string, string> };
    expect(metadata.labels).toMatchObject({ grafana_dashboard: "1" });
    expect(data).toEqual({ "nftpol.json": JSON_TEXT });
  });
});

describePromtool("promtool", (promtool) => {
  it("finds nothing wrong with what an agent serves", async () => {
    // Of prom-client's own metrics some are named against the rules; they are what everybody's dashboards know. Ours with quantiles
    // begins anew with each scrape, which a summary does not.
    const complaints = promtool.checkMetrics(await everyMetric()).split("\n");
    const ours = complaints.filter((line) => line.startsWith("nftpol_") && !/event_loop_delay.*"quantile"/.test(line));
    expect(ours).toEqual([]);
  });

  it("has an answer to every query of the dashboard from an agent that has seen everything", async () => {
    const labels = TARGET_LABELS.map((label) => `${label}="of the target"`).join(",");
    const series = samplesOf(await everyMetric()).map(({ metric, labels: own }) => ({
      series: `${metric}{${[own, labels].filter((part) => part !== "").join(",")}}`,
      values: "1+1x40",
    }));
    const queries = QUERIES.map(({ expr }) => ({
      expr: `count(${expr.replaceAll("$__rate_interval", "2m").replaceAll("$node", ".*")}) > bool 0`,
      eval_time: "15m",
      exp_samples: [{ labels: "{}", value: 1 }],
    }));
    expect(
      promtool.testRules(RULES.spec as never, [{ interval: "30s", input_series: series, promql_expr_test: queries }]),
    ).toBe("");
  });
});
