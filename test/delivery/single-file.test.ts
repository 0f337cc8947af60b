// The single file: the archive and its checksums, that it works without any Node.js, with koffi inside, and that it can be
// made again with the same bytes.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { bundleSingleScript } from "../../scripts/single-file/bundle.ts";
import { executable } from "../../scripts/single-file/executable.ts";
import { platformOfThisMachine, platformParts } from "../../scripts/single-file/platform-parts.ts";
import { archiveName, companions } from "../../scripts/single-file.ts";
import { isRoot } from "../../scripts/system-tools.ts";
import { tarGz } from "../../scripts/tar.ts";
import { PROJECT, run, runCheckout, runScript, SHOP, temporaryFolder } from "./products.ts";

const platform = platformOfThisMachine();
if (platform === undefined) throw new Error(`no single file can be made on ${process.platform}-${process.arch}`);

const { version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
const folder = temporaryFolder();
const name = archiveName(version, platform);
const unpacked = join(folder, "unpacked");
const nftpol = join(unpacked, "nftpol");

/** One line for each file, as tar shows it. */
let listed: readonly string[] = [];

beforeAll(() => {
  runScript("single-file.ts", ["--output", folder]);
  mkdirSync(unpacked);
  const shown = execFileSync("tar", ["--utc", "-xvvzf", join(folder, name), "-C", unpacked], { encoding: "utf8" });
  listed = shown.trim().split("\n");
});

describe("the archive", () => {
  it("holds the program, licences, completion files and the demo's shop", () => {
    const companionNames = companions("", platformParts(platform).nodeLicence).map((file) => file.name);
    const folders = ["completions/", "policies-examples/", "policies-examples/shop/"];
    expect(listed.map((line) => line.split(" ").at(-1)).sort()).toEqual(
      ["nftpol", ...companionNames, ...folders].sort(),
    );
    expect(companionNames).toEqual(
      expect.arrayContaining(["LICENSE", "NODEJS-LICENSE", "THIRD-PARTY-LICENSES", "completions/_nftpol"]),
    );
  });

  it("is found right by sha256sum", () => {
    expect(run("sha256sum", ["--check", "SHA256SUMS"], { cwd: folder })).toMatchObject({
      code: 0,
      stdout: `${name}: OK\n`,
    });
  });

  it("has no links, which krew refuses, and no owner or time", () => {
    for (const line of listed) expect(line).toMatch(/^[d-]rw[x-]r-[x-]r-[x-] 0\/0 +\d+ 1970-01-01 00:00 /);
  });
});

describe("the program", () => {
  it("says what it is, with nothing in its environment", () => {
    const { code, stdout } = run(nftpol, ["version", "-o", "json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ version, delivery: "single file", node: process.version });
  });

  it.each([
    ["render", "-f", SHOP],
    ["render", "-f", SHOP, "-o", "iptables"],
    ["explain", "shop/frontend", "shop/api", "8080", "-f", SHOP],
    ["prove", "-f", SHOP],
    ["matrix", "-f", SHOP, "-o", "html"],
    ["graph", "-f", SHOP, "-o", "json"],
    ["lint", "-f", SHOP],
    ["test", SHOP],
    ["completion", "bash"],
    ["agent", "--help"],
  ])("%s answers as in the checkout", (...args) => {
    expect(run(nftpol, args)).toEqual(runCheckout(args));
  });

  it("reads standard input, ends with the exit codes of the checkout, and is quiet when its reader has seen enough", () => {
    const script = `cat ${SHOP}/00-cluster.yaml | ${nftpol} render -f - | head -1; ${nftpol} render -f /nonexistent; echo "code $?"`;
    const { stdout, stderr } = run("sh", ["-c", script]);
    expect(stdout).toBe("table inet nftpol\ncode 2\n");
    expect(stderr).toContain("/nonexistent");
    expect(stderr).not.toMatch(/EPIPE|Error:/);
  });

  it("is a plugin of kubectl by its name", () => {
    symlinkSync(nftpol, join(unpacked, "kubectl-nftpol"));
    expect(run("kubectl-nftpol", ["render", "--help"], { path: [unpacked] }).stdout).toMatch(
      /^Usage: kubectl nftpol render/,
    );
  });

  it("takes no code from beside it: neither from the working folder nor from node_modules", () => {
    const env = { NODE_PATH: join(PROJECT, "node_modules") };
    expect(run(nftpol, ["-V"], { cwd: PROJECT, env })).toMatchObject({ code: 0, stderr: "" });
  });

  // Needs namespaces: the lab starts the program again as agents, and both call the C library through koffi.
  const reason = "not root: koffi inside the single file is not tried";
  if (!isRoot()) console.warn(reason);
  it.skipIf(!isRoot())(
    "makes a lab as root, with koffi out of itself, and leaves nothing of it in the temporary folder",
    () => {
      const before = globSync("nftpol-??????/koffi.node", { cwd: tmpdir() });
      const args = ["lab", "run", "-f", join(PROJECT, "policies-examples/01-default-deny-ingress")];
      const { code, stdout } = run(nftpol, args);
      expect(code).toBe(0);
      expect(stdout).toContain("measured = meant");
      expect(globSync("nftpol-??????/koffi.node", { cwd: tmpdir() })).toEqual(before);
    },
  );

  it.skipIf(!isRoot())("says so where the temporary folder allows no programs, and koffi is needed", () => {
    const temporary = join(folder, "no-programs");
    mkdirSync(temporary);
    const mounted = `mount -t tmpfs -o noexec tmpfs ${temporary} && exec env TMPDIR=${temporary}`;
    const script = `${mounted} ${nftpol} lab run -f ${PROJECT}/policies-examples/01-default-deny-ingress`;
    // The mount is seen by this process alone, and ends with it.
    const { code, stderr } = run("unshare", ["--mount", "sh", "-c", script]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^nftpol: the package koffi cannot be loaded: .*koffi\.node/m);
  });
});

describe("made again", () => {
  it("the program has the same bytes", async () => {
    const { node, koffi } = platformParts(platform);
    const { code } = await bundleSingleScript();
    const again = await executable({ node, script: code, assets: { "koffi.node": koffi } });
    const sum = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");
    expect(sum(again)).toBe(sum(readFileSync(nftpol)));
  });

  it("an archive has the same bytes, whatever the order of its files", () => {
    const files = [
      { name: "b/program", content: Buffer.from("1"), isProgram: true },
      { name: "a", content: Buffer.alloc(1000) },
    ];
    expect(tarGz(files, 6)).toEqual(tarGz(files.toReversed(), 6));
  });
});
