// What is rendered for iptables is what the kernel holds, with both variants: every golden case, every example on every node, and random
// programs read back as compiled, and the difference leads from each to the next.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { describeDrift } from "../../src/backends/iptables/drift.ts";
import { IptablesKernelRules } from "../../src/backends/iptables/io/iptables-kernel-rules.ts";
import { differenceTo } from "../../src/backends/iptables/repair.ts";
import type { IptablesRuleset } from "../../src/backends/iptables/ruleset.ts";
import { tagged } from "../../src/backends/iptables/set-tags.ts";
import { VARIANTS } from "../../src/backends/iptables/xtables-version.ts";
import { fillStore } from "../../src/cli/input.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { type LoadedManifests, loadManifests } from "../../src/manifests/load-manifests.ts";
import { nodeManifestFiles } from "../../src/manifests/manifest-files.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../src/program/program.ts";
import { comparableText, foundText } from "../support/comparable-iptables.ts";
import { describeKernel } from "../support/kernel.ts";
import { loadTexts } from "../support/manifests.ts";
import { cluster, NODES, storeOf } from "../support/random-cluster.ts";
import { withXtables, XTABLES_PROGRAMS } from "../support/xtables-in-netns.ts";

const root = resolve(import.meta.dirname, "../..");
const EVERY_OPTION: ProgramOptions = { podToOwnNode: "enforce", serviceProxy: "ipvs", unknownLocalPods: "drop" };

interface NamedRules {
  readonly name: string;
  readonly ruleset: IptablesRuleset;
}

function rulesOf(name: string, loaded: LoadedManifests, options: ProgramOptions): NamedRules[] {
  const { store, nodeNames } = fillStore(loaded).input;
  return nodeNames.map((node) => ({
    name: `${name} ${node}`,
    ruleset: compileRuleset(new RuleGraph(store, node, options).program()),
  }));
}

async function goldenRules(): Promise<NamedRules[]> {
  const folder = join(root, "test/golden");
  const all = readdirSync(folder).map(async (name) => {
    const file = join(folder, name, "options.json");
    const options = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Partial<ProgramOptions>) : {};
    const loaded = await loadTexts({ [name]: readFileSync(join(folder, name, "input.yaml"), "utf8") });
    return rulesOf(name, loaded, { ...DEFAULT_PROGRAM_OPTIONS, ...options });
  });
  return (await Promise.all(all)).flat();
}

async function exampleRules(): Promise<NamedRules[]> {
  const folder = join(root, "policies-examples");
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const all = names.map(async ({ name }) => {
    const loaded = await loadManifests([join(folder, name)], { recursive: true, files: nodeManifestFiles });
    return rulesOf(name, loaded, EVERY_OPTION);
  });
  return (await Promise.all(all)).flat();
}

function randomRules(): NamedRules[] {
  return fc.sample(cluster, { seed: 7, numRuns: 12 }).map((objects, index) => ({
    name: `random ${index}`,
    ruleset: compileRuleset(new RuleGraph(storeOf(objects), NODES[0], EVERY_OPTION).program()),
  }));
}

/** Blocks that the C library writes in another way than we do: in rules, and enough of them for a set. */
const MAPPED = `
apiVersion: v1
kind: Node
metadata: { name: n1 }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: x }
spec: { nodeName: n1, containers: [] }
status: { phase: Running, podIPs: [{ ip: "fd00::1" }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: a, namespace: x }
spec:
  podSelector: {}
  policyTypes: [Egress, Ingress]
  egress: [{ to: [{ ipBlock: { cidr: "::/64", except: ["::fffe:0:0/96"] } }] }]
  ingress: [{ from: [{ ipBlock: { cidr: "::fffe:0:0/95", except: ["::fffe:0:0/96"] } }, { ipBlock: { cidr: "::/112" } }] }]
`;

describeKernel(
  "rules of iptables in the kernel",
  () => {
    let all: readonly NamedRules[];
    beforeAll(async () => {
      const mapped = rulesOf("mapped", await loadTexts({ "mapped.yaml": MAPPED }), EVERY_OPTION);
      all = [...(await goldenRules()), ...(await exampleRules()), ...randomRules(), ...mapped];
    });

    it.each(VARIANTS)("are what was compiled, with the variant %s", (variant) =>
      withXtables(async ({ settings, ipset, procNet }) => {
        expect(all.length).toBeGreaterThanOrEqual(30);
        const kernel = new IptablesKernelRules({ variant, xtables: settings, ipset, procNet, watchEveryMs: 0 });
        let found = await kernel.read();
        for (const { name, ruleset } of all) {
          await kernel.write(differenceTo(found, ruleset).stages);
          found = await kernel.read();
          expect({ name, rules: foundText(found) }).toEqual({ name, rules: comparableText(ruleset) });
          const { stages, sets } = differenceTo(found, ruleset);
          const goal = tagged(ruleset, (set) => sets.get(set)?.tag ?? 0);
          expect({ name, stages, differences: describeDrift(found, goal) }).toEqual({
            name,
            stages: [],
            differences: [],
          });
        }
      }),
    );
  },
  XTABLES_PROGRAMS,
);
