// The agent's own output: where its log goes, and what becomes of the agent when nobody reads it.

import { expect, it } from "vitest";
import { describeKernel } from "../support/kernel.ts";
import { withNetns } from "../support/netns.ts";

const AGENT = [
  process.execPath,
  "src/cli/main.ts",
  "agent",
  "--manifests",
  "policies-examples/01-default-deny-ingress",
];
const OPTIONS = "--node-name n1 --health-address off --metrics-address off";

describeKernel("the agent's log", () => {
  it("a log that cannot be written ends the agent as a failure, so that it is started again", () =>
    withNetns(async (netns) => {
      const script = `(${AGENT.join(" ")} ${OPTIONS}; echo "code $?" >&2) | head -1`;
      const { stdout, stderr } = await netns.run(["sh", "-c", script]);
      expect(stdout.split("\n")).toHaveLength(2);
      expect(stderr).toMatch(/^nftpol: cannot write the output: .*EPIPE/m);
      expect(stderr).toMatch(/^code 3$/m);
    }));
});
