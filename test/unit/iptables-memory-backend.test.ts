// The iptables backend over memory does what every backend has to do, and survives what only memory can be told to do.
import { describe, expect, it } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { IptablesBackend } from "../../src/backends/iptables/iptables-backend.ts";
import { type MemoryFault, MemoryKernelRules } from "../../src/backends/iptables/memory-kernel-rules.ts";
import type { Stage } from "../../src/backends/iptables/stages.ts";
import type { RuleGraph } from "../../src/graph/rule-graph.ts";
import { backendSuite } from "../support/backend-suite.ts";
import { expectedText, foundText, reachableText } from "../support/comparable-iptables.ts";
import { iptablesBench } from "../support/iptables-bench.ts";
import { allowingPolicy, graphOf, numberedPod, webAndClients } from "../support/policy-cluster.ts";
import { type ApiObject, eventOf, removalOf } from "../support/random-cluster.ts";

describe("over memory", () => {
  backendSuite(async (body) => {
    const kernel = new MemoryKernelRules();
    const place = {
      open: (onTransaction?: (text: string) => void) => new IptablesBackend(kernel, { onTransaction }),
      rules: () => kernel.read(),
      foreign: async (stages: readonly Stage[]) => kernel.tamper(stages),
      refuseNextSet: async () => kernel.failWrite({ kind: "refuse" }),
      fingerprint: async () => foundText(kernel.found()),
    };
    await body(iptablesBench(place));
  });
});

interface Started {
  readonly kernel: MemoryKernelRules;
  readonly backend: Backend;
  readonly texts: string[];
  readonly graph: RuleGraph;
}

function started(): Started {
  const kernel = new MemoryKernelRules();
  const texts: string[] = [];
  const backend = new IptablesBackend(kernel, { onTransaction: (text) => texts.push(text) });
  return { kernel, backend, texts, graph: graphOf(...webAndClients) };
}

/** Each is written in another way. */
const DELTAS: readonly (readonly [sentence: string, change: (graph: RuleGraph) => void])[] = [
  ["one more client, in place", (graph) => graph.apply(eventOf(numberedPod(5, { app: "client" })))],
  [
    "clients that come and go, in two steps",
    (graph) => {
      graph.apply(removalOf(webAndClients[1] as ApiObject));
      graph.apply(eventOf(numberedPod(5, { app: "client" })));
    },
  ],
  ["a policy, by new rules", (graph) => graph.apply(eventOf(allowingPolicy("more", "web", "other", 9090)))],
  [
    "a policy that goes, with its sets",
    (graph) => {
      graph.apply(eventOf(allowingPolicy("more", "web", "client", 9090)));
      graph.apply(removalOf(webAndClients.at(-1) as ApiObject));
    },
  ],
];

/** More than any of them has stages. */
const MOST_STAGES = 7;
const DEATHS: readonly MemoryFault[] = [
  { kind: "refuse" },
  ...Array.from({ length: MOST_STAGES }, (_, stagesDone): MemoryFault => ({ kind: "die", stagesDone })),
];

describe.each(DELTAS)("a delta with %s", (_, change) => {
  it.each(DEATHS)("that is met by %o is done by the next call", async (fault) => {
    const { kernel, backend, texts, graph } = started();
    await backend.install(graph.program());
    const before = reachableText(kernel.found().ruleset);
    change(graph);
    texts.length = 0;
    kernel.failWrite(fault);
    const outcome = await backend.apply(graph.flush()).then(
      ({ how }) => how,
      ({ kind }: { kind: string }) => kind,
    );
    const isDone = fault.kind === "die" && fault.stagesDone >= texts.length;
    expect(outcome).toBe(isDone ? "delta" : fault.kind === "refuse" ? "refused" : "broken");
    if (fault.kind === "refuse") expect(reachableText(kernel.found().ruleset)).toBe(before);
    const again = await backend.apply(graph.flush());
    expect(["repaired", "unchanged"]).toContain(again.how);
    expect(foundText(kernel.found())).toBe(expectedText(graph));
    expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
  });

  it.each(DEATHS)("that is met by %o, like the repair, is done by the call after it", async (fault) => {
    const { kernel, backend, graph } = started();
    await backend.install(graph.program());
    change(graph);
    // A difference that is refused is tried anew.
    for (let times = 0; times < 3; times++) kernel.failWrite(fault);
    await backend.apply(graph.flush()).catch(() => {});
    await backend.apply(graph.flush()).catch(() => {});
    kernel.failRead({ kind: "refuse" });
    await backend.apply(graph.flush()).catch(() => {});
    for (let times = 0; times < 3; times++) await backend.apply(graph.flush()).catch(() => {});
    expect(foundText(kernel.found())).toBe(expectedText(graph));
    graph.apply(eventOf(numberedPod(9, { app: "client" })));
    expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
    expect(foundText(kernel.found())).toBe(expectedText(graph));
  });
});

