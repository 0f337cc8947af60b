// Whatever happens to a lab, nothing of it is left behind: at once, or when the next one runs.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { findProgram } from "../../scripts/system-tools.ts";
import { ownMark } from "../../src/lab/process-mark.ts";
import { hostState } from "../support/host-state.ts";
import { describeKernel } from "../support/kernel.ts";
import { LabProcess, type LabProcessOptions, NOTHING, namespaceNames, pathWith } from "../support/lab-process.ts";
import { until } from "../support/until.ts";

const SHOP = ["-f", resolve(import.meta.dirname, "../../policies-examples/shop")];
const SMALL = ["-f", resolve(import.meta.dirname, "../../policies-examples/01-default-deny-ingress")];
/** Many flows, so that there is a time in which they are measured. */
const PORTS = Array.from({ length: 30 }, (_, index) => ["--port", `${index + 1}/TCP`]).flat();
const RUN = ["run", ...SHOP, "--nodes", "2", "--topology", "vxlan", ...PORTS];
const SHELL = ["shell", ...SHOP, "shop/api"];
const DEMO = ["demo"];

const MOMENTS = {
  "its first namespace is there": (lab: LabProcess) => lab.namespaces().length > 0,
  "its network is being built": (lab: LabProcess) => lab.namespaces().includes("pod0"),
  "its agents start": (lab: LabProcess) => lab.agents().length > 0,
  "rules are in force": (lab: LabProcess) => lab.hasRules(),
  "its shell runs": (lab: LabProcess) => lab.stderr.includes("The lab ends with this shell"),
};
type Moment = keyof typeof MOMENTS;

interface Case {
  readonly verb: "run" | "demo" | "shell";
  readonly moment: Moment;
}

const ARGUMENTS: Readonly<Record<Case["verb"], readonly string[]>> = { run: RUN, demo: DEMO, shell: SHELL };

const SIGNALLED: readonly (Case & { readonly signal: NodeJS.Signals })[] = [
  { verb: "run", signal: "SIGINT", moment: "its first namespace is there" },
  { verb: "run", signal: "SIGINT", moment: "its network is being built" },
  { verb: "run", signal: "SIGINT", moment: "its agents start" },
  { verb: "run", signal: "SIGINT", moment: "rules are in force" },
  { verb: "run", signal: "SIGTERM", moment: "its first namespace is there" },
  { verb: "run", signal: "SIGTERM", moment: "rules are in force" },
  { verb: "run", signal: "SIGHUP", moment: "its agents start" },
  { verb: "demo", signal: "SIGINT", moment: "its network is being built" },
  { verb: "demo", signal: "SIGINT", moment: "rules are in force" },
  { verb: "demo", signal: "SIGTERM", moment: "rules are in force" },
  { verb: "shell", signal: "SIGINT", moment: "its agents start" },
  { verb: "shell", signal: "SIGTERM", moment: "its network is being built" },
  { verb: "shell", signal: "SIGTERM", moment: "its shell runs" },
  { verb: "shell", signal: "SIGHUP", moment: "its shell runs" },
];

const KILLED: readonly Case[] = [
  { verb: "run", moment: "its first namespace is there" },
  { verb: "run", moment: "its network is being built" },
  { verb: "run", moment: "its agents start" },
  { verb: "run", moment: "rules are in force" },
  { verb: "shell", moment: "its shell runs" },
];

async function startUntil(args: readonly string[], moment: Moment, options?: LabProcessOptions): Promise<LabProcess> {
  const lab = new LabProcess(args, options);
  await lab.reaches(moment, () => MOMENTS[moment](lab));
  return lab;
}

