// Puts a script and its assets into a copy of Node.js: a single executable application, as Node.js documents it. No code cache
// and no snapshot: with them no two builds are equal, and only the machine's own kind could be built for.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where Node.js looks for the blob, and the bytes by which it knows that it has one: from its documentation. */
const RESOURCE = "NODE_SEA_BLOB";
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

export interface ExecutableParts {
  /** The Node.js that becomes the program; of the same version as the one that runs this. */
  readonly node: string;
  readonly script: string;
  /** Files that the program asks for by these names. */
  readonly assets: Readonly<Record<string, string>>;
}

/** The program's bytes. The same parts give the same ones. */
export async function executable({ node, script, assets }: ExecutableParts): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "nftpol-single-file-"));
  try {
    const program = join(folder, "program");
    writeFileSync(program, readFileSync(node));
    await inject(program, prepareBlob(folder, script, assets));
    return readFileSync(program);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function prepareBlob(folder: string, script: string, assets: Readonly<Record<string, string>>): Buffer {
  const [config, blob] = [join(folder, "sea.json"), join(folder, "blob")];
  writeFileSync(join(folder, "nftpol.cjs"), script);
  writeFileSync(
    config,
    JSON.stringify({
      // The path becomes part of the blob; a relative one is the same in every folder.
      main: "nftpol.cjs",
      output: "blob",
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      useCodeCache: false,
      // A signal must not open the inspector in a process with the agent's rights.
      execArgv: ["--disable-sigusr1"],
      assets,
    }),
  );
  execFileSync(process.execPath, ["--experimental-sea-config", "sea.json"], { cwd: folder, stdio: "pipe" });
  return readFileSync(blob);
}

/** postject is what Node.js's documentation names for this; later versions do it themselves (`--build-sea`). */
async function inject(program: string, blob: Buffer): Promise<void> {
  const { inject: injectResource } = await import("postject");
  const said: unknown[] = [];
  const { warn } = console;
  // It finds the notes of Node.js's sections unusual, one line for each.
  console.warn = (line: unknown) => said.push(line);
  try {
    await injectResource(program, RESOURCE, blob, { sentinelFuse: FUSE });
  } catch (error) {
    throw new Error(`the script could not be put into Node.js: ${said.join("; ")}`, { cause: error });
  } finally {
    console.warn = warn;
  }
}
