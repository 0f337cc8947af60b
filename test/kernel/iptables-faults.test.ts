// What may happen to the programs of iptables and to the agent while they write: they are killed, refused, or stopped in between. Each
// family has the old rules or the new ones, and the next call, or the next start, brings all where it should be.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import type { IptablesRuleset } from "../../src/backends/iptables/ruleset.ts";
import { VARIANTS, type Variant } from "../../src/backends/iptables/xtables-version.ts";
import type { RuleGraph } from "../../src/graph/rule-graph.ts";
import { FAMILIES, type Family } from "../../src/net/address.ts";
import type { ProgramSet } from "../../src/program/program.ts";
import { reachableText } from "../support/comparable-iptables.ts";
import { type IptablesKernelBench, withIptablesKernelBench } from "../support/iptables-kernel-bench.ts";
import { describeKernel } from "../support/kernel.ts";
import { allowingPolicy, crowd, graphOf, webAndClients } from "../support/policy-cluster.ts";
import { eventOf, removalOf } from "../support/random-cluster.ts";
import { XTABLES_PROGRAMS } from "../support/xtables-in-netns.ts";

/** What packets of the family can meet. */
function metOf({ chains, sets }: IptablesRuleset, family: Family): string {
  const none = new Map();
  return reachableText({ chains: { 4: none, 6: none, [family]: chains[family] }, sets });
}

/** That of each family before and after. */
function metOfBoth(...graphs: readonly RuleGraph[]): Record<Family, readonly string[]> {
  const rulesets = graphs.map((graph) => compileRuleset(graph.program()));
  const of = (family: Family) => rulesets.map((ruleset) => metOf(ruleset, family));
  return { 4: of(4), 6: of(6) };
}

/** A process takes its time to begin: NFTPOL_RUNS=5 kills more of them. */
const KILLS = 4 * Number(process.env.NFTPOL_RUNS ?? 1);

/** What our programs are called. */
const OUR_PROGRAM = /^(ipset|ip6?tables|xtables)/;