describe("the first install", () => {
  it.each(DEATHS.slice(0, 4))(
    "that is met by %o can be done again, or is finished by the next delta",
    async (fault) => {
      for (const next of ["install", "apply"]) {
        const { kernel, backend, graph } = started();
        kernel.failWrite(fault);
        if (fault.kind === "refuse") kernel.failWrite(fault);
        const kind = fault.kind === "refuse" ? "refused" : "broken";
        await expect(backend.install(graph.program())).rejects.toMatchObject({ name: "BackendError", kind });
        graph.apply(eventOf(numberedPod(5, { app: "client" })));
        const delta = graph.flush();
        if (next === "install") await backend.install(graph.program());
        else await backend.apply(delta);
        expect(foundText(kernel.found())).toBe(expectedText(graph));
      }
    },
  );

  it("that cannot read changes nothing", async () => {
    const { kernel, backend, graph, texts } = started();
    kernel.failRead({ kind: "refuse" });
    await expect(backend.install(graph.program())).rejects.toMatchObject({ kind: "broken" });
    expect(texts).toEqual([]);
    expect(foundText(kernel.found())).toBe("none");
  });
});

it("a repair that fails says what was wrong and why it failed, and the next delta repairs", async () => {
  const { kernel, backend, graph } = started();
  await backend.install(graph.program());
  kernel.flush(4, "FORWARD");
  kernel.failWrite({ kind: "die", stagesDone: 0 });
  await expect(backend.verify()).rejects.toMatchObject({
    name: "RepairError",
    kind: "broken",
    differences: ["chain FORWARD of IPv4 lacks our jump"],
  });
  expect(await backend.apply(graph.flush())).toMatchObject({ how: "repaired" });
  expect(foundText(kernel.found())).toBe(expectedText(graph));
});

it("after a verification that could not read, the next delta reads", async () => {
  const { kernel, backend, graph } = started();
  await backend.install(graph.program());
  kernel.flush(6, "FORWARD");
  kernel.failRead({ kind: "refuse" });
  await expect(backend.verify()).rejects.toMatchObject({ kind: "broken" });
  expect(await backend.apply(graph.flush())).toMatchObject({ how: "repaired" });
  expect(foundText(kernel.found())).toBe(expectedText(graph));
});

it("a set that somebody else looks up stays, and what needs its name gets another, until it can go", async () => {
  const { kernel, backend, graph } = started();
  const more = allowingPolicy("more", "web", "other", 9090);
  graph.apply(eventOf(more));
  graph.flush();
  await backend.install(graph.program());
  const held = [...kernel.found().ruleset.sets.keys()].find((name) => name.startsWith("NFTPOL-i4-")) as string;
  kernel.hold(held);
  const isThere = (name: string) => kernel.found().ruleset.sets.has(name);
  for (const round of [1, 2, 3]) {
    graph.apply(removalOf(more));
    expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
    graph.apply(eventOf(more));
    expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
    expect([round, isThere(held), isThere(`${held}.1`)]).toEqual([round, true, true]);
  }
  kernel.hold(held, false);
  graph.apply(eventOf(numberedPod(5, { app: "client" })));
  await backend.apply(graph.flush());
  expect(foundText(kernel.found())).toBe(expectedText(graph));
});

it("each stage's text is seen before it is written", async () => {
  const { kernel, backend, graph, texts } = started();
  await backend.install(graph.program());
  expect(texts.map((text) => text.split("\n", 1)[0])).toEqual([
    expect.stringMatching(/^create NFTPOL-/),
    "*filter",
    "*filter",
  ]);
  texts.length = 0;
  graph.apply(eventOf(numberedPod(5, { app: "client" })));
  kernel.failWrite({ kind: "refuse" });
  await backend.apply(graph.flush()).catch(() => {});
  expect(texts).toEqual([
    expect.stringMatching(/^add NFTPOL-p4-\S+ 10\.1\.0\.5\n$/),
    expect.stringMatching(/^add NFTPOL-p6-\S+ fd01::5\n$/),
  ]);
});

it("drops are counted by reason", async () => {
  const { kernel, backend, graph } = started();
  await backend.install(graph.program());
  kernel.setDropped("ingress", 1);
  kernel.setDropped("unknown", 4);
  expect(await backend.dropped()).toEqual({ ingress: 1, egress: 0, midstream: 0, unknown: 4 });
});
