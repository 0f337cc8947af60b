// The demo with real packets, as people run it: what it shows, how it looks, how long it takes, what it leaves.

import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { findProgram } from "../../scripts/system-tools.ts";
import { type DemoFlow, listFlows } from "../../src/cli/lab/demo/flows.ts";
import { showOpenConnections } from "../../src/cli/lab/demo/open-connections.ts";
import { DemoScreen } from "../../src/cli/lab/demo/screen.ts";
import { DemoShop, POLICY_FILES } from "../../src/cli/lab/demo/shop.ts";
import { PROGRAM } from "../../src/cli/lab/demo/stage.ts";
import { withLab } from "../../src/lab/lab.ts";
import { describeKernel } from "../support/kernel.ts";
import { withNetns } from "../support/netns.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const NFTPOL = resolve(ROOT, "bin/nftpol");
/** It takes about ten; other suites may run beside it. */
const LONGEST_MS = 60_000;

interface DemoRun {
  readonly pid: number;
  text(): string;
  /** Resolves when the text is there. Rejects when the demo ends without. */
  shows(wanted: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly stderr: string;
  }>;
}

/** In a process group of its own; it becomes node without another process in between, so that its pid is in the lab's names. */
function startDemo(): DemoRun {
  const child = spawn(NFTPOL, ["lab", "demo"], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let stdout = "";
  let stderr = "";
  const waiting = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const wake of waiting) wake();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Awaited<DemoRun["ended"]>>((done, failed) => {
    child.on("error", failed).on("close", (code, signal) => done({ code, signal, stderr }));
  });
  return {
    pid: child.pid as number,
    text: () => stdout,
    shows: (wanted) =>
      new Promise((done, failed) => {
        const look = () => stdout.includes(wanted) && done();
        waiting.add(look);
        look();
        void ended.then(() => failed(new Error(`it ended without ${wanted}: ${stdout}${stderr}`)));
      }),
    kill: (signal) => process.kill(-(child.pid as number), signal),
    ended,
  };
}

/** Network namespaces and temporary folders whose name has the process's number in it. */
function ownedBy(pid: number): string[] {
  const isOwn = (name: string) => name.startsWith("nftpol-lab-") && name.split("-").includes(String(pid));
  const names = ["/run/netns", tmpdir()].flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []));
  return names.filter(isOwn);
}

describeKernel("nftpol lab demo", () => {
  it("measures what each policy closes, cuts a connection, explains, proves, and leaves nothing", async () => {
    const startedAt = performance.now();
    const demo = startDemo();
    await demo.shows("set up in");
    expect(ownedBy(demo.pid).length).toBeGreaterThan(13);
    const { code, stderr } = await demo.ended;
    const text = demo.text();
    expect({ code, stderr }, text).toEqual({ code: 0, stderr: "" });
    expect(performance.now() - startedAt).toBeLessThan(LONGEST_MS);
    expect(ownedBy(demo.pid)).toEqual([]);

    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(text).not.toContain("\u001b");

    expect(text).toMatch(/(\d+) of \1 flows open; measured with \d+ packets/);
    expect(text).toMatch(/^ {3}closed {2}.*frontend.* → db$/m);
    expect(text).toMatch(/^ {3}cut {3}api → search:9200 .*last answer \d+ ms after the change/m);
    expect(text).toMatch(/^ {3}open {2}api → payments:8443 .*the same connection goes on$/m);
    expect(text).toMatch(/connections cut that policies no longer allow" \([1-9]/);
    expect(text).toMatch(/^ {3}deny {3}egress of shop\/api-0$/m);
    expect(text).toMatch(/node-2 {2}the table in its kernel = the policies, for every packet: [\d,]+ packet classes/);
    expect(text).toContain("Nothing is left of the demo: its 14 namespaces are gone");
  });

  it("leaves nothing when Ctrl-C ends it in the middle", async () => {
    const demo = startDemo();
    await demo.shows("Policy file 3 of 8");
    expect(ownedBy(demo.pid).length).toBeGreaterThan(13);
    demo.kill("SIGINT");
    const { code, signal } = await demo.ended;
    expect({ code, signal }).toEqual({ code: null, signal: "SIGINT" });
    expect(ownedBy(demo.pid)).toEqual([]);
    expect(demo.text()).not.toMatch(/WRONG|Next:/);
  });

  it("does not claim that a connection was cut, or goes on, when that is not so", async () => {
    const shop = await DemoShop.read();
    const before = await shop.state(POLICY_FILES);
    const flows = listFlows(before.store);
    const find = (to: string, port: number) =>
      flows.find((flow) => flow.from.label === "api" && flow.to.label === to && flow.traffic.port === port) as DemoFlow;
    const pair = { cut: find("search", 9200), kept: find("payments", 8443) };
    let text = "";
    const stdout = (more: string) => {
      text += more;
    };
    const screen = new DemoScreen({ stdout, colour: false, columns: 100 }, false);
    const self = [process.execPath, resolve(ROOT, "src/cli/main.ts")] as const;
    const { plan, cluster } = before;
    const { unchanged, closed } = await withLab({ self, plan, cluster, program: PROGRAM }, async (lab) => ({
      unchanged: await showOpenConnections(lab, before, before, pair, screen),
      closed: await showOpenConnections(lab, before, await shop.state(["10-default-deny.yaml"]), pair, screen),
    }));
    expect(unchanged).toEqual([
      "the connection api → search:9200 should be cut, and it is still answered",
      "a new connection api → search:9200 should not be possible, and it is",
    ]);
    expect(closed).toEqual(["the connection api → payments:8443 should go on, and it is not answered"]);
    expect(text).toContain("still answered");
  });

  it.each(["nft", "ip"])("tells the story as computed where %s is not installed, and ends with 0", async (program) => {
    // A mount namespace of its own: nobody else misses the program.
    const hide = `mount --bind /dev/null "${findProgram(program)}"`;
    const demo = `exec "${process.execPath}" "${ROOT}/src/cli/main.ts" lab demo`;
    const { code, stdout } = await withNetns((netns) =>
      netns.run(["unshare", "--mount", "sh", "-c", `${hide} && ${demo}`]),
    );
    expect(code).toBe(0);
    expect(stdout).toContain(`No packets are sent: the program ${program} is not installed.`);
    expect(stdout).toContain("Next: your own policies");
  });
});
