// `nftpol lab shell` as a person or a script uses it: commands typed into it, manifests edited meanwhile.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { findProgram } from "../../scripts/system-tools.ts";
import { describeKernel } from "../support/kernel.ts";
import { commandLine, LabProcess, type LabProcessOptions, NOTHING, pathWith } from "../support/lab-process.ts";
import { until } from "../support/until.ts";

/** Knows how to talk to ports without other programs. */
const BASH = findProgram("bash") ?? "";
const SCRIPT = findProgram("script");

const CLUSTER = `apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: web, labels: { app: web } }
spec: { containers: [{ name: main, ports: [{ containerPort: 80 }] }] }
---
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: db-0, labels: { app: db } }
spec: { containers: [{ name: main, ports: [{ containerPort: 5432 }] }] }
status: { podIP: 10.9.9.9 }
`;

const CACHE = `---
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: cache }
spec: { containers: [{ name: main }] }
`;

const SLEEP = ["sleep", "300", ""].join("\0");

/** Who may reach the database. */
function policy(app: string): string {
  return `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { namespace: shop, name: db }
spec:
  podSelector: { matchLabels: { app: db } }
  policyTypes: [Ingress]
  ingress: [{ from: [{ podSelector: { matchLabels: { app: ${app} } } }] }]
`;
}

/** A function of the shell: who answers there, or `closed`. */
const ASK = `ask() { timeout 3 ${BASH} -c 'exec 3<>/dev/tcp/$0/$1 && echo hello >&3 && grep -a -m1 "I am" <&3' "$@" || echo closed; }\n`;

let folder = "";

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nftpol-shop-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  write("cluster.yaml", CLUSTER);
  write("policies.yaml", policy("nobody"));
});

function startShell(pod: string, options: LabProcessOptions = {}): LabProcess {
  const environment = { SHELL: BASH, ...options.environment };
  return new LabProcess(["shell", "-f", folder, pod], { ...options, environment });
}

/** What the shell answers to a command; `mark` tells where it ends. */
let marks = 0;
async function ask(lab: LabProcess, command: string): Promise<string> {
  const mark = `--- ${++marks}`;
  const from = lab.stdout.length;
  lab.type(`${command}; echo "${mark}"\n`);
  await lab.says(`${mark}\n`);
  return lab.stdout.slice(from, lab.stdout.lastIndexOf(mark)).trim();
}

