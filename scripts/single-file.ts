// Owns `npm run single-file`: the program in one file that needs no Node.js, in an archive for each platform, with SHA256SUMS.
// `npm run single-file -- --platform linux-arm64 --platform linux-x64 --output FOLDER`; default: this machine's platform.
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { COMPLETION_SCRIPTS } from "../src/cli/completion-scripts.ts";
import { bundleSingleScript, type SingleScript } from "./single-file/bundle.ts";
import { executable } from "./single-file/executable.ts";
import { PLATFORMS, type Platform, platformOfThisMachine, platformParts } from "./single-file/platform-parts.ts";
import { type ArchivedFile, tarGz } from "./tar.ts";

const root = resolve(import.meta.dirname, "..");
/** The next one takes a quarter more time for half a percent. */
const GZIP_LEVEL = 5;

/** The words of Kubernetes and krew for what Node.js calls x64. */
const ARCHITECTURES: Readonly<Record<Platform, string>> = { "linux-x64": "amd64", "linux-arm64": "arm64" };

export function archiveName(version: string, platform: Platform): string {
  return `nftpol-${version}-linux-${ARCHITECTURES[platform]}.tar.gz`;
}

/** What an archive holds beside the program. The shop is what `nftpol lab demo` shows. */
export function companions(licences: string, nodeLicence: string): readonly ArchivedFile[] {
  const copied = ["LICENSE", "README.md", "CHANGELOG.md", ...globSync("policies-examples/shop/*", { cwd: root })];
  return [
    ...copied.map((name) => ({ name, content: readFileSync(join(root, name)) })),
    { name: "THIRD-PARTY-LICENSES", content: Buffer.from(licences) },
    { name: "NODEJS-LICENSE", content: readFileSync(nodeLicence) },
    ...Object.values(COMPLETION_SCRIPTS).map(({ fileName, text, isProgram = false }) => ({
      name: `completions/${fileName}`,
      content: Buffer.from(text()),
      isProgram,
    })),
  ];
}

async function makeArchive(platform: Platform, { code, licences }: SingleScript, output: string): Promise<void> {
  const { node, koffi, nodeLicence } = platformParts(platform);
  const content = await executable({ node, script: code, assets: { "koffi.node": koffi } });
  const version: string = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
  const name = archiveName(version, platform);
  const files = [{ name: "nftpol", content, isProgram: true }, ...companions(licences, nodeLicence)];
  const archive = tarGz(files, GZIP_LEVEL);
  writeFileSync(join(output, name), archive);
  const mebibytes = ({ length }: Uint8Array) => `${(length / 2 ** 20).toFixed(1)} MiB`;
  console.log(`${join(output, name)}: ${mebibytes(archive)}, the program ${mebibytes(content)}`);
}

/** Of every archive and package in the folder, for `sha256sum --check`. */
export function writeChecksums(folder: string): void {
  const names = readdirSync(folder).filter((name) => /\.(tar\.gz|tgz)$/.test(name));
  const lines = names.sort().map((name) => {
    const sum = createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
    return `${sum}  ${name}\n`;
  });
  writeFileSync(join(folder, "SHA256SUMS"), lines.join(""));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      platform: { type: "string", multiple: true, default: [platformOfThisMachine() ?? "linux-x64"] },
      output: { type: "string", default: "dist-archives" },
    },
  });
  const platforms = values.platform.map((name) => {
    const platform = PLATFORMS.find((each) => each === name);
    if (platform === undefined) throw new Error(`no platform ${name}; there are: ${PLATFORMS.join(", ")}`);
    return platform;
  });
  const output = resolve(values.output);
  mkdirSync(output, { recursive: true });
  const script = await bundleSingleScript();
  for (const platform of platforms) await makeArchive(platform, script, output);
  writeChecksums(output);
}

if (import.meta.main) await main();
