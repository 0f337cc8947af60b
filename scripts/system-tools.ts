// Owns the programs of the operating system that tests and the demo call: which they are, where they are, and
// (as root on Debian) installing the missing ones. `node scripts/system-tools.ts [kernel|browser|image|all]`.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

interface Tool {
  /** Any one of these programs will do. */
  readonly programs: readonly string[];
  readonly debianPackage: string;
  readonly purpose: Purpose;
  readonly without: string;
}

const PURPOSES = ["kernel", "browser", "image"] as const;
type Purpose = (typeof PURPOSES)[number];

const tools: readonly Tool[] = [
  { programs: ["nft"], debianPackage: "nftables", purpose: "kernel", without: "nothing is loaded into a kernel" },
  { programs: ["ip"], debianPackage: "iproute2", purpose: "kernel", without: "no network namespaces, no real packets" },
  { programs: ["conntrack"], debianPackage: "conntrack", purpose: "kernel", without: "no tests of open connections" },
  // Both variants are tested; where this one is, Debian's package has put the other, too.
  { programs: ["iptables-legacy"], debianPackage: "iptables", purpose: "kernel", without: "no tests of iptables" },
  { programs: ["ipset"], debianPackage: "ipset", purpose: "kernel", without: "no tests of iptables" },
  {
    programs: ["chromium", "chromium-browser", "google-chrome"],
    debianPackage: "chromium",
    purpose: "browser",
    without: "no browser tests",
  },
  {
    programs: ["dockerd"],
    debianPackage: "docker.io",
    purpose: "image",
    without: "the image is not built and not run",
  },
  {
    programs: ["mmdebstrap"],
    debianPackage: "mmdebstrap",
    purpose: "image",
    without: "there is no base for the image",
  },
];

/** Where a program is, or undefined. Looks in the sbin folders too: an ordinary user's PATH lacks them. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** In CI nothing may be left out: what is missing is an error. */
export function isCi(): boolean {
  return process.env.CI === "true";
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function missing(purposes: readonly Purpose[]): readonly Tool[] {
  return tools.filter(
    (tool) => purposes.includes(tool.purpose) && !tool.programs.some((program) => findProgram(program) !== undefined),
  );
}

function aptGet(args: readonly string[]): string | undefined {
  const result = spawnSync("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=120", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  if (result.status === 0) return undefined;
  return `apt-get ${args[0]}: ${result.error?.message ?? `${result.stderr}\n${result.stdout}`.trim().slice(-2000)}`;
}

/** Installs what is missing; the reason when that does not work. */
function install(lacking: readonly Tool[]): string | undefined {
  if (!isRoot()) return "installing needs root";
  if (findProgram("apt-get") === undefined) return "no apt-get on this machine";
  const packages = lacking.map((tool) => tool.debianPackage);
  console.log(`system tools: installing ${packages.join(", ")} with apt-get`);
  return aptGet(["update"]) ?? aptGet(["install", "--yes", "--no-install-recommends", ...packages]);
}

/** 0: go on, 1: stop. */
function provide(purposes: readonly Purpose[]): number {
  const lacking = missing(purposes);
  if (lacking.length === 0) {
    console.log(`system tools: all there (${purposes.join(", ")})`);
    return 0;
  }
  const problem = install(lacking);
  const still = missing(purposes);
  if (still.length === 0) return 0;
  for (const tool of still) console.error(`system tools: ${tool.programs[0]} is missing, so: ${tool.without}`);
  console.error(`system tools: ${problem ?? "the packages do not contain the programs"}`);
  return isCi() ? 1 : 0;
}

function purposesOf(argument = "all"): readonly Purpose[] {
  if (argument === "all") return PURPOSES;
  const purpose = PURPOSES.find((each) => each === argument);
  if (purpose === undefined) throw new Error(`unknown purpose ${argument}: ${PURPOSES.join(", ")} or all`);
  return [purpose];
}

if (import.meta.main) process.exitCode = provide(purposesOf(process.argv[2]));
