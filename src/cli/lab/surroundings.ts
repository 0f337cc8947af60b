// What a lab needs of the process and the machine it runs on.

import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { isSea } from "node:sea";
import type { SelfCommand } from "../../lab/node-agent.ts";
import { programEnvironment } from "../../lab/program-environment.ts";
import type { Topology } from "../../lab/topology.ts";
import { CommandError } from "../verb.ts";

/** How to start this program again. A single file is program and script in one, and brings its own options of Node.js. */
export function selfCommand(): SelfCommand {
  if (isSea()) return [process.execPath];
  const [program, script] = process.argv;
  if (program === undefined || script === undefined) throw new Error("a process without a program");
  return [program, ...process.execArgv, script];
}

/** Why no lab can be made here; undefined: nothing is known that speaks against it. */
export function missingRights(): string | undefined {
  if (process.platform !== "linux") return `network namespaces are Linux's, and this is ${process.platform}`;
  if (process.geteuid?.() !== 0) return "the lab makes network namespaces, which only root may";
  return undefined;
}

/** What a lab starts, and the packages that have it. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: "iproute2",
  nft: "nftables",
  ipset: "ipset",
  iptables: "iptables",
  "iptables-nft": "iptables",
  "iptables-legacy": "iptables",
};

/** Throws CommandError with exit code 3: before anything is built. */
export function refuseWithoutRights(): void {
  const reason = missingRights();
  if (reason !== undefined) {
    throw new CommandError(3, reason, "run it with sudo; nftpol matrix, explain and prove need no rights");
  }
  refuseWithout("ip");
}

/** Throws CommandError with exit code 3 where it is not installed. */
export function refuseWithout(program: string): void {
  if (isInstalled(program)) return;
  throw new CommandError(3, `the program ${program} is not installed`, `install the package ${PACKAGES[program]}`);
}

const BRIDGE_SWITCH = "/proc/sys/net/bridge/bridge-nf-call-iptables";

/** Throws CommandError with exit code 3 where packets of bridged pods would pass the rules by. */
export function refuseWithoutBridgeFilter(topology: Topology): void {
  if (topology === "routed" || existsSync(BRIDGE_SWITCH)) return;
  const reason = `--topology ${topology} needs the kernel's module br_netfilter, which is not loaded`;
  throw new CommandError(3, reason, "modprobe br_netfilter, or take --topology routed");
}

export function isInstalled(program: string): boolean {
  return (programEnvironment().PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
