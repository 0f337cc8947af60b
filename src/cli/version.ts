// What this program is: version, source revision, and how it was delivered. Written into bundles by scripts/build.ts; a
// checkout reads its package.json. Nothing asks git.

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

/** Defined by scripts/build.ts. */
declare const NFTPOL_VERSION: string | undefined;
declare const NFTPOL_REVISION: string | undefined;
declare const NFTPOL_DELIVERY: Delivery | undefined;

export const DELIVERIES = ["checkout", "package", "image", "single file"] as const;
export type Delivery = (typeof DELIVERIES)[number];

export function programVersion(): string {
  if (typeof NFTPOL_VERSION === "string") return NFTPOL_VERSION;
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** The commit that was built, where whoever built it said so; else `unknown`. */
export function programRevision(): string {
  return typeof NFTPOL_REVISION === "string" ? NFTPOL_REVISION : "unknown";
}

/** A bundle that lies beside its sources is still a checkout's. */
export function programDelivery(): Delivery {
  if (typeof NFTPOL_DELIVERY !== "string") return "checkout";
  const script = process.argv[1] ?? "";
  if (NFTPOL_DELIVERY === "package" && existsSync(resolve(script, "../../src/cli/main.ts"))) return "checkout";
  return NFTPOL_DELIVERY;
}
