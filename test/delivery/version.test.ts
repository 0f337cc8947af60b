// `nftpol version` in a checkout: one line or all, and what it makes of the programs that it finds.

import { join } from "node:path";
import { expect, it } from "vitest";
import { withFakePrograms } from "../support/fake-programs.ts";
import { PROJECT, run } from "./products.ts";

const nftpol = join(PROJECT, "bin/nftpol");

it("is one line with -V, --version and --short, and the same line is the first of all", () => {
  const { code, stdout } = run(nftpol, ["-V"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^nftpol \d+\.\d+\.\d+ \(Node\.js v24\.\d+\.\d+, linux-\w+\)\n$/);
  for (const args of [["--version"], ["version", "--short"]]) expect(run(nftpol, args).stdout).toBe(stdout);
  expect(run(nftpol, ["version"]).stdout).toMatch(
    new RegExp(
      `^${stdout.replace(/[.()]/g, "\\$&")}revision +unknown\ndelivered as +checkout\nnft +\\S.*\niptables +\\S.*\nipset`,
    ),
  );
});

it("is complete as JSON, also with -V", () => {
  const { stdout } = run(nftpol, ["-V", "-o", "json"]);
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({
    apiVersion: "nftpol/v1",
    kind: "Version",
    revision: "unknown",
    delivery: "checkout",
  });
  expect(Object.keys(document.programs)).toEqual(["nft", "iptables", "ipset"]);
  expect(JSON.parse(run(nftpol, ["version", "-o", "json"]).stdout)).toEqual(document);
});

it("takes programs by the PATH, and says of strange ones that it does not know", () => {
  const scripts = {
    nft: "echo 'nftables v9.8.7 (Nobody)'",
    iptables: "echo hello; exit 1",
    // A wrapper that hangs: nobody waits for it, nor for what it has started.
    ipset: "sleep 600",
  };
  return withFakePrograms(scripts, async ({ folder }) => {
    const { stdout } = run(nftpol, ["version", "-o", "json"], { path: [folder] });
    expect(JSON.parse(stdout).programs).toEqual({ nft: "9.8.7", iptables: "unknown", ipset: "unknown" });
  });
});
