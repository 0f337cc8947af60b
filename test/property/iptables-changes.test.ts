// The way from one program to the next with iptables: it ends where a fresh compile begins, and on the way no packet gets a verdict
// that is neither the old one nor the new one, after whatever line of whatever stage.

import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { MemoryKernelRules } from "../../src/backends/iptables/memory-kernel-rules.ts";
import { differenceTo } from "../../src/backends/iptables/repair.ts";
import type { IptablesRuleset } from "../../src/backends/iptables/ruleset.ts";
import { type Stage, stageText } from "../../src/backends/iptables/stages.ts";
import { tracePacket } from "../../src/backends/iptables/trace.ts";
import { RulesetTracker } from "../../src/backends/iptables/tracker.ts";
import { firstPacket, type Packet } from "../../src/backends/packet.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { type Address, parseAddress } from "../../src/net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../src/program/program.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { comparableText, foundText } from "../support/comparable-iptables.ts";
import { checkProperty } from "../support/property.ts";
import {
  type ApiObject,
  cluster,
  crowdedCluster,
  eventOf,
  NODES,
  namespaceObject,
  nodeObject,
  objectKey,
  podObject,
  policyObject,
  removalOf,
  storeOf,
  toYaml,
} from "../support/random-cluster.ts";

const options: fc.Arbitrary<ProgramOptions> = fc
  .constantFrom("allow" as const, "drop" as const)
  .map((unknownLocalPods) => ({ ...DEFAULT_PROGRAM_OPTIONS, unknownLocalPods }));

interface Step {
  readonly object: ApiObject;
  readonly remove: boolean;
  readonly flush: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  object: fc.oneof(
    { weight: 6, arbitrary: podObject },
    { weight: 2, arbitrary: policyObject },
    { weight: 1, arbitrary: namespaceObject },
    { weight: 1, arbitrary: nodeObject },
  ),
  remove: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  flush: fc.boolean(),
});

function printSteps([steps, settings]: readonly [readonly Step[], unknown]): string {
  const lines = steps.map(
    ({ object, remove, flush }) => `# ${remove ? "remove" : "set"}${flush ? ", then flush" : ""}\n${toYaml([object])}`,
  );
  return `# options: ${JSON.stringify(settings)}\n${lines.join("---\n")}`;
}

test("after any sequence of events the tracked ruleset and the kernel equal a fresh compile", () => {
  checkProperty(
    fc.tuple(fc.array(step, { minLength: 1, maxLength: 40 }), options),
    ([steps, settings]) => {
      const graph = new RuleGraph(new ClusterStore(), NODES[0], settings);
      const tracker = new RulesetTracker(graph.program());
      const kernel = new MemoryKernelRules();
      kernel.tamper(differenceTo(kernel.found(), tracker.ruleset()).stages);
      const objects = new Map<string, ApiObject>();
      for (const { object, remove, flush } of steps) {
        if (remove) objects.delete(objectKey(object));
        else objects.set(objectKey(object), object);
        graph.apply(remove ? removalOf(object) : eventOf(object));
        if (!flush) continue;
        kernel.tamper(tracker.update(graph.flush()));
        const fresh = compileRuleset(new RuleGraph(storeOf([...objects.values()]), NODES[0], settings).program());
        expect(comparableText(tracker.ruleset())).toBe(comparableText(fresh));
        expect(foundText(kernel.found())).toBe(comparableText(fresh));
      }
    },
    { runs: 300, print: printSteps },
  );
});

const addresses = (...texts: readonly string[]) => texts.map((text) => parseAddress(text)?.address as Address);
const IPV4 = addresses("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.1.1", "192.0.2.7");
const IPV6 = addresses("fd00::1", "fd00::2", "fd00::1:1");

