// Owns the files of deploy/chart that have their source elsewhere: versions, the table of values in README.md, and the monitoring
// of deploy/components. `node scripts/chart.ts` writes them; test/unit/deploy-chart.test.ts shows that nobody forgot to.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from "yaml";

const root = resolve(import.meta.dirname, "..");
const chart = join(root, "deploy/chart");

const BEGIN = "<!-- values: written by scripts/chart.ts from values.yaml -->";
const END = "<!-- end of values -->";

/** What the chart takes as it is, and where from. */
const copies = {
  "files/prometheus-rule.yaml": "deploy/components/alerts/prometheus-rule.yaml",
  "files/dashboard.json": "deploy/components/dashboard/dashboard.json",
};

/** Path below deploy/chart -> what should be in it. */
export function derivedChartFiles(): ReadonlyMap<string, string> {
  const { version } = JSON.parse(read("package.json")) as { readonly version: string };
  const about = read("deploy/chart/Chart.yaml")
    .replace(/^version: .*$/m, `version: ${version}`)
    .replace(/^appVersion: .*$/m, `appVersion: "${version}"`);
  const copied = Object.entries(copies).map(([path, source]) => [path, read(source)] as const);
  return new Map([["Chart.yaml", about], ["README.md", readme()], ...copied]);
}

export interface ChartValue {
  /** As `--set` takes it. */
  readonly path: string;
  readonly standard: unknown;
  /** What values.yaml says above it. */
  readonly comment: string;
}

/** Every value of values.yaml, in its order. A mapping with keys of your own (labels, resources) is one value. */
export function chartValues(): readonly ChartValue[] {
  const { contents } = parseDocument(read("deploy/chart/values.yaml"));
  if (!isMap(contents)) throw new Error("values.yaml is no mapping");
  return valuesBelow(contents as YAMLMap, "", closedMappings());
}

/** `heading`: the comment above the mapping, which its first value gets unless it has its own. */
function valuesBelow(
  mapping: YAMLMap,
  prefix: string,
  closed: ReadonlySet<string>,
  heading = "",
): readonly ChartValue[] {
  return mapping.items.flatMap((pair: Pair, index) => {
    if (!isScalar(pair.key)) throw new Error(`values.yaml: no plain key below ${prefix}`);
    const path = `${prefix}${pair.key.value}`;
    // The parser files a comment above the first key of a mapping with the mapping.
    const above = pair.key.commentBefore ?? (index === 0 ? (mapping.commentBefore ?? heading) : "");
    if (isMap(pair.value) && closed.has(path)) return valuesBelow(pair.value, `${path}.`, closed, above);
    const value = pair.value as { toJSON(): unknown } | null;
    return [{ path, standard: value?.toJSON() ?? null, comment: above.replaceAll(/\s+/g, " ").trim() }];
  });
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly $ref?: string;
  readonly required?: readonly string[];
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** Mappings whose keys values.schema.json names and demands: their values stand in the table one by one. */
function closedMappings(): ReadonlySet<string> {
  const schema = JSON.parse(read("deploy/chart/values.schema.json")) as Schema;
  const found = new Set<string>();
  const visit = (below: Schema, prefix: string) => {
    for (const [name, each] of Object.entries(below.properties ?? {})) {
      const meant = each.$ref === undefined ? each : schema.definitions?.[each.$ref.replace("#/definitions/", "")];
      if (meant?.properties === undefined || meant.required?.length !== Object.keys(meant.properties).length) continue;
      found.add(`${prefix}${name}`);
      visit(meant, `${prefix}${name}.`);
    }
  };
  visit(schema, "");
  return found;
}

function readme(): string {
  const text = read("deploy/chart/README.md");
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error("README.md has no place for the values");
  const cell = (content: string) => content.replaceAll("|", "\\|");
  const rows = chartValues().map(
    ({ path, standard, comment }) => `| \`${path}\` | \`${cell(JSON.stringify(standard))}\` | ${cell(comment)} |`,
  );
  return `${before}${BEGIN}\n| value | default | meaning |\n| --- | --- | --- |\n${rows.join("\n")}\n${END}${after}`;
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

if (import.meta.main) {
  for (const [path, content] of derivedChartFiles()) {
    mkdirSync(dirname(join(chart, path)), { recursive: true });
    writeFileSync(join(chart, path), content);
  }
}
