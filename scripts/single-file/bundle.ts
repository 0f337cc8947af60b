// The program as one script of CommonJS, which is what Node.js 24 puts into an executable. No chunks: nothing can be loaded
// from beside it. koffi's own code is part of it; its native program is an asset (embedded-koffi.ts).
import { join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { COMMON_SETTINGS, identity, licencesOf } from "../build.ts";

const here = import.meta.dirname;

/** Modules that ask where they are: at the executable. */
const LOCATION =
  'const nftpolUrl = require("node:url").pathToFileURL(process.execPath).href, nftpolFolder = require("node:path").dirname(process.execPath);';

/** koffi looks for its program among packages; here it is given it. */
const embeddedKoffi: Plugin = {
  name: "embedded-koffi",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/src\/static\.js$/ }, ({ importer }) =>
      importer.includes("/koffi/") ? { path: join(here, "embedded-koffi.ts") } : undefined,
    );
  },
};

export interface SingleScript {
  readonly code: string;
  /** The licences of what is in it. */
  readonly licences: string;
}

export async function bundleSingleScript(): Promise<SingleScript> {
  const { outputFiles, metafile } = await build({
    ...COMMON_SETTINGS,
    entryPoints: [join(here, "main.ts")],
    outfile: resolve(here, "nftpol.cjs"),
    write: false,
    format: "cjs",
    // All of it is read at every start.
    minifyWhitespace: true,
    plugins: [embeddedKoffi],
    banner: { js: LOCATION },
    define: {
      ...identity("single file"),
      "import.meta.url": "nftpolUrl",
      "import.meta.dirname": "nftpolFolder",
    },
  });
  const [script] = outputFiles;
  if (script === undefined) throw new Error("esbuild wrote no script");
  const replaced = Object.keys(metafile.inputs).some((path) => path.endsWith("single-file/embedded-koffi.ts"));
  if (!replaced) throw new Error("koffi does not ask for src/static.js any more: its program would not be found");
  return { code: script.text, licences: licencesOf(metafile) };
}
