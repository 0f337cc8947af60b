// The version of nftpol: written into the bundle, read from package.json in a checkout.

import { readFileSync } from "node:fs";

/** Defined by scripts/build.ts. */
declare const NFTPOL_VERSION: string | undefined;

export function programVersion(): string {
  if (typeof NFTPOL_VERSION === "string") return NFTPOL_VERSION;
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
