// Owns `npm run package`: the package that is published, as nftpol-VERSION.tgz. It holds the files that package.json lists; its
// own package.json asks for nothing that the bundle has inside, so that an install brings no package twice.
// `npm run package -- --output FOLDER`
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeChecksums } from "./single-file.ts";

const root = resolve(import.meta.dirname, "..");

/** npm adds these by itself. */
const ALWAYS = ["README.md", "LICENSE"];

interface PackageJson {
  readonly version: string;
  readonly files: readonly string[];
  readonly repository: { readonly url: string };
  readonly [field: string]: unknown;
}

/** What only a checkout needs, or what the bundle has inside. */
const LEFT_OUT = ["files", "scripts", "dependencies", "devDependencies", "allowScripts"];

export function publishedPackageJson(own: PackageJson): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(own).filter(([field]) => !LEFT_OUT.includes(field)));
}

function main(): void {
  const { values } = parseArgs({ options: { output: { type: "string", default: "dist-archives" } } });
  const output = resolve(values.output);
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as PackageJson;
  if (own.repository.url.includes("/OWNER/"))
    console.warn("package: package.json still names OWNER as the repository's owner: not to be published like this");
  mkdirSync(output, { recursive: true });
  mkdirSync(join(root, ".tools"), { recursive: true });
  const staging = mkdtempSync(join(root, ".tools/package-"));
  try {
    const build = [join(root, "scripts/build.ts"), "--output", join(staging, "dist")];
    execFileSync(process.execPath, build, { cwd: staging, stdio: "inherit" });
    for (const path of [...own.files, ...ALWAYS].filter((each) => !each.startsWith("dist/"))) {
      mkdirSync(dirname(join(staging, path)), { recursive: true });
      cpSync(join(root, path), join(staging, path), { recursive: true });
    }
    writeFileSync(join(staging, "package.json"), `${JSON.stringify(publishedPackageJson(own), undefined, 2)}\n`);
    execFileSync("npm", ["pack", "--silent", "--pack-destination", output], {
      cwd: staging,
      stdio: ["ignore", "ignore", "inherit"],
    });
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  writeChecksums(output);
  console.log(join(output, `nftpol-${own.version}.tgz`));
}

if (import.meta.main) main();
