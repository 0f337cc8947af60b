// The YAML that the pages show can be read, and the API objects in it are right.

import { loadAll } from "js-yaml";
import { expect, it } from "vitest";
import { textlessSource } from "../../src/dialects/object-source.ts";
import { decodeObject } from "../../src/dialects/registry.ts";
import { blocksOf, pages } from "./page-commands.ts";

const BLOCKS = pages()
  .flatMap(blocksOf)
  .filter(({ language }) => language === "yaml");

it.each(BLOCKS)("$page:$line", ({ page, text }) => {
  const objects = loadAll(text).filter(isObject);
  const problems = objects.flatMap((each) => decodeObject(each, textlessSource(page)).diagnostics);
  expect(problems.map(({ field, message }) => `${field}: ${message}`)).toEqual([]);
});

it("there is a policy among them", () => {
  const kinds = BLOCKS.flatMap(({ text }) => loadAll(text).filter(isObject)).map(({ kind }) => kind);
  expect(kinds).toContain("NetworkPolicy");
});

function isObject(value: unknown): value is { readonly kind: unknown } {
  return typeof value === "object" && value !== null && "kind" in value && "apiVersion" in value;
}
