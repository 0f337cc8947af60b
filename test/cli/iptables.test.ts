// `render`, `explain` and `prove` with the second backend: which form is written, what contradicts, and what scripts read.
// What is in a kernel: test/kernel/rules-in-force.test.ts.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RulesetData } from "../../src/backends/iptables/json.ts";
import { runInMemory } from "./in-memory-run.ts";
import { FILES } from "./small-cluster.ts";

const INPUT = ["-f", "c"];

async function render(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runInMemory(["render", ...INPUT, ...words], { files: FILES });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
}

describe("render", () => {
  it("takes what is not said from what is", async () => {
    const nft = await render();
    expect(nft).toMatch(/^table inet nftpol\n/);
    for (const words of [
      ["--backend", "nft"],
      ["-o", "nft"],
      ["-o", "nft", "--backend", "nft"],
    ])
      expect(await render(...words)).toBe(nft);
    const script = await render("--backend", "iptables");
    expect(script).toMatch(/^#!\/bin\/sh\n/);
    for (const words of [
      ["-o", "iptables"],
      ["-o", "iptables", "--backend=iptables"],
    ])
      expect(await render(...words)).toBe(script);
    expect(await render("-o", "json")).toMatch(/^\{"nftables":/);
  });

  it.each<[sentence: string, words: readonly string[], message: string]>([
    [
      "text of nft for iptables",
      ["--backend", "iptables", "-o", "nft"],
      "-o nft is no form of rules of iptables\n  write -o iptables or -o json, or leave one of -o and --backend out",
    ],
    [
      "text of iptables for nft",
      ["--backend", "nft", "-o", "iptables"],
      "-o iptables is no form of rules of nft\n  write -o nft or -o json, or leave one of -o and --backend out",
    ],
    [
      "an option of nft for JSON of iptables",
      ["--backend", "iptables", "-o", "json", "--json-typeof"],
      "--json-typeof needs -o json, with nft\n  the text form declares sets by typeof anyway",
    ],
  ])("refuses %s before it reads anything", async (_, words, message) => {
    const { code, stdout, stderr } = await runInMemory(["render", "-f", "nowhere", ...words], { files: FILES });
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: `nftpol: ${message}\n` });
  });

  it("writes one script for each node", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nftpol-cli-"));
    try {
      const run = await runInMemory(["render", ...INPUT, "-o", "iptables", "--node", "all", "--output-dir", folder], {
        files: FILES,
      });
      expect(run).toMatchObject({ code: 0, stdout: "" });
      expect(readFileSync(join(folder, "worker-1.sh"), "utf8")).toBe(await render("-o", "iptables"));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("has in JSON what the script has, as data", async () => {
    const script = await render("-o", "iptables");
    const json = JSON.parse(await render("--backend", "iptables", "-o", "json")) as RulesetData;
    expect(json).toMatchObject({ apiVersion: "nftpol/v1", kind: "IptablesRules", node: "worker-1" });
    const said = Object.values(json.chains).flatMap((chains) =>
      chains.flatMap(({ name, builtIn, rules }) =>
        rules.map((words) => [...(builtIn ? ["-I", name, "1"] : ["-A", name]), ...words]),
      ),
    );
    expect(said.filter(([option]) => option === "-I")).toHaveLength(2);
    expect(said).toEqual([...script.matchAll(/^-[AI] .*$/gm)].map(([line]) => wordsOf(line)));
    for (const { name, type, family, maxElements, elements } of json.sets) {
      const declared = `create ${name} ${type} family ${family === "IPv4" ? "inet" : "inet6"} hashsize 64 maxelem ${maxElements}\n`;
      expect(script).toContain([declared, ...elements.map((element) => `add ${name} ${element}\n`)].join(""));
    }
    expect(script.match(/^create /gm)).toHaveLength(json.sets.length);
    expect(script.match(/^add /gm)).toHaveLength(json.sets.flatMap(({ elements }) => elements).length);
  });
});

describe("explain", () => {
  const words = ["explain", "ops/tool", "shop/api", "9090/TCP", ...INPUT];

  it("shows the rules of iptables that the packet meets, down to the drop", async () => {
    const { code, stdout } = await runInMemory([...words, "--backend", "iptables"], { files: FILES });
    expect(code).toBe(0);
    const [, rules = ""] = stdout.split("iptables rules on node worker-1 (forwarded):\n");
    expect(rules).toMatch(
      /^ {2}FORWARD, rule 1\n {4}-m comment --comment nftpol -j NFTPOL-FORWARD\n {2}NFTPOL-FORWARD, rule \d+\n {4}-m set --match-set NFTPOL-ingress4 dst -j NFTPOL-INGRESS\n/,
    );
    expect(rules).toMatch(/\n {2}NFTPOL-DROP-INGRESS, rule 1\n {4}-j DROP\n {2}deny\n$/);
    expect(stdout).not.toContain("nft rules");
  });

  it("says the same of the policies as with nft, which it shows by default", async () => {
    const iptables = await runInMemory([...words, "--backend", "iptables"], { files: FILES });
    const nft = await runInMemory(words, { files: FILES });
    const before = (text: string) => text.slice(0, text.indexOf("rules on node")).replace(/\n\w+ $/, "");
    expect(before(nft.stdout)).toBe(before(iptables.stdout));
    expect(nft.stdout).toContain("nft rules on node worker-1");
  });

  it.each(["nft", "iptables"])("names %s in JSON", async (backend) => {
    const { stdout } = await runInMemory([...words, "--backend", backend, "-o", "json"], { files: FILES });
    expect(JSON.parse(stdout).flows).toMatchObject([
      { rulesAgree: true, packets: [{ node: "worker-1", backend, verdict: "drop" }] },
    ]);
  });
});

describe("prove", () => {
  const prove = (...words: readonly string[]) => runInMemory(["prove", ...INPUT, ...words], { files: FILES });

  it("proves the rules of iptables, and says that they are", async () => {
    expect(await prove("--backend", "iptables")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^node worker-1 \(iptables\): equal: \d+ packet classes, \d+ pairs\n$/),
    });
  });

  it.each(["nft", "iptables"])("names %s in JSON", async (backend) => {
    const { stdout } = await prove("--backend", backend, "-o", "json");
    expect(JSON.parse(stdout).nodes).toEqual([
      {
        node: "worker-1",
        backend,
        outcome: "equal",
        foreign: [],
        packetClasses: expect.any(Number),
        pairs: expect.any(Number),
        exhaustive: true,
      },
    ]);
  });

  it.each([
    ["of rendered rules", ["--iptables-variant", "legacy", "--backend", "iptables"]],
    ["of nft", ["--iptables-variant", "legacy", "--backend", "nft", "--live"]],
  ])("knows no variant %s", async (_, words) => {
    expect(await prove(...words)).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "nftpol: --iptables-variant means nothing without --live, or with --backend=nft\n  rendered rules of iptables are the same for both variants\n",
    });
  });
});