describeKernel("lab shell", () => {
  it("runs a script from its input in the pod, with the pods' names; the exit code is the shell's", async () => {
    const lab = startShell("shop/web");
    lab.type(`${ASK}hostname; ask web.shop 80; ask web 80; ask db-0.shop 5432; ask 10.9.9.9 5432; exit 7\n`);
    lab.endInput();
    expect(await lab.ended).toEqual({ code: 7, signal: null });
    const self = expect.stringMatching(/^I am shop\/web, you are [0-9.]+$/);
    expect(lab.stdout.trim().split("\n")).toEqual(["web", self, self, "closed", "closed"]);
    expect(lab.stderr).toContain("You are in shop/web");
    expect(lab.stderr).toContain("1 policy in force");
    expect(lab.remains()).toEqual(NOTHING);
  });

  it.each([
    ["an input without commands", "", 0],
    ["a shell that kills itself", "kill -9 $$\n", 137],
  ])("ends with the code of %s", async (_, input, code) => {
    const lab = startShell("shop/web");
    lab.type(input);
    lab.endInput();
    expect(await lab.ended).toEqual({ code, signal: null });
    expect(lab.remains()).toEqual(NOTHING);
  });

  it("what is saved comes into force and is told; what cannot be read changes nothing", async () => {
    const lab = startShell("shop/web");
    await lab.says("The lab ends with this shell");
    lab.type(ASK);
    expect(await ask(lab, "ask db-0.shop 5432")).toBe("closed");

    write("policies.yaml", policy("web"));
    await lab.says("policies changed: 1 (shop/db), in force after ");
    expect(await ask(lab, "ask db-0.shop 5432")).toMatch(/^I am shop\/db-0, /);

    write("policies.yaml", `${policy("nobody")}oops: [\n`);
    await lab.says("1 error: the rules stay as they were");
    expect(lab.stderr).toMatch(/policies\.yaml:\d+:\d+: error: /);
    expect(await ask(lab, "ask db-0.shop 5432")).toMatch(/^I am shop\/db-0, /);

    write("policies.yaml", `${policy("nobody")}---\n${policy("none").replace("name: db", "name: more")}`);
    await lab.says("policies changed: 1 → 2 (shop/db, shop/more), in force after ");
    expect(await ask(lab, "ask db-0.shop 5432")).toBe("closed");
  });

  it("a pod's labels and ports may change, its address stays; a new pod is said to need a new lab", async () => {
    write("policies.yaml", policy("friend"));
    const lab = startShell("shop/web");
    await lab.says("The lab ends with this shell");
    lab.type(ASK);
    const address = await ask(lab, "hostname -I 2>/dev/null || cat /etc/hosts");
    expect(await ask(lab, "ask db-0 5432")).toBe("closed");

    write("cluster.yaml", CLUSTER.replace("{ app: web }", "{ app: friend }").replace("5432", "5433"));
    await lab.says("2 pods changed (shop/db-0, shop/web), in force after ");
    expect(await ask(lab, "ask db-0 5433")).toMatch(/^I am shop\/db-0, /);

    write("cluster.yaml", CLUSTER + CACHE);
    await lab.says("shop/cache: new, without a network namespace here; start nftpol lab shell again to have it");
    await lab.says("2 pods changed (shop/db-0, shop/web), in force after ");
    await until("the old rules are back", async () => (await ask(lab, "ask db-0 5432")) === "closed");
    expect(await ask(lab, "hostname -I 2>/dev/null || cat /etc/hosts")).toBe(address);
  });

  it("the host's names stay the host's", async () => {
    const before = { hosts: readFileSync("/etc/hosts", "utf8"), name: hostname() };
    const lab = startShell("shop/web");
    await lab.says("The lab ends with this shell");
    expect(await ask(lab, "hostname")).toBe("web");
    expect(await ask(lab, "cat /etc/hosts")).toContain("10.9.9.9\tdb-0.shop");
    expect({ hosts: readFileSync("/etc/hosts", "utf8"), name: hostname() }).toEqual(before);
  });

  it("where names cannot be had there are addresses", async () => {
    write("policies.yaml", policy("web"));
    const lab = startShell("shop/web", { environment: { PATH: pathWith("unshare", "exit 1") } });
    await lab.says("The lab ends with this shell");
    expect(lab.stderr).toContain("curl -m 2 http://10.9.9.9:5432");
    lab.type(ASK);
    expect(await ask(lab, "ask 10.9.9.9 5432")).toMatch(/^I am shop\/db-0, /);
    expect(await ask(lab, "hostname")).toBe(hostname());
  });

  it("what was left running in the pod ends with the shell", async () => {
    const lab = startShell("shop/web");
    await lab.says("The lab ends with this shell");
    const pid = Number(await ask(lab, "setsid sleep 300 > /dev/null 2>&1 < /dev/null & echo $!"));
    await until("it runs", () => commandLine(pid) === SLEEP);
    lab.endInput();
    expect(await lab.ended).toEqual({ code: 0, signal: null });
    expect(commandLine(pid)).toBe("");
  });
});

describeKernel("lab shell on a terminal", () => {
  /** `script` is the terminal: what is typed goes to who is in the foreground. */
  function onTerminal(): LabProcess {
    const rest = [process.execPath, "src/cli/main.ts", "lab", "shell", "-f", folder, "shop/web"];
    const environment = { SHELL: BASH, TERM: "dumb" };
    return new LabProcess([], { environment, instead: [SCRIPT ?? "", "-qefc", rest.join(" "), "/dev/null"] });
  }

  it.runIf(SCRIPT !== undefined)("Ctrl-C ends what runs in the shell, neither shell nor lab", async () => {
    const lab = onTerminal();
    await lab.says("The lab ends with this shell");
    // Who has the terminal is told by what it says.
    lab.type("sh -c 'echo be''gun; exec sleep 300'\n");
    await lab.says("begun");
    lab.type("\u0003");
    lab.type("echo code-$?; exit 5\n");
    expect(await lab.ended, lab.stdout).toEqual({ code: 5, signal: null });
    expect(lab.stdout).toContain("code-130");
    expect(lab.remains()).toEqual(NOTHING);
  });

  it.runIf(SCRIPT !== undefined)("when the terminal goes away, so does the lab", async () => {
    const lab = onTerminal();
    await lab.says("The lab ends with this shell");
    expect(lab.agents()).toHaveLength(1);
    lab.signal("SIGKILL");
    await lab.ended;
    await until("the lab has ended", () => lab.agents().length + lab.remains().folders.length === 0);
  });
});
