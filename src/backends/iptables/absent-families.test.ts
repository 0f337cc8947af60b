// What is for a family that the kernel does not have is kept, and compares like what is there.

import { expect, it } from "vitest";
import { comparableText, foundText } from "../../../test/support/comparable-iptables.ts";
import { allowingPolicy, graphOf, numberedPod, webAndClients } from "../../../test/support/policy-cluster.ts";
import { eventOf, removalOf } from "../../../test/support/random-cluster.ts";
import type { Family } from "../../net/address.ts";
import { AbsentFamilies } from "./absent-families.ts";
import { describeDrift } from "./drift.ts";
import { MemoryKernelRules } from "./memory-kernel-rules.ts";
import { differenceTo, NOTHING_DESIRED } from "./repair.ts";
import type { Stage } from "./stages.ts";
import { RulesetTracker } from "./tracker.ts";

const ONLY_IPV4: readonly Family[] = [4];

/** A kernel without IPv6. */
function started() {
  const kernel = new MemoryKernelRules();
  const absent = new AbsentFamilies();
  const written: Stage[] = [];
  return {
    kernel,
    written,
    read: () => absent.addTo(kernel.found()),
    write: (stages: readonly Stage[]) => {
      const present = absent.takeFrom(stages, ONLY_IPV4);
      written.push(...present);
      kernel.tamper(present);
    },
  };
}

it("takes nothing where both families are there", () => {
  const absent = new AbsentFamilies();
  const { stages } = differenceTo(
    new MemoryKernelRules().found(),
    new RulesetTracker(graphOf(...webAndClients).program()).ruleset(),
  );
  expect(absent.takeFrom(stages, [4, 6])).toBe(stages);
  const found = new MemoryKernelRules().found();
  expect(absent.addTo(found)).toBe(found);
});

it("the kernel never sees the absent family, and all the same nothing differs, through changes of all kinds and to the end", () => {
  const { kernel, written, read, write } = started();
  const graph = graphOf(...webAndClients);
  const tracker = new RulesetTracker(graph.program());
  write(differenceTo(read(), tracker.ruleset()).stages);
  const changes = [
    eventOf(numberedPod(4, { app: "client" })),
    eventOf(allowingPolicy("more", "web", "other", 9090)),
    removalOf(numberedPod(4, { app: "client" })),
    removalOf(allowingPolicy("more", "web", "other", 9090)),
  ];
  for (const change of changes) {
    graph.apply(change);
    write(tracker.update(graph.flush()));
    expect(foundText(read())).toBe(comparableText(tracker.ruleset()));
    expect(differenceTo(read(), tracker.ruleset()).stages).toEqual([]);
  }
  const { chains, sets } = kernel.found().ruleset;
  expect(chains[6].size).toBe(0);
  expect([...sets.values()].filter(({ family }) => family === 6)).toEqual([]);
  expect(chains[4].size).toBeGreaterThan(0);
  write(differenceTo(read(), NOTHING_DESIRED).stages);
  expect(foundText(read())).toBe("none");
  expect(written.some((stage) => stage.kind === "rules" && stage.family === 6)).toBe(false);
});

it("what is only for the absent family is no stage for the kernel", () => {
  const { written, write, read } = started();
  const tracker = new RulesetTracker(graphOf(...webAndClients).program());
  write(differenceTo(read(), tracker.ruleset()).stages);
  written.length = 0;
  const set = [...tracker.ruleset().sets.values()].find(({ family }) => family === 6)?.name ?? "";
  write([{ kind: "change-elements", changes: [{ set, action: "add", elements: ["fd00::9"] }] }]);
  expect(written).toEqual([]);
  expect(read().ruleset.sets.get(set)?.elements.has("fd00::9")).toBe(true);
});

it("what others do to the family that is there is seen", () => {
  const { kernel, read, write } = started();
  const tracker = new RulesetTracker(graphOf(...webAndClients).program());
  write(differenceTo(read(), tracker.ruleset()).stages);
  kernel.flush(4, "FORWARD");
  expect(describeDrift(read(), tracker.ruleset())).toEqual(["chain FORWARD of IPv4 lacks our jump"]);
});
