// The program as a process: streams, pipes, colours, standard input.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { PROJECT, runNftpol } from "./run-nftpol.ts";
import { CLUSTER, POLICIES } from "./small-cluster.ts";

const SHOP = ["-f", "policies-examples/shop"];

test("a closed pipe ends it quietly", () => {
  const script = `(bin/nftpol render -f policies-examples/shop; echo "code $?" >&2) | head -1`;
  const { stdout, stderr } = spawnSync("sh", ["-c", script], { cwd: PROJECT, encoding: "utf8" });
  expect(stdout).toBe("table inet nftpol\n");
  expect(stderr).toContain("code 0");
  expect(stderr).not.toMatch(/EPIPE|Error|at /);
});

test("a reader that closes at once is no failure either, whatever the verb", () => {
  for (const verb of ["--help", "test policies-examples", "matrix -f policies-examples/shop -o json"]) {
    const script = `(bin/nftpol ${verb}; echo "code $?" >&2) | true`;
    const { stderr } = spawnSync("sh", ["-c", script], { cwd: PROJECT, encoding: "utf8" });
    expect(stderr, verb).toContain("code 0");
    expect(stderr, verb).not.toMatch(/EPIPE|Error:/);
  }
});

test.runIf(existsSync("/dev/full"))("a full disk is told in one line, with code 3", () => {
  const { status, stderr } = spawnSync("sh", ["-c", "bin/nftpol --help > /dev/full"], {
    cwd: PROJECT,
    encoding: "utf8",
  });
  expect(status).toBe(3);
  expect(stderr).toMatch(/^nftpol: cannot write the output: .*\n$/);
});

test("standard input is read with -f -", async () => {
  const piped = await runNftpol(["render", "-f", "-"], { input: `${CLUSTER}---\n${POLICIES}` });
  expect({ code: piped.code, stderr: piped.stderr }).toEqual({ code: 0, stderr: "" });
  expect(piped.stdout).toContain("10.0.0.2");
});

test("output that is no terminal has no colours; neither has a terminal with NO_COLOR or TERM=dumb", async () => {
  const explain = ["explain", "shop/frontend", "shop/api", "8080", ...SHOP];
  expect((await runNftpol(explain)).stdout).not.toContain("\u001b");
  const onTerminal = (environment: Readonly<Record<string, string>>) =>
    spawnSync("script", ["-qec", `bin/nftpol ${explain.join(" ")}`, "/dev/null"], {
      cwd: PROJECT,
      encoding: "utf8",
      env: { PATH: process.env.PATH, TERM: "xterm", ...environment },
    });
  const coloured = onTerminal({});
  if (coloured.error !== undefined) return;
  expect(coloured.stdout).toContain("\u001b[32m");
  expect(onTerminal({ NO_COLOR: "1" }).stdout).not.toContain("\u001b");
  expect(onTerminal({ TERM: "dumb" }).stdout).not.toContain("\u001b");
});

test("output to a file is complete, however long", async () => {
  const { code, stdout } = await runNftpol(["matrix", ...SHOP, "-o", "json", "--by-pod"]);
  expect(code).toBe(0);
  expect(Array.isArray(JSON.parse(stdout))).toBe(true);
});

test("no manifests and no cluster: code 3 and what to do", async () => {
  const { code, stdout, stderr } = await runNftpol(["render"], { env: { KUBECONFIG: "/nonexistent" } });
  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  expect(stderr).toContain("-f");
});
