// What `agent`, `status` and `cleanup` say before they do anything, and when they cannot. Their work is tested in namespaces.

import { describe, expect, it } from "vitest";
import { withFakeNft } from "../support/fake-nft.ts";
import { runInMemory } from "./in-memory-run.ts";
import { runNftpol } from "./run-nftpol.ts";

const FILES = { "d/policy.yaml": "" };

describe("wrong words are refused before anything starts", () => {
  it.each<[readonly string[], string, string]>([
    [["--manifests", "nowhere"], "--manifests nowhere is no folder", "name a folder with *.yaml"],
    [["--manifests", "d/policy.yaml"], "--manifests d/policy.yaml is no folder", "name a folder"],
    [["--manifests", "d", "--context", "x"], "--manifests needs no cluster", "leave --kubeconfig and --context out"],
    [["--manifests", "d", "--health-address", "here"], '--health-address "here" is no address', "write host:port"],
    [["--manifests", "d", "--metrics-address", "1.2.3.4:99999"], "--metrics-address", "or off"],
    [["--manifests", "d", "--health-address", "127.0.0.1:0"], '--health-address "127.0.0.1:0" is no address', "a port"],
    [["--manifests", "d", "--metrics-address", ":0"], '--metrics-address ":0" is no address', "a port"],
    [
      ["--manifests", "d", "--verify-interval", "1ms"],
      "--verify-interval 1ms is too short",
      "1s at least, or 0: never",
    ],
    [["--manifests", "d", "--verify-interval", "0.9s"], "--verify-interval 0.9s is too short", "1s at least"],
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

it("status without an agent says that nobody answers and ends with 1", () =>
  // Its own nft comes first in PATH: the kernel of this machine is not asked.
  withFakeNft("echo 'Error: No such file or directory' >&2; exit 1", async ({ folder }) => {
    const { code, stdout, stderr } = await runNftpol(["status", "--health-address", "127.0.0.1:1"], {
      env: { PATH: `${folder}:${process.env.PATH}` },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      "nftpol: no agent answers at 127.0.0.1:1\n  and there are no rules of nftpol in this kernel: nothing is enforced\n",
    );
  }));

it("status without root says that root is needed", () =>
  withFakeNft("echo 'Operation not permitted (you must be root)' >&2; exit 1", async ({ folder }) => {
    const { code, stderr } = await runNftpol(["status", "--health-address", "127.0.0.1:1"], {
      env: { PATH: `${folder}:${process.env.PATH}` },
    });
    expect(code).toBe(1);
    expect(stderr).toContain(
      "  and what this kernel holds is not known: the kernel does not let nft do this\n  run as root",
    );
  }));
