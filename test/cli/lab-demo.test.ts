// The demo without packets, and its story on a stage that lies. With packets: test/packets/lab-demo.test.ts.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { COMMANDS } from "../../src/cli/command-table.ts";
import { listFlows } from "../../src/cli/lab/demo/flows.ts";
import { changesOf, reachTable } from "../../src/cli/lab/demo/reach.ts";
import { DemoScreen } from "../../src/cli/lab/demo/screen.ts";
import { DemoShop, POLICY_FILES, SHOP_FOLDER } from "../../src/cli/lab/demo/shop.ts";
import { computedStage, type DemoStage, meantAnswers } from "../../src/cli/lab/demo/stage.ts";
import { tellStory } from "../../src/cli/lab/demo/story.ts";
import { runInMemory } from "./in-memory-run.ts";
import { PROJECT } from "./run-nftpol.ts";

const ESCAPE = "\u001b";

function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => line.length));
}

describe("nftpol lab demo without root", () => {
  beforeEach(() => {
    vi.spyOn(process, "geteuid").mockReturnValue(1000);
  });

  it("says so, tells the same story as computed, and ends with 0", async () => {
    const { code, stdout, stderr } = await runInMemory(["lab", "demo"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("No packets are sent: the lab makes network namespaces, which only root may.");
    for (const file of POLICY_FILES) expect(stdout).toContain(file);
    expect(stdout).toMatch(/^ {3}closed {2}.*frontend.* → db$/m);
    expect(stdout).toMatch(/^ {3}deny {3}egress of shop\/api-0$/m);
    expect(stdout).toMatch(/its table = the policies, for every packet: [\d,]+ packet classes/);
    expect(stdout).not.toMatch(/measured|in its kernel|namespaces are gone/);
  });

  it.each([100, 80, 72, 200])("fits a terminal of %i columns, and is never wider than 100", async (columns) => {
    const { stdout } = await runInMemory(["lab", "demo"], { columns });
    expect(widest(stdout)).toBeLessThanOrEqual(Math.min(columns, 100));
  });

  it("has colours where they are wanted only, and says the same with and without", async () => {
    const plain = await runInMemory(["lab", "demo"]);
    const colourful = await runInMemory(["lab", "demo"], { colour: true });
    expect(plain.stdout).not.toContain(ESCAPE);
    expect(colourful.stdout).toContain(`${ESCAPE}[31mclosed`);
    expect(colourful.stdout.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, "g"), "")).toBe(plain.stdout);
  });

  it("names only commands that there are", async () => {
    const { stdout } = await runInMemory(["lab", "demo"]);
    const commands = [...stdout.matchAll(/bin\/nftpol (\w+)(?: (run|shell|demo))?/g)];
    expect(commands.length).toBeGreaterThan(3);
    for (const [, verb, action] of commands) {
      const spec = COMMANDS.find(({ name }) => name === verb);
      expect(spec, verb).toBeDefined();
      if (action !== undefined) expect(spec?.arguments[0]?.choices).toContain(action);
    }
  });

  it("takes no manifests: it has its own", async () => {
    const { code, stderr } = await runInMemory(["lab", "demo", "-f", SHOP_FOLDER]);
    expect(code).toBe(2);
    expect(stderr).toContain("nftpol lab run -f");
  });

  it("is for people: no other output", async () => {
    expect(await runInMemory(["lab", "demo", "-o", "json"])).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("the demo's story", () => {
  it("shows every policy file of the shop, and ends with all of them in force", async () => {
    const files = readdirSync(join(PROJECT, SHOP_FOLDER)).filter((name) => /^[1-9].*\.yaml$/.test(name));
    expect([...POLICY_FILES].sort()).toEqual(files.sort());
    const shop = await DemoShop.read();
    for (const file of POLICY_FILES) expect(shop.words(file)).toMatch(/^[A-Z].*\.$/);
  });

  it("takes one line from one file, and closes the way from the api to the search with it", async () => {
    const shop = await DemoShop.read();
    expect(shop.removedLine().lines.filter(({ isRemoved }) => isRemoved)).toEqual([
      { text: expect.stringMatching(/^ *- search$/), isRemoved: true },
    ]);
    const [before, after] = [await shop.state(POLICY_FILES), await shop.tightenedState()];
    const flows = listFlows(before.store);
    expect(changesOf(flows, meantAnswers(before, flows), meantAnswers(after, flows))).toEqual([
      { kind: "closed", from: ["api"], to: ["search:9200"] },
    ]);
  });

  it("names each end as people do, and a port only where it is not all that is served", async () => {
    const shop = await DemoShop.read();
    const state = await shop.state(POLICY_FILES);
    const flows = listFlows(state.store);
    const { columns, rows } = reachTable(flows, meantAnswers(state, flows));
    const cell = (from: string, to: string) => rows.find((row) => row.from === from)?.cells[columns.indexOf(to)]?.text;
    expect(cell("frontend", "api")).toBe("8080");
    expect(cell("frontend", "db")).toBe("-");
    expect(cell("frontend", "coredns")).toBe("53");
    expect(cell("prometheus", "coredns")).toBe("all");
    expect(cell("payments", "provider")).toBe("all");
    expect(cell("payments", "provider-test")).toBe("-");
  });

  it("ends with 1 and says what was seen when a flow that policies deny gets through", async () => {
    const { code, text } = await tellWith({
      async see(state, flows) {
        const { answers } = await computedStage.see(state, flows);
        const leak = flows.findIndex(({ from, to }) => from.label === "frontend" && to.label === "db");
        return { answers: answers.with(leak, true), how: "measured" };
      },
    });
    expect(code).toBe(1);
    expect(text).toContain("WRONG  shop/frontend-0 → shop/db-0:5432/TCP should be stopped, and gets through");
    expect(text).not.toContain("Policy file 2");
  });

  it("ends with 1 when a flow that policies allow does not get through", async () => {
    const { code, text } = await tellWith({
      async see(state, flows) {
        const { answers } = await computedStage.see(state, flows);
        return { answers: answers.with(0, false), how: "measured" };
      },
    });
    expect(code).toBe(1);
    expect(text).toContain("should get through, and does not");
  });

  it("ends with 1 when a connection does what it should not", async () => {
    const { code, text } = await tellWith({ tighten: async () => ["it should be cut, and is still answered"] });
    expect(code).toBe(1);
    expect(text).toContain("WRONG  it should be cut, and is still answered");
    expect(text).not.toContain("Why?");
  });

  it("ends with 1 when the rules found mean something else", async () => {
    const shop = await DemoShop.read();
    const other = await shop.state(["70-db.yaml"]);
    const { code, text } = await tellWith({ ruleset: (_state, node) => computedStage.ruleset(other, node) });
    expect(code).toBe(1);
    expect(text).toMatch(/WRONG {2}the rules of node-1 are not proven: different/);
  });
});

async function tellWith(lie: Partial<DemoStage>): Promise<{ readonly code: number; readonly text: string }> {
  let text = "";
  const stdout = (more: string) => {
    text += more;
  };
  const screen = new DemoScreen({ stdout, colour: false, columns: 100 }, false);
  const code = await tellStory(await DemoShop.read(), { ...computedStage, ...lie }, screen);
  return { code, text };
}
