// Node.js and koffi's native program for the platform that a single file is made for: this machine's from node_modules, others'
// through npm, by the checksums of package-lock.json.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

export const PLATFORMS = ["linux-x64", "linux-arm64"] as const;
export type Platform = (typeof PLATFORMS)[number];

export interface PlatformParts {
  readonly node: string;
  readonly nodeLicence: string;
  readonly koffi: string;
}

export function platformOfThisMachine(): Platform | undefined {
  return PLATFORMS.find((platform) => platform === `${process.platform}-${process.arch}`);
}

/** Fetches what is missing; throws where that fails. */
export function platformParts(platform: Platform): PlatformParts {
  const parts = partsIn(platform === platformOfThisMachine() ? root : fetched(platform), platform);
  for (const file of Object.values(parts)) if (!existsSync(file)) throw new Error(`${file} is missing: run npm ci`);
  return parts;
}

function partsIn(folder: string, platform: Platform): PlatformParts {
  const modules = join(folder, "node_modules");
  const [os, arch] = platform.split("-");
  return {
    node: join(modules, `node-${platform}/bin/node`),
    nodeLicence: join(modules, `node-${platform}/LICENSE`),
    koffi: join(modules, `@koromix/koffi-${platform}/${os}_${arch}/koffi.node`),
  };
}

function fetched(platform: Platform): string {
  const folder = join(root, ".tools", `parts-${platform}`);
  mkdirSync(folder, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(root, file), join(folder, file));
  const [os = "", cpu = ""] = platform.split("-");
  const wanted = ["--os", os, "--cpu", cpu, "--libc", "glibc", "--omit", "dev"];
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  execFileSync("npm", ["ci", ...wanted, ...quiet], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  return folder;
}
