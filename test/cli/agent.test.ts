// What `agent`, `status` and `cleanup` say before they do anything, and when they cannot. Their work is tested in namespaces.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runInMemory } from "./in-memory-run.ts";
import { PROJECT } from "./run-nftpol.ts";

const FILES = { "d/policy.yaml": "" };

describe("wrong words are refused before anything starts", () => {
  it.each<[readonly string[], string, string]>([
    [["--manifests", "nowhere"], "--manifests nowhere is no folder", "name a folder with *.yaml"],
    [["--manifests", "d/policy.yaml"], "--manifests d/policy.yaml is no folder", "name a folder"],
    [["--manifests", "d", "--context", "x"], "--manifests needs no cluster", "leave --kubeconfig and --context out"],
    [["--manifests", "d", "--health-address", "here"], '--health-address "here" is no address', "write host:port"],
    [["--manifests", "d", "--metrics-address", "1.2.3.4:99999"], "--metrics-address", "or off"],
    [["--manifests", "d", "--verify-interval", "often"], '--verify-interval "often" is no duration', "500ms"],
    [["--manifests", "d", "--min-sync-interval", "-1s"], '--min-sync-interval "-1s"', "500ms"],
    [["--existing-connections", "maybe"], "'maybe' is invalid", "recheck, keep"],
    [
      ["--pod-to-own-node", "enforce", "--service-proxy", "ipvs"],
      "--pod-to-own-node=enforce does not work with --service-proxy=ipvs",
      "leave --pod-to-own-node out",
    ],
    [["--log-level", "trace"], "'trace' is invalid", "error, warn, info, debug"],
    [["--node", "x"], "unknown option '--node'", "nftpol agent --help"],
  ])("%j: %s", async (words, message, hint) => {
    const { code, stdout, stderr } = await runInMemory(["agent", ...words], { files: FILES });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });
});

/** With nothing in PATH: whatever goes wrong in these tests, no nft can be run. */
function runWithoutPrograms(...words: readonly string[]) {
  const main = join(PROJECT, "src/cli/main.ts");
  const options = { cwd: PROJECT, env: { PATH: "/nonexistent" }, encoding: "utf8", timeout: 30_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], options);
  return { code: status, stdout, stderr };
}

describe("without nft", () => {
  it.each([
    [["agent", "--manifests", "policies-examples/01-default-deny-ingress"]],
    [["cleanup"]],
    [["cleanup", "--dry-run"]],
  ])("%j says so, what to do, and ends with 3", (words) => {
    const { code, stderr } = runWithoutPrograms(...words);
    expect(stderr).toContain("the program nft is not installed");
    expect(stderr).toContain("install the package nftables");
    expect(code).toBe(3);
  });
});

it("status without an agent says that nobody answers and ends with 1", () => {
  const { code, stdout, stderr } = runWithoutPrograms("status", "--health-address", "127.0.0.1:1");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain("no agent answers at 127.0.0.1:1");
});
