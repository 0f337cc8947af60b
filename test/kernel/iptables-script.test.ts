// What `render --backend iptables` prints, run with the real programs in network namespaces: the rules are there afterwards, whatever of
// ours was there before, and nothing else has changed.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import type { XtablesPrograms } from "../../src/backends/iptables/io/xtables-programs.ts";
import { type FoundRules, readBack } from "../../src/backends/iptables/read-back.ts";
import type { IptablesRuleset } from "../../src/backends/iptables/ruleset.ts";
import { renderScript } from "../../src/backends/iptables/script.ts";
import { tagged } from "../../src/backends/iptables/set-tags.ts";
import { VARIANTS, type Variant } from "../../src/backends/iptables/xtables-version.ts";
import { fillStore } from "../../src/cli/input.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { loadManifests } from "../../src/manifests/load-manifests.ts";
import { nodeManifestFiles } from "../../src/manifests/manifest-files.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { comparableText, foundText } from "../support/comparable-iptables.ts";
import { hostileInput, hostileStore } from "../support/hostile-cluster.ts";
import { describeKernel } from "../support/kernel.ts";
import { runProgram } from "../support/netns.ts";
import { allowingPolicy, graphOf, numberedPod, SUITE_OPTIONS } from "../support/policy-cluster.ts";
import { savedLines, withVariant, XTABLES_PROGRAMS, type XtablesInNetns } from "../support/xtables-in-netns.ts";

const EXAMPLES = resolve(import.meta.dirname, "../../policies-examples");

async function exampleRulesets(): Promise<ReadonlyMap<string, IptablesRuleset>> {
  const folders = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const rulesets = new Map<string, IptablesRuleset>();
  for (const { name } of folders) {
    const loaded = await loadManifests([join(EXAMPLES, name)], { recursive: true, files: nodeManifestFiles });
    const { store, nodeNames } = fillStore(loaded).input;
    for (const node of nodeNames)
      rulesets.set(`${name} ${node}`, compileRuleset(new RuleGraph(store, node, SUITE_OPTIONS).program()));
  }
  return rulesets;
}

/** Runs it as its header says, with a shell that knows nothing but POSIX where there is one. */
async function runScript(
  script: string,
  variant: Variant,
  { sh, lockFile }: XtablesInNetns,
  folder = "/",
): Promise<string> {
  const programs = `IPTABLES=iptables-${variant} IP6TABLES=ip6tables-${variant} XTABLES_LOCKFILE='${lockFile}'`;
  return sh(`cd '${folder}'; ${programs} sh 2>&1 <<'NFTPOL SCRIPT'\n${script}NFTPOL SCRIPT\n`);
}

async function found(programs: XtablesPrograms, { ipset }: XtablesInNetns): Promise<FoundRules> {
  const rules = { 4: await programs.save(4), 6: await programs.save(6) };
  return readBack({ rules, sets: await ipset.save() });
}

const web = numberedPod(0, { app: "web" }, "n1");
const SMALL = compileRuleset(graphOf(web, allowingPolicy("web", "web", "client", 8080)).program());
const OTHER = compileRuleset(
  graphOf(web, numberedPod(1, { app: "db" }, "n1"), allowingPolicy("db", "db", "web", 5432)).program(),
);
/** No pods: chains and no classes, no INPUT and no OUTPUT. */
const NOBODY = compileRuleset(new RuleGraph(new ClusterStore(), "n1", DEFAULT_PROGRAM_OPTIONS).program());

