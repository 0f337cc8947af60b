// Label selectors, as the Kubernetes API defines them.

import { describe, expect, it } from "vitest";
import { canonicalSelector, EVERYTHING, formatSelector, type LabelRequirement, selectorMatches } from "./labels.ts";

const isIn = (key: string, ...values: string[]): LabelRequirement => ({ operator: "In", key, values });
const notIn = (key: string, ...values: string[]): LabelRequirement => ({ operator: "NotIn", key, values });
const exists = (key: string): LabelRequirement => ({ operator: "Exists", key });
const doesNotExist = (key: string): LabelRequirement => ({ operator: "DoesNotExist", key });

describe("a selector", () => {
  it.each<[string, LabelRequirement[], Record<string, string>, boolean]>([
    ["without requirements matches everything", [], {}, true],
    ["In matches one of the values", [isIn("a", "1", "2")], { a: "2" }, true],
    ["In does not match another value", [isIn("a", "1", "2")], { a: "3" }, false],
    ["In does not match an object without the key", [isIn("a", "1")], { b: "1" }, false],
    ["In matches an empty value", [isIn("a", "")], { a: "" }, true],
    ["In with an empty value needs the key", [isIn("a", "")], {}, false],
    ["NotIn matches another value", [notIn("a", "1")], { a: "2" }, true],
    ["NotIn does not match the value", [notIn("a", "1")], { a: "1" }, false],
    ["NotIn matches an object without the key", [notIn("a", "1")], {}, true],
    ["Exists matches whatever the value", [exists("a")], { a: "" }, true],
    ["Exists does not match without the key", [exists("a")], { b: "" }, false],
    ["DoesNotExist matches without the key", [doesNotExist("a")], {}, true],
    ["DoesNotExist does not match an empty value", [doesNotExist("a")], { a: "" }, false],
    ["needs all requirements", [isIn("a", "1"), exists("b")], { a: "1" }, false],
    ["matches when all requirements do", [isIn("a", "1"), exists("b")], { a: "1", b: "" }, true],
    ["can contradict itself", [isIn("a", "1"), isIn("a", "2")], { a: "1" }, false],
    ["does not take inherited properties for labels", [exists("constructor")], {}, false],
    ["compares values exactly", [isIn("a", "Web")], { a: "web" }, false],
  ])("%s", (_, requirements, labels, expected) => {
    expect(selectorMatches(canonicalSelector(requirements), labels)).toBe(expected);
  });

  it("that selects everything matches an object without labels", () => {
    expect(selectorMatches(EVERYTHING, {})).toBe(true);
  });

  it("is the same whatever the order and repetition of requirements and values", () => {
    const one = canonicalSelector([isIn("b", "2", "1"), exists("a"), isIn("b", "1", "2", "2")]);
    const other = canonicalSelector([exists("a"), isIn("b", "1", "2"), exists("a")]);
    expect(one).toEqual(other);
  });

  it("keeps keys apart that hold separators", () => {
    const selector = canonicalSelector([isIn('a","In', "x"), isIn("a", "In", "x")]);
    expect(selector.requirements).toHaveLength(2);
  });
});

describe("a selector is written as kubectl writes it", () => {
  it.each<[string, LabelRequirement[]]>([
    ["all", []],
    ["a=1", [isIn("a", "1")]],
    ["a in (1,2)", [isIn("a", "2", "1")]],
    ["a!=1", [notIn("a", "1")]],
    ["a notin (1,2)", [notIn("a", "1", "2")]],
    ["a", [exists("a")]],
    ["!a", [doesNotExist("a")]],
    ["a=1,b", [exists("b"), isIn("a", "1")]],
  ])("%s", (text, requirements) => {
    expect(formatSelector(canonicalSelector(requirements))).toBe(text);
  });
});
