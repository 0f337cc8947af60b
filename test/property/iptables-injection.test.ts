// Hostile text in objects never leaves its comment in what is given to a shell, to iptables and to ipset: names, labels and port names
// are put into the model past all validation. The same with the real programs: test/kernel/iptables-script.test.ts.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { rulesetData } from "../../src/backends/iptables/json.ts";
import { MAX_CHAIN_NAME, MAX_SET_NAME } from "../../src/backends/iptables/names.ts";
import { parseRule } from "../../src/backends/iptables/parse-rule.ts";
import { differenceTo, NOTHING_DESIRED } from "../../src/backends/iptables/repair.ts";
import type { IptablesRuleset } from "../../src/backends/iptables/ruleset.ts";
import { renderScript } from "../../src/backends/iptables/script.ts";
import { stageText } from "../../src/backends/iptables/stages.ts";
import { ruleText } from "../../src/backends/iptables/text.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { FAMILIES } from "../../src/net/address.ts";
import type { ProgramOptions } from "../../src/program/program.ts";
import { type HostileInput, hostileInput, hostileStore } from "../support/hostile-cluster.ts";
import { SUITE_OPTIONS } from "../support/policy-cluster.ts";
import { checkProperty } from "../support/property.ts";

const OPTIONS: ProgramOptions = SUITE_OPTIONS;
const printInput = (each: HostileInput) => JSON.stringify(each, undefined, 2);

function compiled(each: HostileInput): IptablesRuleset {
  const ruleset = compileRuleset(new RuleGraph(hostileStore(each), "node", OPTIONS).program());
  expect(ruleset.sets.get("NFTPOL-ingress4")?.elements.size).toBeGreaterThan(0);
  return ruleset;
}

const NAME = "NFTPOL-[A-Za-z0-9-]+";
/** Comments and log prefixes: printable, without what would end them; an apostrophe is escaped, as iptables-save does it. */
const QUOTED = '"(?:[ !#-&(-[\\]-~]|\\\\\')*"';
const WORD = "[A-Za-z0-9./:,!-]+";
const FREE = `--comment (?:${QUOTED}|[\\w-]+)|--nflog-prefix ${QUOTED}|--bytecode "[0-9 ,]+"`;
const RULE_LINE = new RegExp(
  `^-[AID] (?:${NAME}|FORWARD 1|INPUT 1|OUTPUT 1|FORWARD|INPUT|OUTPUT)(?: (?:${FREE}|${WORD}))* -[jg] (?:RETURN|DROP|NFLOG|${NAME})(?: --nflog-(?:prefix ${QUOTED}|group 100))*$`,
);
const OTHER_LINES = new RegExp(`^(?:\\*filter|COMMIT|:${NAME} - \\[0:0\\]|-X ${NAME})$`);
const SET_LINE = new RegExp(
  `^(?:create ${NAME} hash:(?:ip|net|ip,port) family inet6? hashsize \\d+ maxelem \\d+|(?:add|del) ${NAME} [0-9a-f:./]+(?:,(?:tcp|udp|sctp):\\d+)?|destroy ${NAME})$`,
);

function expectRules(text: string): void {
  for (const line of text.split("\n").slice(0, -1))
    expect(line).toMatch(line.startsWith("-X") || !line.startsWith("-") ? OTHER_LINES : RULE_LINE);
}

function expectSets(text: string): void {
  for (const line of text.split("\n").slice(0, -1)) expect(line).toMatch(SET_LINE);
}

const DOCUMENT = /^ {2}cat <<'END'\n([\s\S]*?)^END\n/gm;

/** What a shell gives to the programs, and the script without it. */
function taken(script: string): { readonly documents: readonly string[]; readonly rest: string } {
  return { documents: [...script.matchAll(DOCUMENT)].map(([, text = ""]) => text), rest: script.replace(DOCUMENT, "") };
}

const OWN_LINES = taken(renderScript(NOTHING_DESIRED)).rest;

