// The agent's own output: where its log goes, and what becomes of the agent when nobody reads it.

import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder, writeKubeconfig } from "../api-server/kubeconfig-files.ts";
import { describeKernel } from "../support/kernel.ts";
import { withNetns } from "../support/netns.ts";
import { PacketAgent } from "../support/packet-agent.ts";

const MAIN = [process.execPath, "src/cli/main.ts", "agent"];
const AGENT = [...MAIN, "--manifests", "policies-examples/01-default-deny-ingress"];
const OPTIONS = "--node-name n1 --health-address off --metrics-address off";

describeKernel("the agent's log", () => {
  it("names the API server at the start, without credentials, and what to do where it cannot be used", () =>
    withNetns(async (netns) => {
      // Nobody listens there.
      const server = "https://somebody:secret@127.0.0.1:6443/";
      const kubeconfig = writeKubeconfig({ context: "prod", cluster: { server }, user: { token: "t" } });
      const agent = new PacketAgent(netns, ["--kubeconfig", kubeconfig, ...OPTIONS.split(" ")]);
      agent.launch();
      try {
        expect(await agent.logged("nftpol agent started")).toMatchObject({
          source: "prod",
          server: "https://127.0.0.1:6443",
        });
        expect(await agent.logged("the API server cannot be watched: rules stay as they are")).toMatchObject({
          failure: expect.stringContaining("connection refused"),
          hint: expect.stringMatching(/./),
        });
        expect(JSON.stringify(agent.log)).not.toContain("secret");
      } finally {
        await agent.end("SIGKILL");
      }
    }));

  it("without a kubeconfig it is told of the option that it has for manifests", () =>
    withNetns(async (netns) => {
      const { code, stderr } = await netns.run([...MAIN, "--kubeconfig", "/no/config", ...OPTIONS.split(" ")]);
      expect({ code, stderr }).toEqual({
        code: 3,
        stderr:
          "nftpol: there is no kubeconfig: /no/config does not exist\n  name one with --kubeconfig or KUBECONFIG, or watch a folder with --manifests\n",
      });
    }));

  it("nobody opens Node's inspector in it with a signal, whatever NODE_OPTIONS says besides", () =>
    withNetns(async (netns) => {
      for (const options of ["", "--max-semi-space-size=4"]) {
        const script = `
          bin/nftpol agent --manifests policies-examples/01-default-deny-ingress --node-name worker-1 > "$1" & agent=$!
          until grep -q "rules in force" "$1"; do sleep 0.05; kill -0 $agent || exit 9; done
          kill -USR1 $agent; bin/nftpol status > "$2"; kill -TERM $agent; wait $agent; echo "code $?" >&2`;
        const folder = temporaryFolder();
        const files = [join(folder, "log"), join(folder, "status")];
        const { stderr } = await netns.run(["env", `NODE_OPTIONS=${options}`, "sh", "-c", script, "sh", ...files]);
        expect(stderr).toBe("code 0\n");
      }
    }));

  it("a log that cannot be written ends the agent as a failure, so that it is started again", () =>
    withNetns(async (netns) => {
      const script = `(${AGENT.join(" ")} ${OPTIONS}; echo "code $?" >&2) | head -1`;
      const { stdout, stderr } = await netns.run(["sh", "-c", script]);
      expect(stdout.split("\n")).toHaveLength(2);
      expect(stderr).toMatch(/^nftpol: cannot write the output: .*EPIPE/m);
      expect(stderr).toMatch(/^code 3$/m);
    }));
});
