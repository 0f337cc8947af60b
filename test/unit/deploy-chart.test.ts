// deploy/chart says everywhere the same: what scripts/chart.ts writes is written, values and their schema name the same things,
// each value is explained. What helm makes of the chart is in test/delivery/helm-chart.test.ts.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { chartValues, derivedChartFiles } from "../../scripts/chart.ts";

const chart = resolve(import.meta.dirname, "../../deploy/chart");

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly oneOf?: readonly Schema[];
  readonly $ref?: string;
}

const schema = JSON.parse(readFileSync(join(chart, "values.schema.json"), "utf8")) as Schema;

/** Every schema inside this one, with itself. */
function schemasIn(each: Schema): readonly Schema[] {
  const { properties = {}, definitions = {}, items, additionalProperties, oneOf = [] } = each;
  const below = [...Object.values(properties), ...Object.values(definitions), ...oneOf];
  if (items !== undefined) below.push(items);
  if (typeof additionalProperties === "object") below.push(additionalProperties);
  return [each, ...below.flatMap(schemasIn)];
}

describe("deploy/chart", () => {
  it.each([...derivedChartFiles()])("holds %s as scripts/chart.ts writes it: run it again", (path, content) => {
    const file = join(chart, path);
    expect(existsSync(file) ? readFileSync(file, "utf8") : undefined).toBe(content);
  });

  it("explains each value, save what its name says", () => {
    const silent = chartValues().filter(({ comment }) => comment === "");
    expect(silent.map(({ path }) => path).filter((path) => !/\.(interval|labels)$/.test(path))).toEqual([]);
  });

  it("lets nobody misspell a value: each mapping of the schema names its keys, or says what values they may have", () => {
    const mappings = schemasIn(schema).filter(({ type }) => type === "object" || type?.includes("object"));
    // Helm hands `global` to every chart; this one does not look at it.
    const open = mappings.filter((each) => each.additionalProperties === undefined);
    expect(open).toEqual([schema.properties?.global]);
  });

  it("has a default for each value that the schema knows, and the other way about", () => {
    const named = Object.keys(schema.properties ?? {}).filter((name) => name !== "global");
    const given = chartValues().map(({ path }) => path.split(".")[0]);
    expect([...new Set(given)]).toEqual(named);
  });
});