/** First packets of what random policies tell apart. */
const PACKETS: readonly Packet[] = [IPV4, IPV6].flatMap((ends) =>
  ends.flatMap((source) =>
    // What a pod sends to itself may be lost in the moment in which it comes or goes (in-place.ts).
    ends
      .filter((destination) => destination !== source)
      .flatMap((destination) =>
        [53, 80, 8080].map((port) =>
          firstPacket({ source, destination, traffic: { kind: "ports", protocol: "TCP", port } }, "forward", false),
        ),
      ),
  ),
);

function verdicts(ruleset: IptablesRuleset): readonly string[] {
  return PACKETS.map((packet) => tracePacket(ruleset, packet).verdict);
}

/** Line by line, as ipset does it. */
function singleSteps(stages: readonly Stage[]): Stage[] {
  return stages.flatMap((stage): Stage[] => {
    if (stage.kind !== "change-elements") return [stage];
    return stage.changes.flatMap((change) =>
      change.elements.map(
        (element): Stage => ({ kind: "change-elements", changes: [{ ...change, elements: [element] }] }),
      ),
    );
  });
}

test("between the old rules and the new ones every packet gets the verdict of one of the two", () => {
  let inPlace = 0;
  let made = 0;
  checkProperty(
    fc.tuple(fc.oneof(cluster, crowdedCluster), fc.array(step, { minLength: 4, maxLength: 20 }), options),
    ([objects, steps, settings]) => {
      const graph = new RuleGraph(storeOf(objects), NODES[0], settings);
      graph.flush();
      const tracker = new RulesetTracker(graph.program());
      const kernel = new MemoryKernelRules();
      kernel.tamper(differenceTo(kernel.found(), tracker.ruleset()).stages);
      for (const { object, remove, flush } of steps) {
        graph.apply(remove ? removalOf(object) : eventOf(object));
        if (!flush) continue;
        const before = verdicts(kernel.found().ruleset);
        const stages = tracker.update(graph.flush());
        const after = verdicts(tracker.ruleset());
        if (stages.some(({ kind }) => kind === "change-elements")) inPlace++;
        if (stages.some(({ kind }) => kind === "rules")) made++;
        for (const single of singleSteps(stages)) {
          kernel.tamper([single]);
          const now = verdicts(kernel.found().ruleset);
          for (const [index, verdict] of now.entries()) {
            if (verdict === before[index] || verdict === after[index]) continue;
            const { source, destination, destinationPort } = PACKETS[index] as Packet;
            expect.unreachable(
              `${source} -> ${destination}:${destinationPort}: ${verdict} after ${stageText(single)}of\n${stages.map(stageText).join("then\n")}`,
            );
          }
        }
        expect(verdicts(kernel.found().ruleset)).toEqual(after);
      }
    },
    { runs: 350, print: ([objects, ...rest]) => `${toYaml(objects)}# then\n---\n${printSteps(rest)}` },
  );
  expect(inPlace).toBeGreaterThan(100);
  expect(made).toBeGreaterThan(100);
});

test("the difference between two rulesets, applied to the first, gives the second", () => {
  checkProperty(
    fc.tuple(cluster, cluster, options, options),
    ([before, after, settingsBefore, settingsAfter]) => {
      const compile = (objects: readonly ApiObject[], settings: ProgramOptions) =>
        compileRuleset(new RuleGraph(storeOf(objects), NODES[0], settings).program());
      const [from, to] = [compile(before, settingsBefore), compile(after, settingsAfter)];
      const kernel = new MemoryKernelRules();
      kernel.tamper(differenceTo(kernel.found(), from).stages);
      const stages = differenceTo(kernel.found(), to).stages;
      kernel.tamper(stages);
      expect(foundText(kernel.found())).toBe(comparableText(to));
      expect(differenceTo(kernel.found(), to).stages).toEqual([]);
      kernel.tamper(differenceTo(kernel.found(), to, true).stages);
      expect(foundText(kernel.found())).toBe(comparableText(to));
    },
    { runs: 150, print: ([before, after]) => `# before\n${toYaml(before)}# after\n---\n${toYaml(after)}` },
  );
});
