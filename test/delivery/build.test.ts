// The bundle: the same bytes from the same sources, and what it is told about itself.

import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PROJECT, run, runScript, temporaryFolder } from "./products.ts";

const folder = temporaryFolder();
const node = join(PROJECT, `node_modules/node-linux-${process.arch}/bin/node`);

function build(name: string, env: Readonly<Record<string, string>> = {}): string {
  runScript("build.ts", ["--output", join(folder, name)], env);
  return join(folder, name);
}

function contentsOf(bundle: string): ReadonlyMap<string, string> {
  const files = globSync("**/*.*", { cwd: bundle }).sort();
  return new Map(files.map((file) => [file, readFileSync(join(bundle, file), "utf8")]));
}

function identityOf(bundle: string): object {
  return JSON.parse(run(node, [join(bundle, "nftpol.js"), "version", "-o", "json"]).stdout);
}

it("is the same when it is built again", () => {
  const first = contentsOf(build("first"));
  expect(first.size).toBeGreaterThan(20);
  expect(contentsOf(build("second"))).toEqual(first);
});

it("knows a revision only where it is told one", () => {
  expect(identityOf(build("untold"))).toMatchObject({ revision: "unknown", delivery: "package" });
  const told = build("told", { NFTPOL_REVISION: "abcdef0123", NFTPOL_DELIVERY: "image" });
  expect(identityOf(told)).toMatchObject({ revision: "abcdef0123", delivery: "image" });
});

it.each([
  ["NFTPOL_REVISION", "v1; rm"],
  ["NFTPOL_DELIVERY", "pigeon"],
])("refuses %s=%s, and leaves nothing behind", (name, value) => {
  const output = join(folder, "refused");
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.ts", "--output", output], {
    cwd: PROJECT,
    encoding: "utf8",
    env: { ...process.env, [name]: value },
  });
  expect(status).toBe(1);
  expect(stderr).toContain(`${name} is "${value}"`);
  expect(globSync("refused*", { cwd: folder })).toEqual([]);
});
