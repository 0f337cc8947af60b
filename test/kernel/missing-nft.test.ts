// Where nft is looked for, and what is said where there is none. In a mount namespace whose /usr/sbin is an empty folder, and in
// a network namespace: nothing that is found by mistake does any harm.

import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { describeKernel } from "../support/kernel.ts";
import { type RunResult, withNetns } from "../support/netns.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");
const EXAMPLE = "policies-examples/01-default-deny-ingress";
const OFF = ["--health-address", "off", "--metrics-address", "off"];

/** As a user whose PATH lacks the folders of the administrator's programs. */
function run(words: readonly string[], before = ":"): Promise<RunResult> {
  const script = `${before} && PATH=/nonexistent exec "${process.execPath}" "${MAIN}" "$@"`;
  return withNetns((netns) => netns.run(["unshare", "--mount", "sh", "-c", script, "sh", ...words]));
}

const HIDE_SBIN = "mount -t tmpfs none /usr/sbin && { [ -L /sbin ] || mount -t tmpfs none /sbin; }";

describeKernel("nft", () => {
  it("is found in /usr/sbin by those who do not have that in PATH", async () => {
    const { code, stderr } = await run(["status"]);
    expect(code).toBe(1);
    expect(stderr).toContain("there are no rules of nftpol in this kernel");
  });

  describe("that is not there is told, with what to do, and the command ends with 3", () => {
    it.each([
      [["agent", "--manifests", EXAMPLE, "--node-name", "n1", "--backend", "nft", ...OFF]],
      [["cleanup"]],
      [["cleanup", "--dry-run"]],
      [["prove", "--live", "-f", EXAMPLE]],
    ])("%j", async (words) => {
      const { code, stdout, stderr } = await run(words, HIDE_SBIN);
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toBe("nftpol: the program nft is not installed\n  install the package nftables\n");
    });
  });
});
