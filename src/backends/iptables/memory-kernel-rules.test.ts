// The stand-in for the kernel: takes what the kernel takes, refuses what it refuses, and then stays as it was. That the kernel does the
// same: test/kernel/iptables-stages.test.ts.

import { describe, expect, it } from "vitest";
import { foundText } from "../../../test/support/comparable-iptables.ts";
import { REFUSED, START, type StageCase, TAKEN } from "../../../test/support/refused-stages.ts";
import { MemoryKernelRules } from "./memory-kernel-rules.ts";
import type { FoundRules } from "./read-back.ts";

const ofNft = ({ only }: { readonly only?: string }) => only === undefined || only === "nft";

function started(): MemoryKernelRules {
  const kernel = new MemoryKernelRules();
  kernel.tamper(START);
  kernel.changedByOthers();
  return kernel;
}

describe("refused, with nothing applied:", () => {
  it.each(REFUSED.filter(ofNft))("$name", async ({ stage }) => {
    const kernel = started();
    const before = foundText(kernel.found());
    if (stage.kind === "destroy-sets") expect(() => kernel.tamper([stage])).toThrow("refused");
    else await expect(kernel.write([stage])).rejects.toMatchObject({ name: "BackendError", kind: "refused" });
    // ipset takes what comes before the element that does not fit.
    if (stage.kind !== "change-elements") expect(foundText(kernel.found())).toBe(before);
  });
});

it.each(TAKEN.filter(ofNft))("taken: $name", async ({ stage }) => {
  const kernel = started();
  await kernel.write([stage]);
  if (stage.kind === "rules" && stage.remove.length > 0)
    expect(foundText(kernel.found())).not.toContain(`${stage.remove[0]} `);
});

describe("when a write fails", () => {
  const fine = {
    kind: "change-elements",
    changes: [{ set: "NFTPOL-used", action: "add", elements: ["10.0.0.2"] }],
  } as const;
  const bad = (REFUSED[0] as StageCase).stage;

  it("with its first stage it is refused, after another one it is broken: part of it is in force", async () => {
    const kernel = started();
    const before = foundText(kernel.found());
    await expect(kernel.write([bad, fine])).rejects.toMatchObject({ kind: "refused" });
    expect(foundText(kernel.found())).toBe(before);
    await expect(kernel.write([fine, bad])).rejects.toMatchObject({ kind: "broken" });
    expect(foundText(kernel.found())).toContain("add NFTPOL-used 10.0.0.2");
  });

  it("as a test wants it, so many stages are done", async () => {
    const kernel = started();
    kernel.failWrite({ kind: "refuse" });
    kernel.failWrite({ kind: "die", stagesDone: 1 });
    await expect(kernel.write([fine])).rejects.toMatchObject({ kind: "refused" });
    expect(foundText(kernel.found())).not.toContain("10.0.0.2");
    await expect(kernel.write([fine, fine])).rejects.toMatchObject({ kind: "broken" });
    expect(foundText(kernel.found())).toContain("add NFTPOL-used 10.0.0.2");
    await kernel.write([fine]);
  });
});

it("says that others changed something, once", () => {
  const kernel = started();
  kernel.flush(4, "FORWARD");
  expect([kernel.changedByOthers(), kernel.changedByOthers()]).toEqual([true, false]);
});

it("removes what is ours, and leaves others' rules where they were", async () => {
  const kernel = started();
  kernel.insertForeign(4, "FORWARD");
  expect(kernel.found().jumps[4]).toMatchObject([{ position: 1 }]);
  expect(await kernel.remove()).toBe(true);
  expect(foundText(kernel.found())).toBe("none");
  expect(await kernel.remove()).toBe(false);
  kernel.tamper(START);
  expect(kernel.found().jumps[4]).toMatchObject([{ position: 0 }]);
});

it("what it hands out does not change with it", () => {
  const kernel = started();
  const found = kernel.found();
  const before = foundText(found);
  for (const { stage } of TAKEN.filter(({ stage }) => stage.kind === "change-elements")) kernel.tamper([stage]);
  expect(foundText(found)).toBe(before);
});

describe("a copy of what was found", () => {
  it("equals it, with others' rules before our jumps", () => {
    const kernel = started();
    kernel.insertForeign(4, "FORWARD");
    kernel.insertForeign(4, "FORWARD");
    const found = kernel.found();
    expect(new MemoryKernelRules(found).found()).toEqual(found);
  });

  it("is made of whatever was there: sets that are not ours, chains that lead nowhere", async () => {
    const { ruleset, ...rest } = started().found();
    const unreadable = {
      name: "NFTPOL-used",
      type: "hash:ip",
      family: 6,
      maxElements: 0,
      elements: new Set(["x"]),
    } as const;
    const found: FoundRules = { ...rest, ruleset: { ...ruleset, sets: new Map([["NFTPOL-used", unreadable]]) } };
    expect(new MemoryKernelRules(found).found().ruleset.sets).toEqual(found.ruleset.sets);
  });
});
