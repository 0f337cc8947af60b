// koffi's native program, out of the single file. Takes the place of koffi's own search for it (single-file/bundle.ts).
// The dynamic loader wants a path: the program is written to a folder that only this user can enter, loaded, and removed.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRawAsset } from "node:sea";

/** The asset's name. */
const KOFFI = "koffi.node";

/** Throws where it cannot be loaded, as on a temporary folder without execution; nftpol then goes on without koffi. */
export function loadStatic(): unknown {
  const folder = mkdtempSync(join(tmpdir(), "nftpol-"));
  try {
    const file = join(folder, KOFFI);
    writeFileSync(file, new Uint8Array(getRawAsset(KOFFI)), { mode: 0o500, flag: "wx" });
    const loaded: { exports: unknown } = { exports: {} };
    process.dlopen(loaded, file);
    return loaded.exports;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
