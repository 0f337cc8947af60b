import { describe, expect, it } from "vitest";
import { ACCEPT, inSet, jump, rule } from "./build.ts";
import { phasesOf } from "./phases.ts";
import type { Chain, NamedSet } from "./ruleset.ts";
import type { Operation, Transaction } from "./transaction.ts";

const chain = (name: string, hooked = false): Chain => ({
  name,
  hook: hooked ? { name: "forward", priority: -5 } : undefined,
  comment: undefined,
  rules: [],
});
const set = (name: string): NamedSet => ({
  kind: "set",
  name,
  key: ["ip saddr"],
  interval: false,
  size: 64,
  comment: undefined,
  elements: new Set(),
});
const addChain = (name: string, hooked = false): Operation => ({ kind: "add-chain", chain: chain(name, hooked) });
const addSet = (name: string): Operation => ({ kind: "add-set", set: set(name) });
const addRule = (to: string, target: string): Operation => ({
  kind: "add-rule",
  chain: to,
  rule: rule([], jump(target)),
});
const addLookup = (to: string, name: string): Operation => ({
  kind: "add-rule",
  chain: to,
  rule: rule([inSet("ip saddr", name)], ACCEPT),
});
const addElements = (name: string, target?: string): Operation => ({
  kind: "add-elements",
  key: { fields: ["ip saddr"], interval: false },
  set: name,
  elements: [{ key: "10.0.0.1", verdict: target === undefined ? undefined : { kind: "jump", chain: target } }],
});
const deleteSet = (name: string): Operation => ({ kind: "delete-set", set: name, setKind: "set" });

const transaction = (...operations: readonly Operation[]): Transaction => ({ table: "nftpol", operations });
/** What is written, one after the other. */
const phases = (...operations: readonly Operation[]) => {
  const { change, cleanUp } = phasesOf(transaction(...operations));
  return [...change, ...(cleanUp === undefined ? [] : [cleanUp])].map((each) => each.operations);
};

describe("what nothing leads to yet comes first", () => {
  it("a new class with its sets, before the element that leads to it and before what it replaces goes", () => {
    const prepared = [addChain("new"), addSet("peers"), addElements("peers"), addLookup("new", "peers")];
    const removal: Operation = { kind: "delete-chain", chain: "old" };
    const change = [addElements("ingress4", "new"), removal];
    const [chainFirst, ...others] = prepared as [Operation, ...Operation[]];
    expect(phases(chainFirst, ...others.slice(0, 2), change[0] as Operation, others[2] as Operation, removal)).toEqual([
      prepared,
      change.slice(0, 1),
      change.slice(1),
    ]);
  });

  it("many elements of new sets go alone, after the sets and before the step that leads to them", () => {
    const texts = Array.from({ length: 300 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    const many: Operation = {
      kind: "add-elements",
      set: "peers",
      key: { fields: ["ip saddr"], interval: false },
      elements: texts.map((key) => ({ key, verdict: undefined })),
    };
    const step = addElements("ingress4", "new");
    expect(phases(addChain("new"), addSet("peers"), many, step, addLookup("new", "peers"))).toEqual([
      [addChain("new"), addSet("peers"), addLookup("new", "peers")],
      [many],
      [step],
    ]);
  });

  it("elements of sets that are there are one transaction", () => {
    const operations = [addElements("peers"), addElements("ingress4", "there")];
    expect(phases(...operations)).toEqual([operations]);
  });

  it("a change that only prepares is one, too", () => {
    const operations = [addChain("new"), addRule("new", "there")];
    expect(phases(...operations)).toEqual([operations]);
  });

  it("nothing at all is none", () => expect(phases()).toEqual([]));
});

describe("what cannot come first waits, and all that refers to it", () => {
  it("a chain that looks up a set which is made anew, and the chain that goes to it", () => {
    const operations = [
      addChain("a"),
      addChain("b"),
      addChain("c"),
      deleteSet("grown"),
      addSet("grown"),
      addElements("grown"),
      addRule("a", "b"),
      addLookup("b", "grown"),
      addLookup("c", "other"),
    ];
    const [first, second] = phases(...operations);
    expect(first).toEqual([addChain("c"), addLookup("c", "other")]);
    expect(second).toEqual(operations.filter((operation) => !first?.includes(operation)));
    expect(second).toHaveLength(7);
  });

  it("a hook, and a new map that leads to a chain which waits", () => {
    const operations = [
      addChain("forward", true),
      addChain("a"),
      addSet("map"),
      deleteSet("grown"),
      addSet("grown"),
      addElements("map", "a"),
      addLookup("a", "grown"),
      addLookup("forward", "map"),
    ];
    expect(phases(...operations)).toEqual([operations]);
  });
});

it("a table that is made anew is one transaction", () => {
  const operations: readonly Operation[] = [
    { kind: "add-table" },
    { kind: "delete-table" },
    { kind: "add-table" },
    addChain("a"),
  ];
  expect(phases(...operations)).toEqual([operations]);
});

describe("what nothing leads to any more goes last, where the step before it is one of elements alone", () => {
  const flush: Operation = { kind: "flush-chain", chain: "old" };
  const removal: Operation = { kind: "delete-chain", chain: "old" };
  const counter: Operation = { kind: "delete-counter", name: "unused" };

  it("a class that is replaced, with its sets", () => {
    const step = addElements("ingress4", "there");
    const { change, cleanUp } = phasesOf(transaction(flush, step, deleteSet("peers"), removal, counter));
    expect(change).toEqual([transaction(step)]);
    expect(cleanUp).toEqual(transaction(flush, deleteSet("peers"), removal, counter));
  });

  it.each<[string, readonly Operation[]]>([
    ["a chain gets other rules", [{ kind: "flush-chain", chain: "forward" }, addRule("forward", "there"), removal]],
    ["a set is made anew under its name", [flush, deleteSet("grown"), addSet("grown"), addElements("grown"), removal]],
    ["a hook goes, which packets meet by itself", [addElements("node4"), { kind: "delete-chain", chain: "input" }]],
    ["nothing else changes", [flush, removal, deleteSet("peers")]],
  ])("all at once where %s", (_, operations) => {
    const { change, cleanUp } = phasesOf(transaction(...operations));
    expect(change).toEqual([transaction(...operations)]);
    expect(cleanUp).toBeUndefined();
  });
});
