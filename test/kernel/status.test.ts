// `nftpol status` and `nftpol cleanup` where no agent answers: what they make of the kernel's table, whosever it is.

import { spawn } from "node:child_process";
import { expect, it } from "vitest";
import { describeKernel } from "../support/kernel.ts";
import { type Netns, withNetns } from "../support/netns.ts";
import { runNftpolIn, withAgent } from "../support/packet-agent.ts";
import { until } from "../support/until.ts";

const EXAMPLE = "policies-examples/01-default-deny-ingress";

async function load(netns: Netns, text: string): Promise<void> {
  expect(await netns.run(["nft", "-f", "-"], { input: text })).toMatchObject({ code: 0, stderr: "" });
}

async function statusIn(netns: Netns): Promise<string> {
  const { code, stdout, stderr } = await runNftpolIn(netns, "status");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^nftpol: no agent answers at 127\.0\.0\.1:10360\n/);
  return stderr.slice(stderr.indexOf("\n") + 1);
}

/** While an nft of its own owns the table of our name. */
async function withOwnedTable(netns: Netns, body: () => Promise<void>): Promise<void> {
  const owner = spawn("ip", ["netns", "exec", netns.name, "nft", "-i"], { stdio: ["pipe", "ignore", "ignore"] });
  const ended = new Promise((resolve) => owner.once("close", resolve));
  try {
    owner.stdin.write("add table inet nftpol { flags owner; }\nadd chain inet nftpol theirs\n");
    await until("the table is there", async () =>
      (await netns.run(["nft", "list", "tables"])).stdout.includes("inet nftpol"),
    );
    await body();
  } finally {
    owner.stdin.end();
    await ended;
  }
}

describeKernel("cleanup", () => {
  it("beside a running agent says that its rules come back, and after its end nothing", () =>
    withNetns(async (netns) => {
      await withAgent(netns, ["--manifests", EXAMPLE, "--node-name", "worker-1"], async () => {
        const { code, stdout, stderr } = await runNftpolIn(netns, "cleanup");
        expect({ code, stdout }).toEqual({ code: 0, stdout: "removed table inet nftpol\n" });
        expect(stderr).toBe(
          "nftpol: an agent answers at 127.0.0.1:10360: it will write its rules again\n  end the agent first, then run nftpol cleanup\n",
        );
        expect((await runNftpolIn(netns, "cleanup", "--dry-run")).stderr).toContain("an agent answers");
      });
      expect(await runNftpolIn(netns, "cleanup")).toMatchObject({ code: 0, stderr: "" });
    }));
});

describeKernel("status without an agent", () => {
  it("tells no table, an empty one, ours and ours emptied apart", () =>
    withNetns(async (netns) => {
      expect(await statusIn(netns)).toBe("  and there are no rules of nftpol in this kernel: nothing is enforced\n");
      await load(netns, "add table inet nftpol");
      expect(await statusIn(netns)).toBe("  an empty table inet nftpol is in this kernel: nothing is enforced\n");
      const { stdout: rules } = await runNftpolIn(netns, "render", "-f", EXAMPLE);
      await load(netns, rules);
      expect(await statusIn(netns)).toMatch(
        /^ {2}the rules of an earlier one are in the kernel and go on being enforced: \d+ rules, for 2 pod addresses\n/,
      );
      await load(netns, "flush table inet nftpol");
      expect(await statusIn(netns)).toBe(
        "  table inet nftpol is in this kernel, but no packet is led to its rules: nothing is enforced\n",
      );
    }));

  it("somebody else's table is no bug of ours, for prove --live and cleanup either, whatever nft makes of it", () =>
    withNetns((netns) =>
      withOwnedTable(netns, async () => {
        // nft 1.0.6 may or may not get to the end of its answer.
        expect(await statusIn(netns)).toMatch(
          /somebody else's: nothing of nftpol is enforced|another process may own it/,
        );
        const proof = await runNftpolIn(netns, "prove", "--live", "-f", EXAMPLE);
        expect(proof.stdout + proof.stderr).toMatch(/flags of the table|another process may own it/);
        expect(proof.stderr).not.toContain("unexpected error");
        expect(await runNftpolIn(netns, "cleanup")).toMatchObject({
          code: 3,
          stderr: expect.stringContaining("another process owns the table of our name"),
        });
      }),
    ));
});
