// What the kernel tells of its tables' changes, transaction by transaction (`nft monitor`).

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { findProgram } from "../../scripts/system-tools.ts";
import type { Netns } from "../support/netns.ts";

/** The lines of one transaction: `add element inet nftpol …`. */
export type Generation = readonly string[];

/** Calls `body` while the kernel is listened to; `generations` grows, in order. */
export async function withGenerations<T>(
  node: Netns,
  body: (generations: readonly Generation[]) => Promise<T>,
): Promise<T> {
  const generations: Generation[] = [];
  let lines: string[] = [];
  const argv = ["netns", "exec", node.name, "nft", "monitor"];
  const monitor = spawn(findProgram("ip") ?? "ip", argv, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => monitor.once("close", resolve));
  createInterface({ input: monitor.stdout }).on("line", (line) => {
    if (!line.startsWith("# new generation")) lines.push(line);
    else {
      generations.push(lines);
      lines = [];
    }
  });
  try {
    // It listens when it tells of this.
    for (let tries = 0; generations.length === 0; tries++) {
      if (tries === 200) throw new Error("nft monitor tells nothing");
      await node.run(["nft", "add table inet listening; delete table inet listening"]);
    }
    return await body(generations);
  } finally {
    monitor.kill();
    await ended;
  }
}
