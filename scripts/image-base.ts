// Owns the base of the image where no registry can be reached: .tools/image-base/system.tar, the root file system of the Debian
// release that the Dockerfile is made for, with the programs that it would install, from the machine's own mirror.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { machineRelease, machineSources, sourcesFor, writeSources } from "./apt-source.ts";
import { findProgram, isCi } from "./system-tools.ts";

/** The Dockerfile's SYSTEM_IMAGE. */
const RELEASE = "trixie";
const PACKAGES = ["nftables", "iptables", "ipset", "libstdc++6"];
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

export const SYSTEM_BASE = resolve(import.meta.dirname, "../.tools/image-base/system.tar");

/** Where no network is asked later, the base must not name any. */
const FORGET_MIRRORS =
  'rm -f "$1"/etc/apt/sources.list; rm -rf "$1"/etc/apt/sources.list.d; mkdir "$1"/etc/apt/sources.list.d';

function makeBase(): void {
  const machine = machineRelease();
  if ("problem" in machine) throw new Error(machine.problem);
  const mmdebstrap = findProgram("mmdebstrap");
  if (mmdebstrap === undefined) throw new Error("mmdebstrap is not installed");
  const folder = dirname(SYSTEM_BASE);
  mkdirSync(folder, { recursive: true });
  const sources = join(folder, "debian.sources");
  const known = sourcesFor(RELEASE, machine.codename, machineSources());
  writeFileSync(sources, writeSources(known, known.some(({ signedBy }) => signedBy) ? undefined : KEYRING));
  const fresh = join(folder, `system-${process.pid}.tar`);
  const args = ["--quiet", "--variant=apt", `--include=${PACKAGES.join(",")}`, `--customize-hook=${FORGET_MIRRORS}`];
  try {
    const { status, error, stderr } = spawnSync(mmdebstrap, [...args, RELEASE, fresh, sources], {
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`mmdebstrap: ${error?.message ?? stderr.trim().slice(-2000)}`);
    renameSync(fresh, SYSTEM_BASE);
  } finally {
    rmSync(fresh, { force: true });
  }
}

if (import.meta.main) {
  try {
    if (!existsSync(SYSTEM_BASE)) makeBase();
    console.log(`image base: Debian ${RELEASE} in .tools/image-base/system.tar`);
  } catch (error) {
    console.error(`image base: none, the image is not tested (${error instanceof Error ? error.message : error})`);
    process.exitCode = isCi() ? 1 : 0;
  }
}