/** A lab that has the temporary folder of another one. */
async function nextLab(temporary: string, environment: Readonly<Record<string, string>> = {}): Promise<LabProcess> {
  const next = new LabProcess(["run", ...SMALL], { temporary, environment });
  expect(await next.ended, next.stderr).toEqual({ code: 0, signal: null });
  return next;
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync(findProgram("ip") ?? "ip", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
}

describeKernel("nothing is left of a lab", () => {
  it("that has done its work", async () => {
    const lab = new LabProcess(["run", ...SMALL]);
    expect(await lab.ended, lab.stderr).toEqual({ code: 0, signal: null });
    expect(lab.stdout).toContain("measured = meant");
    expect(lab.remains()).toEqual(NOTHING);
  });

  it.each(SIGNALLED)("that is ended by $signal: $verb, when $moment", async ({ verb, signal, moment }) => {
    const lab = await startUntil(ARGUMENTS[verb], moment);
    lab.signalGroup(signal);
    expect(await lab.ended).toEqual({ code: null, signal });
    expect(lab.remains()).toEqual(NOTHING);
    expect(lab.stderr).not.toMatch(/nftpol: |Error/);
  });

  it("whose shell does not hang up when it is told to", async () => {
    const lab = await startUntil(SHELL, "its shell runs", { environment: { SHELL: "/bin/sh" } });
    lab.type("trap '' HUP; echo deaf; sleep 300; sleep 300\n");
    await lab.says("deaf\n");
    lab.signal("SIGTERM");
    expect(await lab.ended).toEqual({ code: null, signal: "SIGTERM" });
    expect(lab.remains()).toEqual(NOTHING);
  });

  it("that is told to end again and again", async () => {
    const lab = await startUntil(RUN, "its agents start");
    lab.signalGroup("SIGINT");
    const again = setInterval(() => lab.signalGroup("SIGINT"), 2);
    try {
      expect(await lab.ended).toEqual({ code: null, signal: "SIGINT" });
    } finally {
      clearInterval(again);
    }
    expect(lab.remains()).toEqual(NOTHING);
  });

  it("whose program for removing is interrupted, too", async () => {
    const calls = join(mkdtempSync(join(tmpdir(), "nftpol-test-")), "calls");
    onTestFinished(() => rmSync(dirname(calls), { recursive: true }));
    const script = `case "$*" in -force*) echo >> ${calls}; [ "$(wc -l < ${calls})" -gt 5 ] || kill -INT $$;; esac
exec ${findProgram("ip")} "$@"`;
    const lab = new LabProcess(["run", ...SMALL], { environment: { PATH: pathWith("ip", script) } });
    expect(await lab.ended, lab.stderr).toEqual({ code: 0, signal: null });
    expect(readFileSync(calls, "utf8")).toHaveLength(6);
    expect(lab.remains()).toEqual(NOTHING);
  });

  it("whose reader goes away while it runs", async () => {
    const lab = await startUntil(DEMO, "its agents start");
    lab.closeOutput();
    expect(await lab.ended, lab.stderr).toEqual({ code: 0, signal: null });
    expect(lab.remains()).toEqual(NOTHING);
  });

  it.each([
    ["bridge fails", "bridge", "echo no >&2; exit 1", "bridge: no"],
    [
      "ip fails after namespaces were made",
      "ip",
      `case "$*" in *-n*) echo no >&2; exit 1;; esac\nexec ${findProgram("ip")} "$@"`,
      "ip: no",
    ],
    ["nft is of no use", "nft", "echo no >&2; exit 1", "has no rules in force"],
  ])("whose set-up fails: %s", async (_, program, script, message) => {
    const lab = new LabProcess(RUN, { environment: { PATH: pathWith(program, script) } });
    expect(await lab.ended).toEqual({ code: 3, signal: null });
    expect(lab.stderr).toContain(message);
    expect(lab.remains()).toEqual(NOTHING);
  });

  it("in what was the host's: rules, links, routes, settings, files", async () => {
    const before = hostState();
    const done = new LabProcess(["run", ...SHOP, "--nodes", "2", "--topology", "vxlan"]);
    expect(await done.ended, done.stderr).toEqual({ code: 0, signal: null });
    expect(hostState()).toEqual(before);
    const shell = await startUntil(SHELL, "its shell runs");
    expect(hostState()).toEqual(before);
    shell.signal("SIGKILL");
    await shell.ended;
    await nextLab(shell.temporary);
    expect(hostState()).toEqual(before);
  });
});

describeKernel("a lab that was killed", () => {
  it.each(KILLED)(
    "is ended with its agents, and removed by the next one: $verb, when $moment",
    async ({ verb, moment }) => {
      const lab = await startUntil(ARGUMENTS[verb], moment);
      lab.signal("SIGKILL");
      await lab.ended;
      expect(lab.remains().folders).toHaveLength(1);
      await until("its agents have ended", () => lab.agents().length === 0);
      await nextLab(lab.temporary);
      expect(lab.remains()).toEqual(NOTHING);
    },
  );

  it("without setpriv its agents go on, until the next one ends them", async () => {
    const environment = { PATH: pathWith("setpriv", "exit 1") };
    const lab = await startUntil(RUN, "rules are in force", { environment });
    lab.signal("SIGKILL");
    await lab.ended;
    await nextLab(lab.temporary, environment);
    expect(lab.remains()).toEqual(NOTHING);
  });
});

describeKernel("labs at the same time", () => {
  it("do not collide, and do not remove each other", async () => {
    const labs = [RUN, RUN, [...RUN, "--dual-stack"]].map((args) => new LabProcess(args));
    for (const lab of labs) {
      expect(await lab.ended, lab.stderr).toEqual({ code: 0, signal: null });
      expect(lab.stdout).toContain("measured = meant");
    }
    expect(labs.map((lab) => lab.remains())).toEqual([NOTHING, NOTHING, NOTHING]);
  });

  it("remove what a killed one left, and leave a living one alone", async () => {
    const living = await startUntil(SHELL, "its shell runs");
    const before = living.remains();
    const killed = await startUntil(RUN, "rules are in force");
    killed.signal("SIGKILL");
    await killed.ended;
    await Promise.all([nextLab(killed.temporary), nextLab(killed.temporary)]);
    expect(killed.remains()).toEqual(NOTHING);
    expect(living.remains()).toEqual(before);
    living.type("echo still $((40 + 2))\n");
    await living.says("still 42");
  });
});

describeKernel("namespaces that bear a lab's name", () => {
  function make(mark: string): string {
    const name = `nftpol-lab-${mark}0-pod0`;
    ip("netns", "add", name);
    onTestFinished(() => {
      if (namespaceNames().includes(name)) ip("netns", "delete", name);
    });
    return name;
  }

  it("are removed with who runs in them when their number is another process's now", async () => {
    const name = make(ownMark().replace(/\d+-$/, "1-"));
    const child = spawn(findProgram("ip") ?? "ip", ["netns", "exec", name, "sleep", "300"], { stdio: "ignore" });
    const ended = once(child, "close");
    await until("it runs in the namespace", () => isIn(name, child.pid as number));
    const next = new LabProcess(["run", ...SMALL]);
    expect(await next.ended).toEqual({ code: 0, signal: null });
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(namespaceNames()).not.toContain(name);
  });

  it("are left alone when their process lives, or lives where it cannot be seen", async () => {
    const living = make(ownMark());
    const elsewhere = make("p1-2-3-");
    const next = new LabProcess(["run", ...SMALL]);
    expect(await next.ended).toEqual({ code: 0, signal: null });
    expect(namespaceNames()).toEqual(expect.arrayContaining([living, elsewhere]));
  });
});

function isIn(name: string, pid: number): boolean {
  const { stdout } = spawnSync(findProgram("ip") ?? "ip", ["netns", "pids", name], { encoding: "utf8" });
  return stdout.split("\n").includes(String(pid)) && readFileSync(`/proc/${pid}/comm`, "utf8") === "sleep\n";
}
