// Owns the release bundle: src/cli/main.ts -> dist/nftpol.js and its lazily loaded chunks.
// The same sources give the same bytes: nothing is read from the environment, the clock or git.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const entry = join(root, "src/cli/main.ts");
const dist = join(root, "dist");

/** Packages with native code or files of their own: loaded from node_modules at run time. */
const notBundled = ["koffi"];

/** CommonJS packages inside the bundle ask for `require`; ES modules do not have one. */
const requireForCommonJs =
  'import { createRequire as nftpolCreateRequire } from "node:module"; const require = nftpolCreateRequire(import.meta.url);';

async function build(): Promise<void> {
  const { build: bundle } = await import("esbuild");
  const startedAt = new Date();
  const version: string = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
  const staging = join(root, ".tools", `build-${process.pid}`);
  try {
    const result = await bundle({
      absWorkingDir: root,
      entryPoints: [{ in: entry, out: "nftpol" }],
      outdir: staging,
      chunkNames: "chunks/[name]-[hash]",
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node24",
      splitting: true,
      minifySyntax: true,
      sourcemap: false,
      legalComments: "none",
      external: notBundled,
      banner: { js: requireForCommonJs },
      define: { NFTPOL_VERSION: JSON.stringify(version) },
      metafile: true,
      logLevel: "warning",
    });
    // bin/nftpol compares this time with the sources': an edit during the build must count as newer.
    utimesSync(join(staging, "nftpol.js"), startedAt, startedAt);
    replaceDirectory(staging, dist);
    const sizes = Object.values(result.metafile.outputs).map((output) => output.bytes);
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
    console.log(`dist/nftpol.js and ${sizes.length - 1} chunks, ${Math.round(total / 1024)} KiB`);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Puts the new directory in place whole, so that a nftpol started meanwhile sees the old one or the new one. */
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

const skip = process.argv.includes("--if-possible") ? reasonToSkip() : undefined;
if (skip !== undefined) {
  console.log(`build: skipped, ${skip}`);
} else {
  mkdirSync(join(root, ".tools"), { recursive: true });
  await build();
}
