// nftpol as it is installed, of the sources as they are now: built, and copied away from them, so that an edit meanwhile changes nothing of
// what is measured (the launcher would take newer sources instead of the bundle). Owns the copy.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

export interface Installation {
  readonly launcher: string;
  readonly bundle: string;
}

export function installInto(folder: string): Installation {
  const { status } = spawnSync(process.execPath, [join(root, "scripts/build.ts")], { stdio: "ignore" });
  if (status !== 0) throw new Error("nftpol cannot be built: npm run build says why");
  const target = join(folder, "nftpol");
  mkdirSync(target);
  for (const part of ["bin", "dist", "package.json"]) cpSync(join(root, part), join(target, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(target, "node_modules"));
  return { launcher: join(target, "bin/nftpol"), bundle: join(target, "dist/nftpol.js") };
}
