// The image as users build it, from bases that need no network: Debian as scripts/image-base.ts has made it, and the same with
// Node.js, npm and npm's cache. Owns the bases; the Dockerfile is the project's own.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { SYSTEM_BASE } from "../../scripts/image-base.ts";
import { findProgram } from "../../scripts/system-tools.ts";
import type { ContainerEngine } from "./container-engine.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const SYSTEM = "nftpol-test/system:1";
const BUILD = "nftpol-test/build:1";
const PATH = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export async function importBases(engine: ContainerEngine): Promise<void> {
  if (!existsSync(SYSTEM_BASE)) throw new Error("there is no base: npm run test:image makes it first");
  await engine.import(SYSTEM_BASE, SYSTEM, [PATH]);
  const folder = mkdtempSync(join(tmpdir(), "nfpt-image-"));
  try {
    const [root, tar] = [join(folder, "root"), join(folder, "build.tar")];
    mkdirSync(root);
    run("tar", "--extract", "--numeric-owner", "-f", SYSTEM_BASE, "-C", root);
    addNode(root);
    run("tar", "--create", "--numeric-owner", "-f", tar, "-C", root, ".");
    await engine.import(tar, BUILD, [PATH, "ENV npm_config_offline=true npm_config_update_notifier=false"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What `npm ci` has put into the cache when this project was installed is all that it needs a second time. */
function addNode(root: string): void {
  const npm = resolve(dirname(realpathSync(findProgram("npm") ?? "npm")), "..");
  for (const folder of ["usr/local/bin", "usr/local/lib/node_modules", "root/.npm"])
    mkdirSync(join(root, folder), { recursive: true });
  cpSync(realpathSync(process.execPath), join(root, "usr/local/bin/node"));
  cpSync(npm, join(root, "usr/local/lib/node_modules/npm"), { recursive: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm"));
  const cache = run("npm", "config", "get", "cache", "--global").trim();
  // Not what other calls of npm are just fetching.
  for (const part of ["content-v2", "index-v5"])
    cpSync(join(cache, "_cacache", part), join(root, "root/.npm/_cacache", part), { recursive: true });
}

function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr}`);
  return stdout;
}

/** The commit that it says to be of. */
export const REVISION = "0123456789abcdef0123456789abcdef01234567";

/** `docker build` of the project, with these bases. `again`: what is collected for the image is collected anew. */
export async function buildImage(engine: ContainerEngine, name: string, { again = false } = {}): Promise<void> {
  const bases = ["--build-arg", `BUILD_IMAGE=${BUILD}`, "--build-arg", `SYSTEM_IMAGE=${SYSTEM}`];
  const labels = ["--build-arg", "VERSION=0.0.0-test", "--build-arg", `REVISION=${REVISION}`];
  // For the engine another command, so that nothing behind it comes from its cache.
  const how = ["--network=host", ...(again ? ["--build-arg", "NFTABLES_VERSION=1.1.3*"] : [])];
  await engine.must(["build", ...how, ...bases, ...labels, "--tag", name, PROJECT]);
}
