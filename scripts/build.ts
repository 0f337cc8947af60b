// Owns the release bundle: src/cli/main.ts -> dist/nftpol.js and its lazily loaded chunks, with the completion files and the
// licences of what is inside; `--output FOLDER`: elsewhere. The same sources give the same bytes: neither clock nor git is
// read, and of the environment only what nobody else can know: NFTPOL_REVISION, the commit, and NFTPOL_DELIVERY, `image`
// where the image is built.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Metafile } from "esbuild";

const root = resolve(import.meta.dirname, "..");
const entry = join(root, "src/cli/main.ts");
const dist = join(root, "dist");

/** Packages with native code or files of their own: loaded from node_modules at run time. */
const notBundled = ["koffi"];

/** CommonJS packages inside the bundle ask for `require`; ES modules do not have one. */
const requireForCommonJs =
  'import { createRequire as nftpolCreateRequire } from "node:module"; const require = nftpolCreateRequire(import.meta.url);';

/** What every bundle is built with. */
export const COMMON_SETTINGS = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node24",
  minifySyntax: true,
  sourcemap: false,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
} as const;

/** What is written into a bundle about itself; `src/cli/version.ts` reads it. Throws for a revision that is none. */
export function identity(delivery: string): Record<string, string> {
  const version: string = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
  const revision = process.env.NFTPOL_REVISION ?? "unknown";
  if (revision !== "unknown" && !/^[0-9a-f]{7,64}$/.test(revision))
    throw new Error(`NFTPOL_REVISION is ${JSON.stringify(revision)}; it has to be a commit's hash, or unknown`);
  return {
    NFTPOL_VERSION: JSON.stringify(version),
    NFTPOL_REVISION: JSON.stringify(revision),
    NFTPOL_DELIVERY: JSON.stringify(delivery),
  };
}

/** Builds into a folder of its own first, so that a nftpol started meanwhile sees the old bundle or the new one. */
async function build(target: string): Promise<void> {
  const { build: bundle } = await import("esbuild");
  const delivery = process.env.NFTPOL_DELIVERY ?? "package";
  if (!["package", "image"].includes(delivery)) throw new Error(`NFTPOL_DELIVERY is ${JSON.stringify(delivery)}`);
  const startedAt = new Date();
  const staging = target === dist ? join(root, ".tools", `build-${process.pid}`) : `${target}.building`;
  try {
    const { metafile } = await bundle({
      ...COMMON_SETTINGS,
      entryPoints: [{ in: entry, out: "nftpol" }],
      outdir: staging,
      chunkNames: "chunks/[name]-[hash]",
      format: "esm",
      splitting: true,
      external: notBundled,
      banner: { js: requireForCommonJs },
      define: identity(delivery),
    });
    await writeCompletions(join(staging, "completions"));
    writeFileSync(join(staging, "THIRD-PARTY-LICENSES"), licencesOf(metafile));
    // bin/nftpol compares this time with the sources': an edit during the build must count as newer.
    utimesSync(join(staging, "nftpol.js"), startedAt, startedAt);
    replaceDirectory(staging, target);
    const sizes = Object.values(metafile.outputs).map((output) => output.bytes);
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
    console.log(
      `${relative(process.cwd(), target)}/nftpol.js and ${sizes.length - 1} chunks, ${Math.round(total / 1024)} KiB`,
    );
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** The files that `nftpol completion` prints, under the names by which shells find them. */
export async function writeCompletions(folder: string): Promise<void> {
  const { COMPLETION_SCRIPTS } = await import("../src/cli/completion-scripts.ts");
  mkdirSync(folder, { recursive: true });
  for (const { fileName, text, isProgram } of Object.values(COMPLETION_SCRIPTS)) {
    writeFileSync(join(folder, fileName), text());
    chmodSync(join(folder, fileName), isProgram ? 0o755 : 0o644);
  }
}

const NO_TEXT = "(the package has no file with its text)";

/** The licences of the packages whose code is in a bundle: they ask to be told with every copy. */
export function licencesOf({ inputs }: Pick<Metafile, "inputs">): string {
  const folders = Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  const texts = [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const file = readdirSync(join(root, folder)).find((each) => /^licen[cs]e/i.test(each));
    const text = file === undefined ? NO_TEXT : readFileSync(join(root, folder, file), "utf8").trim();
    return `${name} ${version}: ${license}\n\n${text}\n`;
  });
  return `Packages whose code is part of nftpol.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

/** Puts the new directory in place whole. */
function replaceDirectory(fresh: string, target: string): void {
  const old = `${fresh}.old`;
  if (existsSync(target)) renameSync(target, old);
  renameSync(fresh, target);
  rmSync(old, { recursive: true, force: true });
}

/** Why there is nothing to build; only `--if-possible` (npm's prepare) may ask. */
function reasonToSkip(): string | undefined {
  if (!existsSync(entry)) return "src/cli/main.ts does not exist";
  if (statSync(join(root, "node_modules/esbuild"), { throwIfNoEntry: false }) === undefined)
    return "esbuild is not installed (no development dependencies); nftpol runs from src/";
  return undefined;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { "if-possible": { type: "boolean", default: false }, output: { type: "string", default: dist } },
  });
  const skip = values["if-possible"] ? reasonToSkip() : undefined;
  if (skip !== undefined) {
    console.log(`build: skipped, ${skip}`);
  } else {
    mkdirSync(join(root, ".tools"), { recursive: true });
    await build(resolve(values.output));
  }
}
