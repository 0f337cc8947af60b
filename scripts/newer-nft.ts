// Owns getting the nft of newer Debian releases next to the system's one, without installing anything:
// .tools/nft-<release>/nft runs the unpacked program with the unpacked C library. apt verifies the signatures.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, globSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type AptSource, machineRelease, machineSources, releases, sourcesFor, writeSources } from "./apt-source.ts";
import { findProgram, isCi } from "./system-tools.ts";

const toolsFolder = resolve(import.meta.dirname, "../.tools");
const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** The release whose nft has to be there in CI; a later one, not yet released, is welcome when it resolves. */
const required = "trixie";

function run(program: string, args: readonly string[]): string {
  const result = spawnSync(program, args, {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  if (result.status === 0) return result.stdout;
  const said = `${result.stderr ?? ""}`.trim().slice(-2000);
  throw new Error(`${program} ${args.at(-2)} ${args.at(-1)}: ${result.error?.message ?? said}`);
}

/** An apt of its own: own sources, lists and cache, and an empty machine, so that every dependency is fetched. */
class PrivateApt {
  readonly #folder: string;
  readonly #options: readonly string[];

  constructor(folder: string, sources: string) {
    this.#folder = folder;
    for (const name of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, "debian.sources"), sources);
    writeFileSync(join(folder, "status"), "");
    this.#options = [
      `Dir::Etc::SourceList=${join(folder, "debian.sources")}`,
      "Dir::Etc::SourceParts=/dev/null",
      `Dir::State::Lists=${join(folder, "lists")}`,
      `Dir::State::Status=${join(folder, "status")}`,
      `Dir::State::Extended_States=${join(folder, "extended-states")}`,
      `Dir::Cache=${join(folder, "cache")}`,
      "APT::Update::Error-Mode=any",
      "APT::Update::Post-Invoke-Success::=",
      "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
      "Acquire::Languages=none",
      "Acquire::Retries=3",
      // The checkout may lie where apt's download user has no access; packages are verified all the same.
      "APT::Sandbox::User=root",
    ].flatMap((option) => ["-o", option]);
  }

  /** The package and all it depends on, as .deb files, unpacked into `target`. */
  unpack(packageName: string, target: string): void {
    run("apt-get", ["-q", ...this.#options, "update"]);
    const fetch = ["--yes", "--no-install-recommends", "--download-only", "install", packageName];
    run("apt-get", ["-q", ...this.#options, ...fetch]);
    const archives = join(this.#folder, "cache/archives");
    mkdirSync(target, { recursive: true });
    for (const name of readdirSync(archives).filter((file) => file.endsWith(".deb")))
      run("dpkg-deb", ["--extract", join(archives, name), target]);
  }
}

/** The newer release's sources; with a newer keyring from the machine's own release when its key is not known yet. */
function unpackNft(release: string, own: string, work: string, target: string): void {
  const machine = machineSources();
  const sources = sourcesFor(release, own, machine);
  if (sources.length === 0) throw new Error(`no source of ${own} among the machine's apt sources`);
  const known = existsSync(debianKeyring) ? debianKeyring : undefined;
  try {
    new PrivateApt(
      join(work, "apt"),
      writeSources(sources, sources.some((s) => s.signedBy) ? undefined : known),
    ).unpack("nftables", target);
  } catch (error) {
    if (!(error instanceof Error && /NO_PUBKEY|not signed|Missing key/i.test(error.message))) throw error;
    const keyring = newerKeyring(machine, own, work);
    new PrivateApt(join(work, "apt-newer-key"), writeSources(sources, keyring)).unpack("nftables", target);
  }
}

/** Debian's point releases hand out the next releases' keys: the machine's own keyring package, signed by known keys. */
function newerKeyring(machine: readonly AptSource[], own: string, work: string): string {
  const sources = sourcesFor(own, own, machine);
  const unpacked = join(work, "keyring");
  new PrivateApt(join(work, "apt-keyring"), writeSources(sources, undefined)).unpack(
    "debian-archive-keyring",
    unpacked,
  );
  return join(unpacked, debianKeyring);
}

function writeLauncher(folder: string): void {
  const loader = globSync("root/{usr/,}lib/*-linux-gnu*/ld-linux-*.so.*", { cwd: folder })[0];
  const program = globSync("root/{usr/,}sbin/nft", { cwd: folder })[0];
  if (loader === undefined || program === undefined) throw new Error("the packages hold no nft or no loader");
  const libraries = globSync("root/{usr/,}lib/*-linux-gnu*", { cwd: folder });
  const path = libraries.map((library) => `$here/${library}`).join(":");
  const lines = [
    "#!/bin/sh",
    "# nft of another Debian release, with the libraries of that release.",
    'here=$(CDPATH="" cd -P -- "$' + '{0%/*}" && pwd) || exit 1',
    `exec "$here/${loader}" --library-path "${path}" "$here/${program}" "$@"`,
    "",
  ];
  writeFileSync(join(folder, "nft"), lines.join("\n"));
  chmodSync(join(folder, "nft"), 0o755);
}

/** The version that this nft says, e.g. "v1.1.3". */
function versionOf(nft: string): string {
  return /v\d[\w.]*/.exec(run(nft, ["--version"]))?.[0] ?? "unknown version";
}

function provide(release: string, own: string): void {
  const folder = join(toolsFolder, `nft-${release}`);
  const launcher = join(folder, "nft");
  if (!existsSync(launcher)) {
    const work = join(toolsFolder, `nft-work-${process.pid}`);
    const fresh = join(work, "result");
    try {
      unpackNft(release, own, work, join(fresh, "root"));
      rmSync(join(fresh, "root/usr/share"), { recursive: true, force: true });
      writeLauncher(fresh);
      versionOf(join(fresh, "nft"));
      rmSync(folder, { recursive: true, force: true });
      renameSync(fresh, folder);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  console.log(`newer nft: ${versionOf(launcher)} of Debian ${release} in .tools/nft-${release}/nft`);
}

/** Tries each release newer than the machine's; the exit code. */
function main(): number {
  const machine = machineRelease();
  const problem = "problem" in machine ? machine.problem : missingTool();
  if ("problem" in machine || problem !== undefined) {
    console.error(`newer nft: none, the system's is tested alone (${problem})`);
    return isCi() ? 1 : 0;
  }
  const rank = (release: string) => releases.indexOf(release);
  const candidates = releases.filter(
    (release) => rank(release) > rank(machine.codename) && rank(release) >= rank(required),
  );
  if (candidates.length === 0) console.log(`newer nft: Debian ${machine.codename} has the newest`);
  let failed = false;
  for (const release of candidates) {
    try {
      provide(release, machine.codename);
    } catch (error) {
      console.error(`newer nft: not the one of ${release}: ${error instanceof Error ? error.message : error}`);
      failed ||= release === candidates[0];
    }
  }
  return failed && isCi() ? 1 : 0;
}

function missingTool(): string | undefined {
  const lacking = ["apt-get", "dpkg-deb"].filter((program) => findProgram(program) === undefined);
  return lacking.length === 0 ? undefined : `no ${lacking.join(", ")}`;
}

if (import.meta.main) process.exitCode = main();