describeKernel("the script", () => {
  it("is written in the shell's own language, and in no other's", async () => {
    const { code, stderr } = await runProgram(["sh", "-n"], { input: renderScript(SMALL) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  describe.each(VARIANTS)("with iptables-%s", (variant) => {
    it("brings the rules of every other example about, over those of the one before", async () => {
      const rulesets = await exampleRulesets();
      expect(rulesets.size).toBeGreaterThan(45);
      await withVariant(variant, async (programs, xtables) => {
        for (const [name, ruleset] of [...rulesets].filter((_, index) => index % 2 === VARIANTS.indexOf(variant))) {
          expect(await runScript(renderScript(ruleset), variant, xtables)).toBe("");
          expect({ name, rules: foundText(await found(programs, xtables)) }).toEqual({
            name,
            rules: comparableText(ruleset),
          });
        }
      });
    });

    it("may be run again, also where another rule came before our jump", () =>
      withVariant(variant, async (programs, xtables) => {
        const script = renderScript(SMALL);
        await runScript(script, variant, xtables);
        await xtables.sh(`iptables-${variant} -I FORWARD -s 192.0.2.9 -j ACCEPT`);
        await xtables.sh(`iptables-${variant} -A FORWARD -m comment --comment nftpol -j NFTPOL-FORWARD`);
        expect(await runScript(script, variant, xtables)).toBe("");
        const { jumps, ...rest } = await found(programs, xtables);
        expect(foundText({ jumps, ...rest })).toBe(comparableText(SMALL));
        expect(jumps[4].filter(({ chain }) => chain === "FORWARD")).toMatchObject([{ position: 0 }]);
      }));

    it("takes away what is not needed any more: sets, chains, jumps, and names of an agent's sets", () =>
      withVariant(variant, async (programs, xtables) => {
        await runScript(renderScript(tagged(OTHER, () => 7)), variant, xtables);
        await runScript(renderScript(OTHER), variant, xtables);
        expect(foundText(await found(programs, xtables))).toBe(comparableText(OTHER));
        await runScript(renderScript(NOBODY), variant, xtables);
        expect(foundText(await found(programs, xtables))).toBe(comparableText(NOBODY));
      }));

    it("leaves other software's rules and sets alone", () =>
      withVariant(variant, async (programs, xtables) => {
        await xtables.ipset.restore("create KUBE-SET hash:ip\nadd KUBE-SET 192.0.2.1\n");
        const theirs = [
          "-N KUBE-FORWARD",
          '-A KUBE-FORWARD -m comment --comment "-A FORWARD -m comment --comment nftpol -j NFTPOL-X" -j ACCEPT',
          "-A FORWARD -m set --match-set KUBE-SET src -j KUBE-FORWARD",
        ];
        for (const rule of theirs) await xtables.sh(`iptables-${variant} ${rule}`);
        const before = await savedLines(programs, 4);
        const set = await xtables.ipset.save();
        for (const ruleset of [SMALL, OTHER]) await runScript(renderScript(ruleset), variant, xtables);
        const lines = (await savedLines(programs, 4)).filter((line) => !/^(:|-A )NFTPOL-|-j NFTPOL-[A-Z]+$/.test(line));
        expect(lines).toEqual(before);
        expect(await xtables.ipset.save()).toContain(set);
      }));

    it("exchanges a set that is of another size, or holds what it should not", () =>
      withVariant(variant, async (programs, xtables) => {
        const ingress = SMALL.sets.get("NFTPOL-ingress4");
        if (ingress === undefined) throw new Error("nobody is judged");
        const larger = { ...ingress, maxElements: 2 * ingress.maxElements, elements: new Set(["192.0.2.3"]) };
        const other = { ...SMALL, sets: new Map(SMALL.sets).set(ingress.name, larger) };
        await runScript(renderScript(other), variant, xtables);
        expect(foundText(await found(programs, xtables))).toBe(comparableText(other));
        await runScript(renderScript(SMALL), variant, xtables);
        const after = await found(programs, xtables);
        expect(foundText(after)).toBe(comparableText(SMALL));
        expect(after.ruleset.sets.get(ingress.name)?.maxElements).toBe(ingress.maxElements);
      }));

    it("changes no rule where somebody else's leads to a chain that should go, and fails", () =>
      withVariant(variant, async (programs, xtables) => {
        await runScript(renderScript(SMALL), variant, xtables);
        await xtables.sh(`iptables-${variant} -A OUTPUT -j NFTPOL-INGRESS; iptables-${variant} -N NFTPOL-OLD`);
        await xtables.sh(`iptables-${variant} -A OUTPUT -j NFTPOL-OLD`);
        const before = await savedLines(programs, 4);
        await expect(runScript(renderScript(OTHER), variant, xtables)).rejects.toThrow();
        expect(await savedLines(programs, 4)).toEqual(before);
      }));

    it("says which set it could not remove, since the other variant looks it up", () =>
      withVariant(variant, async (programs, xtables) => {
        const other = VARIANTS.find((each) => each !== variant) as Variant;
        await runScript(renderScript(SMALL), variant, xtables);
        const [name = ""] = [...SMALL.sets.keys()].filter((set) => !NOBODY.sets.has(set));
        await xtables.sh(`iptables-${other} -A INPUT -m set --match-set ${name} src`);
        expect((await runScript(renderScript(NOBODY), variant, xtables)).replace(/^# Warning: .*\n/gm, "")).toBe(
          `the set ${name} is of older rules and stays: it is in use (by the other variant of iptables?)\n`,
        );
        expect((await found(programs, xtables)).ruleset.sets.size).toBe(NOBODY.sets.size + 1);
      }));

    it("takes no text of cluster objects for a command", () =>
      withVariant(variant, async (programs, xtables) => {
        const folder = mkdtempSync(join(tmpdir(), "nfpt-script-"));
        try {
          for (const input of fc.sample(hostileInput, { seed: 6, numRuns: 6 })) {
            const ruleset = compileRuleset(new RuleGraph(hostileStore(input), "node", SUITE_OPTIONS).program());
            expect(await runScript(renderScript(ruleset), variant, xtables, folder)).toBe("");
            expect(foundText(await found(programs, xtables))).toBe(comparableText(ruleset));
          }
          expect(readdirSync(folder)).toEqual([]);
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      }));
  });
}, [...XTABLES_PROGRAMS, "awk"]);