/** Those that work in the namespace. */
function programsAtWork({ xtables: { procNet } }: IptablesKernelBench): readonly string[] {
  const namespace = readlinkSync(join(procNet, "../ns/net"));
  return readdirSync("/proc").filter((pid) => {
    try {
      const isInside = /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/ns/net`) === namespace;
      return isInside && OUR_PROGRAM.test(readFileSync(`/proc/${pid}/comm`, "utf8"));
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
}

describeKernel(
  "the iptables backend when something dies",
  () => {
    describe.each(VARIANTS)("with the variant %s", (variant) => {
      const withBench = (body: (bench: IptablesKernelBench) => Promise<void>) => withIptablesKernelBench(variant, body);

      it("an agent that is killed leaves each family with old rules or new ones, and the next one adopts them", () =>
        withBench(async (bench) => {
          const { rules, open, found, expected } = bench;
          const graph = graphOf(...webAndClients, ...crowd(500));
          const without = graphOf(...webAndClients, ...crowd(500));
          graph.apply(eventOf(allowingPolicy("crowd", "web", "crowd", 9090)));
          const states = metOfBoth(without, graph);
          const seen = new Set<string>();
          let agent = startAgent(variant, bench);
          try {
            for (let round = 0; round < KILLS; round++) {
              const next = round + 1 < KILLS ? startAgent(variant, bench) : undefined;
              agent.stdin?.write("go\n");
              await saidLine(agent, String(round % 2));
              // In the middle of that change: in another place each time.
              await new Promise((resolve) => setTimeout(resolve, 5 * round));
              const ended = once(agent, "exit");
              agent.kill("SIGKILL");
              await ended;
              // What it has started ends its work.
              await expect.poll(() => programsAtWork(bench), { timeout: 30_000, interval: 5 }).toEqual([]);
              const { ruleset } = await rules();
              for (const family of FAMILIES) {
                expect(states[family]).toContain(metOf(ruleset, family));
                seen.add(`${family} ${states[family].indexOf(metOf(ruleset, family))}`);
              }
              expect(await open().install(graph.program())).toMatchObject({ how: "adopted" });
              expect(await found()).toBe(expected(graph));
              if (next !== undefined) agent = next;
            }
          } finally {
            agent.kill("SIGKILL");
          }
          expect(seen.size).toBeGreaterThan(1);
        }));

      it("programs that are killed in the middle of their work leave each family with old rules or new ones, and the next call goes on", () =>
        withBench(async (bench) => {
          const { open, rules, found, expected } = bench;
          const graph = graphOf(...webAndClients, ...crowd(500));
          const other = graphOf(...webAndClients, ...crowd(500));
          const policy = allowingPolicy("crowd", "web", "crowd", 9090);
          other.apply(eventOf(policy));
          const states = metOfBoth(graph, other);
          const backend = open();
          await backend.install(graph.program());
          const outcomes = new Set<string>();
          // On a busy machine a program may end before it is found; then a few more have to be tried.
          for (let round = 0; round < 10 || (!outcomes.has("broken") && round < 100); round++) {
            graph.apply(round % 2 === 0 ? eventOf(policy) : removalOf(policy));
            const writing = backend.apply(graph.flush()).then(
              ({ how }) => how,
              (error: { kind: string }) => error.kind,
            );
            const outcome = await killDuring(writing, bench, round % 5);
            outcomes.add(outcome);
            // Of new sets nothing has met anything: "refused".
            expect(["delta", "broken", "refused"]).toContain(outcome);
            const { ruleset } = await rules();
            for (const family of FAMILIES) expect(states[family]).toContain(metOf(ruleset, family));
            if (outcome !== "delta")
              expect(["repaired", "unchanged"]).toContain((await backend.apply(graph.flush())).how);
            // An old set that was not destroyed is no failure; reading takes it away.
            await backend.verify();
            expect(await found()).toBe(expected(graph));
          }
          expect([...outcomes]).toContain("broken");
        }));
    });

    it("a set that outgrows the room that it was made with is made anew with more, in one step", () =>
      withIptablesKernelBench("nft", async ({ open, rules }) => {
        const program = graphOf(...webAndClients).program();
        const isPeers = ({ family, elements }: ProgramSet) => family === 4 && [...elements].includes("10.1.0.1");
        const set = [...program.sets.values()].find(isPeers) as ProgramSet;
        const backend = open();
        await backend.install(program);
        const inKernel = async () => {
          const { sets } = (await rules()).ruleset;
          const found = [...sets.values()].filter(({ elements }) => elements.has("10.1.0.1"));
          return found.map(({ elements, maxElements }) => ({ size: elements.size, most: maxElements }));
        };
        expect(await inKernel()).toEqual([{ size: 3, most: 65_536 }]);
        const added = Array.from({ length: 65_534 }, (_, index) => `10.100.${index >> 8}.${index & 255}`);
        const nothing = { addedClasses: [], removedClasses: [], addedSets: [], removedSets: [], dispatch: [] };
        const elements = [{ set, added, removed: [], actions: new Set(["allow"] as const) }];
        expect(await backend.apply({ ...nothing, elements, closed: undefined })).toMatchObject({ how: "delta" });
        expect(await inKernel()).toEqual([{ size: 65_537, most: 262_144 }]);
      }));
  },
  XTABLES_PROGRAMS,
);

/** Ends the program number `index` that works from now on, and what works beside it. Returns what came of the writing. */
async function killDuring(writing: Promise<string>, bench: IptablesKernelBench, index: number): Promise<string> {
  let isEnded = false;
  void writing.then(() => {
    isEnded = true;
  });
  const seen = new Set<string>();
  while (!isEnded && seen.size <= index) {
    for (const pid of programsAtWork(bench)) {
      seen.add(pid);
      if (seen.size > index) kill(Number(pid));
    }
    await new Promise(setImmediate);
  }
  return writing;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was faster.
  }
}

function startAgent(variant: Variant, { xtables }: IptablesKernelBench): ChildProcess {
  const script = join(import.meta.dirname, "../support/iptables-backend-process.ts");
  return spawn(process.execPath, [script, variant, xtables.folder, xtables.procNet], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

async function saidLine({ stdout }: ChildProcess, text: string): Promise<void> {
  if (stdout === null) throw new Error("no output");
  for await (const line of createInterface(stdout)) if (line === text) return;
}
