// Rules that were broken on purpose, behind the back of an agent that sleeps: the lab sees what they let through and what they
// keep out, and nothing else.

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { describeKernel } from "../support/kernel.ts";
import { differencesOf, type TestLab, withTestLab } from "../support/packet-lab.ts";

const EXAMPLE = { path: resolve(import.meta.dirname, "../../policies-examples/03-three-tier") };

describeKernel("a broken rule is caught", () => {
  it("a deny that is gone, a peer that is missing, a table that is gone", () =>
    withTestLab(EXAMPLE, {}, async (testLab) => {
      expect(differencesOf(await testLab.measure())).toEqual([]);
      for (const { pid = 0 } of testLab.lab.agents) process.kill(pid, "SIGSTOP");
      const intact = nft(testLab, "list table inet nftpol");

      const [denyChain = ""] = /ingress4_store\.\S+_deny/.exec(intact) ?? [];
      nft(testLab, `flush chain inet nftpol ${denyChain}`);
      const opened = differencesOf(await testLab.measure());
      expect(opened.length).toBeGreaterThan(0);
      for (const difference of opened) expect(difference).toContain("should be denied");

      nft(testLab, "-f -", `delete table inet nftpol\n${intact}`);
      expect(differencesOf(await testLab.measure())).toEqual([]);

      const [, set = "", member = ""] = /set (pods4_\S+) \{[^}]*elements = \{ ([\d.]+)/.exec(intact) ?? [];
      nft(testLab, `delete element inet nftpol ${set} { ${member} }`);
      const closed = differencesOf(await testLab.measure());
      expect(closed.length).toBeGreaterThan(0);
      for (const difference of closed) expect(difference).toContain("should be allowed");

      nft(testLab, "delete table inet nftpol");
      const all = await testLab.measure();
      const denied = all.measured.flows.filter(({ meant }) => !meant);
      expect(all.measured.differences).toEqual(denied.map((flow) => ({ ...flow, measured: true })));
      expect(denied.length).toBeGreaterThan(opened.length);
    }));
});

/** Runs nft on the only node; returns what it prints. */
function nft({ lab, plan }: TestLab, command: string, input = ""): string {
  const node = lab.network.node(plan.nodes[0]?.name ?? "");
  const result = lab.network.inside(node, () => spawnSync("nft", command.split(" "), { input, encoding: "utf8" }));
  if (result.status !== 0) throw new Error(`nft ${command}: ${result.stderr}`);
  return result.stdout;
}
