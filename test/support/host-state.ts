// What of the host's own network and files a lab must leave as it was.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { findProgram } from "../../scripts/system-tools.ts";

/** They count what happens on the machine, or are drawn by lot. */
const RESTLESS =
  /^net\.(netfilter\.nf_conntrack_(count|buckets)|ipv4\.(tcp_mem|udp_mem|tcp_fastopen_key|route\.)|ipv6\.conf\.\S+\.stable_secret)/;

/** Namespaces, and the container engine that runs in one. */
const OTHER_TESTS = / \/run\/netns|\/nfpt-engine-/;

/** By what it is; equal before and after. */
export function hostState(): Readonly<Record<string, string>> {
  return {
    rules: said("nft", "list", "ruleset"),
    links: said("ip", "-o", "link"),
    addresses: said("ip", "-o", "address").replaceAll(/(valid|preferred)_lft \S+/g, ""),
    routes: said("ip", "route") + said("ip", "-6", "route"),
    settings: said("sysctl", "-a")
      .split("\n")
      .filter((line) => line.startsWith("net.") && !RESTLESS.test(line))
      .join("\n"),
    hostName: readFileSync("/proc/sys/kernel/hostname", "utf8"),
    hosts: readFileSync("/etc/hosts", "utf8"),
    mounts: readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .filter((line) => !OTHER_TESTS.test(line))
      .join("\n"),
  };
}

function said(program: string, ...args: readonly string[]): string {
  const { stdout, status } = spawnSync(findProgram(program) ?? program, args, { encoding: "utf8" });
  if (status !== 0 && program !== "sysctl") throw new Error(`${program} ${args.join(" ")} ended with ${status}`);
  return stdout;
}
