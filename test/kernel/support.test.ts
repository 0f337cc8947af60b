// Owns the proof that the kernel suites' ground holds: namespaces come and go, and every nft at hand talks to the kernel.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { findProgram, isCi } from "../../scripts/system-tools.ts";
import { describeKernel } from "../support/kernel.ts";
import { removeLeftovers, withNetns } from "../support/netns.ts";
import { nftBinaries } from "../support/nft-binaries.ts";

describeKernel("network namespaces", () => {
  it("hands over output, errors, input and exit code of a program", async () => {
    await withNetns(async (ns) => {
      const result = await ns.run(["sh", "-c", "cat; echo careful >&2; exit 7"], { input: "hello" });
      expect(result).toEqual({ stdout: "hello", stderr: "careful\n", code: 7 });
    });
  });

  it("is separate from the host and from other namespaces", async () => {
    await withNetns(async (a) =>
      withNetns(async (b) => {
        expect((await a.run(["nft", "add", "table", "inet", "only_in_a"])).code).toBe(0);
        expect((await a.run(["nft", "list", "tables"])).stdout).toContain("only_in_a");
        expect((await b.run(["nft", "list", "tables"])).stdout).toBe("");
        expect((await b.run(["ip", "-o", "link"])).stdout).toMatch(/^1: lo: <LOOPBACK,UP/);
      }),
    );
  });

  it("disappears with everything that still runs inside, also when the test fails", async () => {
    let name = "";
    await expect(
      withNetns(async (ns) => {
        name = ns.name;
        await ns.run(["sh", "-c", "sleep 1000 >/dev/null 2>&1 &"]);
        throw new Error("the test failed");
      }),
    ).rejects.toThrow("the test failed");
    expect(existsSync(`/run/netns/${name}`)).toBe(false);
  });

  it("removes the leftovers of a run that was killed, and no others", async () => {
    const dead = spawnSync("true").pid;
    const leftover = `nfpt-${dead}-1`;
    await withNetns(async (ns) => {
      spawnSync(findProgram("ip") ?? "ip", ["netns", "add", leftover]);
      removeLeftovers();
      expect(existsSync(`/run/netns/${leftover}`)).toBe(false);
      expect(existsSync(`/run/netns/${ns.name}`)).toBe(true);
    });
  });
});

describeKernel("nft programs at hand", () => {
  it("are the system's and, in CI, at least one that is newer", () => {
    const origins = nftBinaries().map((binary) => binary.origin);
    expect(origins).toContain("system");
    if (isCi()) expect(origins.length).toBeGreaterThan(1);
  });

  it.each(nftBinaries().map((binary) => [`${binary.origin} ${binary.version.join(".")}`, binary] as const))(
    "%s loads and lists a table",
    async (_name, binary) => {
      await withNetns(async (ns) => {
        const loaded = await ns.run([binary.path, "-f", "-"], {
          input: "table inet t {\n chain c {\n counter\n }\n}\n",
        });
        expect(loaded).toEqual({ stdout: "", stderr: "", code: 0 });
        expect((await ns.run([binary.path, "list", "ruleset"])).stdout).toContain("chain c");
      });
    },
  );
});
