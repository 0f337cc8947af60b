// Usage: help, wrong words, completion in a real bash, the kube context that is not there.

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/command-table.ts";
import { runInMemory } from "./in-memory-run.ts";
import { folderOf, runBash, runNftpol } from "./run-nftpol.ts";

const SHOP = "policies-examples/shop";
const TWO_NODES = "policies-examples/24-multi-node";

describe("help", () => {
  it("of the program names every verb and the exit codes", async () => {
    const { code, stdout, stderr } = await runNftpol(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const { name, summary } of COMMANDS)
      expect(stdout).toMatch(new RegExp(`^  ${name} .*${summary.slice(0, 20)}`, "m"));
    expect(stdout).toContain("Exit codes:");
  });

  it.each(COMMANDS.map(({ name }) => name))("of %s has its options and examples", async (name) => {
    const spec = COMMANDS.find((each) => each.name === name);
    const { code, stdout, stderr } = await runNftpol([name, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: nftpol ${name}`));
    expect(stdout).toMatch(/^Examples:$/m);
    for (const { command } of spec?.examples ?? []) expect(stdout).toContain(`\n  ${command}\n`);
    for (const { flags } of spec?.options ?? []) expect(stdout).toContain(`  ${flags}`);
    expect((await runNftpol(["help", name])).stdout).toBe(stdout);
  });
});

describe("what the agent is for", () => {
  it.each([80, 100])("fills its lines at %d columns", async (columns) => {
    const { stdout } = await runInMemory(["agent", "--help"], { columns });
    const [, , paragraph = ""] = stdout.split("\n\n");
    const lines = paragraph.split("\n");
    expect(paragraph).toMatch(/^Watches the API server/);
    expect(lines.slice(0, -1).filter((line) => line.length < columns - 20 || line.length > columns)).toEqual([]);
  });
});

describe("wrong usage ends with exit code 2, nothing on stdout and a way out", () => {
  it.each([
    ["an unknown verb", ["matrx"], /unknown verb "matrx"\n.*did you mean matrix\?/],
    ["an unknown verb like nothing", ["zzzzzz"], /unknown verb "zzzzzz"\n.*nftpol --help/],
    ["an unknown option", ["matrix", "--outpt", "json", "-f", SHOP], /--outpt[\s\S]*Did you mean --output\?/],
    ["an unknown format", ["matrix", "-o", "jsn", "-f", SHOP], /'jsn' is invalid.*table, wide, json/],
    ["a missing argument", ["explain", "shop/api"], /missing required argument 'TO'/],
    ["a manifest without -f", ["render", SHOP], /unexpected argument.*\n.*-f policies-examples\/shop/],
    ["an unknown pod", ["explain", "shop/nope", "shop/api", "80", "-f", SHOP], /no pod or workload shop\/nope/],
    ["a port that is none", ["explain", "shop/api", "shop/db", "99999", "-f", SHOP], /99999/],
    ["no bound", ["prove", "-f", SHOP, "--max-packets", "0"], /--max-packets/],
  ])("%s", async (_name, args, message) => {
    const { code, stdout, stderr } = await runNftpol(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe("the choice of a node", () => {
  it.each(["render", "graph"])("%s asks which one where there are several", async (verb) => {
    const { code, stdout, stderr } = await runNftpol([verb, "-f", TWO_NODES]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("say which one with --node NAME");
    expect(stderr).toContain("nodes: worker-1, worker-2");
  });

  it.each(["render", "graph", "prove"])("%s refuses a node that is not there", async (verb) => {
    const { code, stdout, stderr } = await runNftpol([verb, "-f", TWO_NODES, "--node", "worker-9"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain('no node "worker-9" in the input');
    expect(stderr).toContain("did you mean worker-1?");
  });

  it("render --node all needs a folder to write to, and writes one file for each node", async () => {
    expect(await runNftpol(["render", "-f", TWO_NODES, "--node", "all"])).toMatchObject({ code: 2, stdout: "" });
    const out = folderOf({});
    expect(await runNftpol(["render", "-f", TWO_NODES, "--node", "all", "--output-dir", out])).toMatchObject({
      code: 0,
    });
    for (const node of ["worker-1", "worker-2"]) {
      const { stdout } = await runNftpol(["render", "-f", TWO_NODES, "--node", node]);
      const { stdout: written } = await runBash('cat "$FILE"', { env: { FILE: join(out, `${node}.nft`) } });
      expect(written).toBe(stdout);
    }
  });

  it("prove takes every node by itself", async () => {
    const { code, stdout } = await runNftpol(["prove", "-f", TWO_NODES]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^node worker-1: equal: .*\nnode worker-2: equal: .*\n$/);
  });
});

describe("no manifests and no kube context", () => {
  it.each(["render", "matrix", "prove", "graph", "lint"])(
    "%s ends with exit code 3 and says what to do",
    async (verb) => {
      const home = folderOf({});
      const kubeconfig = join(home, "none");
      const { code, stdout, stderr } = await runNftpol([verb], { env: { HOME: home, KUBECONFIG: kubeconfig } });
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toContain(`KUBECONFIG names ${kubeconfig}, which does not exist`);
      expect(stderr).toMatch(/manifests with -f/);
    },
  );

  it("without KUBECONFIG, the message names the usual place", async () => {
    const home = folderOf({});
    const { code, stdout, stderr } = await runNftpol(["matrix"], { env: { HOME: home, KUBECONFIG: "" } });
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(/^nftpol: .*kubeconfig/);
  });
});

describe("completion", () => {
  /** What bash offers for the last of these words. */
  async function completed(...words: string[]): Promise<string[]> {
    const script = `source <(nftpol completion bash)
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}) COMP_CWORD=${words.length - 1}
      _nftpol && printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { code, stdout, stderr } = await runBash(script);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout.split("\n").filter((line) => line !== "");
  }

  it("bash knows the verbs", async () => {
    expect(await completed("nftpol", "ma")).toEqual(["matrix"]);
    expect(await completed("nftpol", "")).toEqual(expect.arrayContaining(COMMANDS.map(({ name }) => name)));
  });

  it("bash knows the values of -o", async () => {
    expect(await completed("nftpol", "matrix", "-o", "")).toEqual("table wide json csv md mermaid dot html".split(" "));
    expect(await completed("nftpol", "test", "--output", "j")).toEqual(["json", "junit"]);
  });

  it("bash knows options and arguments of a verb", async () => {
    expect(await completed("nftpol", "prove", "--max")).toEqual(["--max-packets"]);
    expect(await completed("nftpol", "completion", "z")).toEqual(["zsh"]);
  });

  it("is registered for both names", async () => {
    const { stdout } = await runBash("source <(nftpol completion bash); complete -p nftpol kubectl-nftpol");
    expect(stdout).toBe("complete -F _nftpol nftpol\ncomplete -F _nftpol kubectl-nftpol\n");
  });

  it.each(["zsh", "fish"])("for %s names every verb", async (shell) => {
    const { code, stdout } = await runNftpol(["completion", shell]);
    expect(code).toBe(0);
    for (const { name } of COMMANDS) expect(stdout).toContain(name);
  });

  it("refuses another shell", async () => {
    expect(await runNftpol(["completion", "tcsh"])).toMatchObject({ code: 2, stdout: "" });
  });
});
