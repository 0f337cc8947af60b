// The size of the kernel's connection hash table. Owns where it is read; that a resize matters is its callers' knowledge.

import { readFile } from "node:fs/promises";

/** Number of buckets, as text; undefined where the kernel does not show it. Equal before and after: not resized. */
export async function conntrackBuckets(): Promise<string | undefined> {
  try {
    return await readFile("/proc/sys/net/netfilter/nf_conntrack_buckets", "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EACCES") return undefined;
    throw error;
  }
}