test("in the script nothing but its three documents depends on objects, and their lines are commands of ours", () => {
  checkProperty(
    hostileInput,
    (each) => {
      const ruleset = compiled(each);
      const { documents, rest } = taken(renderScript(ruleset));
      expect(rest).toBe(OWN_LINES);
      const [sets = "", ...rules] = documents;
      expect(rules).toHaveLength(2);
      expectSets(sets);
      for (const text of rules) expectRules(text);
      expect(sets.match(/^create /gm)).toHaveLength(ruleset.sets.size);
      for (const [index, family] of FAMILIES.entries()) {
        const count = [...ruleset.chains[family].values()].reduce((sum, chain) => sum + chain.rules.length, 0);
        expect(rules[index]?.match(/^-/gm)).toHaveLength(count);
        for (const name of ruleset.chains[family].keys()) expect(name.length).toBeLessThanOrEqual(MAX_CHAIN_NAME);
      }
      for (const name of ruleset.sets.keys()) expect(name.length).toBeLessThanOrEqual(MAX_SET_NAME);
    },
    { runs: 200, print: printInput },
  );
});

test("a shell hands the documents to the programs as they are, and does nothing else", () => {
  const folder = mkdtempSync(join(tmpdir(), "nfpt-injection-"));
  try {
    for (const each of fc.sample(hostileInput, { seed: 3, numRuns: 25 })) {
      const script = renderScript(compiled(each));
      const { documents } = taken(script);
      // Its functions print the documents; the steps are left out.
      const functions = script.slice(0, script.indexOf("# A set that is there"));
      const { status, stderr } = spawnSync("sh", ["-s"], {
        cwd: folder,
        input: `${functions}\nsets > got-sets; rules4 > got-rules4; rules6 > got-rules6\n`,
        encoding: "utf8",
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(readdirSync(folder).sort()).toEqual(["got-rules4", "got-rules6", "got-sets"]);
      const got = ["got-sets", "got-rules4", "got-rules6"].map((name) => readFileSync(join(folder, name), "utf8"));
      expect(got).toEqual(documents);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("what the agent writes are the same kinds of lines, and each rule is read back as it was meant", () => {
  checkProperty(
    hostileInput,
    (each) => {
      const ruleset = compiled(each);
      const found = { ruleset: NOTHING_DESIRED, jumps: { 4: [], 6: [] }, unknown: [] };
      for (const stage of differenceTo(found, ruleset).stages)
        (stage.kind === "rules" ? expectRules : expectSets)(stageText(stage));
      for (const family of FAMILIES) {
        for (const { name, rules } of ruleset.chains[family].values()) {
          for (const rule of rules) {
            const text = ruleText(rule, family);
            expect(ruleText(parseRule(`-A ${name} ${text}`, family) ?? rule, family)).toBe(text);
            expect(parseRule(`-A ${name} ${text}`, family)).toEqual(rule);
          }
        }
      }
    },
    { runs: 100, print: printInput },
  );
});

test("in JSON text of objects is a word of its own behind --comment or --nflog-prefix", () => {
  checkProperty(
    hostileInput,
    (each) => {
      const { chains, sets } = JSON.parse(JSON.stringify(rulesetData(compiled(each)))) as ReturnType<
        typeof rulesetData
      >;
      for (const { rules } of [...chains.IPv4, ...chains.IPv6]) {
        for (const words of rules) {
          for (const [index, word] of words.entries()) {
            const option = words[index - 1];
            if (option === "--comment") expect(word).toMatch(/^[ !#-[\]-~]{1,120}$/);
            else if (option === "--nflog-prefix") expect(word).toMatch(/^nftpol [\w.~-]+ $/);
            else if (option === "--bytecode") expect(word).toMatch(/^[\d ,]+$/);
            else expect(word).toMatch(new RegExp(`^${WORD}$`));
          }
        }
      }
      for (const { name, elements } of sets) {
        expect(name).toMatch(new RegExp(`^${NAME}$`));
        for (const element of elements) expect(element).toMatch(/^(10\.|fd00::|[\da-f:./]+$)/);
      }
    },
    { runs: 100, print: printInput },
  );
});
