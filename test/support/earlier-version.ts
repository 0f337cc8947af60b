// Earlier versions of this program, from this repository's history. Owns which ones the tests of upgrades use, and how they come to a
// folder from which they run. A clone without the history fails: nothing is left out.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { AgentProgram } from "./packet-agent.ts";

const root = resolve(import.meta.dirname, "../..");
/** Below node_modules: its packages are those of this version, of the same versions. */
const folder = join(root, ".tools/earlier");

export interface EarlierVersion {
  readonly commit: string;
  /** What it builds differently, for test names. */
  readonly differs: string;
  /** Options of today's agent that it does not have. */
  readonly lacks: readonly string[];
}

/** nft: every class has another name, and there are no maps and no chain for what pods send to their own node. */
export const BEFORE_TIERS: EarlierVersion = {
  commit: "0ee0c251fb23e5b60ad69a827b5461b079e13d4b",
  differs: "before cluster-wide tiers",
  lacks: ["--netlink", "--backend", "--iptables-variant"],
};

/** nft: no set for ranges of ports, and nothing about link scope. */
export const BEFORE_PORT_RANGES: EarlierVersion = {
  commit: "f05a73ccc216f821c9c44db644c2acedf85e0710",
  differs: "before sets of port ranges",
  lacks: BEFORE_TIERS.lacks,
};

/** iptables: chains lead to classes another way, and deny chains name sets. */
export const BEFORE_CLASS_TREE: EarlierVersion = {
  commit: "54bb90cdc34df93ee3b6e6b60f631f93d77e26ad",
  differs: "before the tree of classes",
  lacks: ["--netlink"],
};

/** Unpacked once. Throws where the clone has not got the commit. */
export function programOf({ commit, lacks }: EarlierVersion): AgentProgram {
  const target = join(folder, commit);
  if (!existsSync(target)) unpack(commit, target);
  return { main: join(target, "src/cli/main.ts"), lacks };
}

function unpack(commit: string, target: string): void {
  const git = ["-C", root, "-c", `safe.directory=${root}`];
  const known = spawnSync("git", [...git, "cat-file", "-e", `${commit}^{commit}`], { encoding: "utf8" });
  if (known.status !== 0) {
    const said = known.error?.message ?? known.stderr.trim();
    throw new Error(
      `this clone has no commit ${commit}, the version that upgrades are tested from (git: ${said}): ` +
        "if it is shallow, fetch the rest with `git fetch --unshallow`",
    );
  }
  mkdirSync(folder, { recursive: true });
  const fresh = mkdtempSync(join(folder, "unpacking-"));
  try {
    const archive = spawnSync("git", [...git, "archive", "--format=tar", commit, "src", "package.json"], {
      maxBuffer: 64 << 20,
    });
    if (archive.status !== 0) throw new Error(`git archive ${commit}: ${archive.stderr}`);
    const tar = spawnSync("tar", ["-x", "-C", fresh], { input: archive.stdout });
    if (tar.status !== 0) throw new Error(`tar: ${tar.error?.message ?? tar.stderr}`);
    renameSync(fresh, target);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another process has been quicker: what it has unpacked is the same.
    if (!existsSync(target)) throw error;
  }
}
