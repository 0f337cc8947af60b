// The kernel's switches below /proc/sys, read and written one at a time. Owns paths and what a failure means; which switch
// should have which value is find-problems.ts's.
//
// Below net/ the kernel shows the values of the reader's network namespace, wherever /proc/sys is mounted. The switches of
// br_netfilter belong to the namespace since Linux 5.3; before, only the first namespace of a machine has them.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Family } from "../../net/address.ts";

/** Below the root, with slashes: `net/ipv4/ip_forward`. */
export type SysctlPath = string;

export const BRIDGE_CALLS: Readonly<Record<Family, SysctlPath>> = {
  4: "net/bridge/bridge-nf-call-iptables",
  6: "net/bridge/bridge-nf-call-ip6tables",
};

export const FORWARDING: Readonly<Record<Family, SysctlPath>> = {
  4: "net/ipv4/ip_forward",
  6: "net/ipv6/conf/all/forwarding",
};

/** The switch of one interface that lets it forward while the switch for all is off; IPv6 has it since Linux 6.17. */
export function interfaceForwarding(family: Family, interfaceName: string): SysctlPath {
  return family === 4 ? `net/ipv4/conf/${interfaceName}/forwarding` : `net/ipv6/conf/${interfaceName}/force_forwarding`;
}

/** 1: the interface takes routes from router advertisements, but only while IPv6 forwarding is off. */
export function acceptsRouterAdvertisements(interfaceName: string): SysctlPath {
  return `net/ipv6/conf/${interfaceName}/accept_ra`;
}

/** As sysctl(8) writes it: dots between the parts, slashes where a part has dots. */
export function sysctlName(path: SysctlPath): string {
  return path.replace(/[./]/g, (separator) => (separator === "/" ? "." : "/"));
}

export type SysctlErrorKind =
  /** The root is not /proc/sys or a mount of it. */
  | "no-root"
  /** This kernel does not have the switch, or the module that brings it is not loaded. */
  | "missing"
  | "read-only"
  | "not-permitted"
  | "failed";

/** The one error of this boundary. The message is one sentence; `hint` says what to do. */
export class SysctlError extends Error {
  readonly kind: SysctlErrorKind;
  readonly hint: string;

  constructor(kind: SysctlErrorKind, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SysctlError";
    this.kind = kind;
    this.hint = hint;
  }
}

export class Sysctls {
  readonly #root: string;

  /** `root`: `/proc/sys`, or where the host's is mounted. */
  constructor(root = "/proc/sys") {
    this.#root = root;
  }

  /** The value without its newline; undefined when there is no such switch. Throws SysctlError. */
  async read(path: SysctlPath): Promise<string | undefined> {
    try {
      return (await readFile(join(this.#root, path), "utf8")).trim();
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw this.#failure(path, "read", error);
      await this.#expectRoot(error);
      return undefined;
    }
  }

  /** Throws SysctlError. Writing a forwarding switch waits for the kernel's lock over all interfaces. */
  async write(path: SysctlPath, value: string): Promise<void> {
    try {
      // Not created where it is missing: a root that is no /proc/sys must not fill with files.
      await writeFile(join(this.#root, path), `${value}\n`, { flag: "r+" });
    } catch (error) {
      if (codeOf(error) === "ENOENT") await this.#expectRoot(error);
      throw this.#failure(path, "set", error);
    }
  }

  /** Without this a wrong root would look like a kernel without modules. */
  async #expectRoot(cause: unknown): Promise<void> {
    try {
      await readFile(join(this.#root, FORWARDING[4]));
    } catch {
      const hint = "mount the node's /proc/sys/net there, or correct --sysctl-root";
      throw new SysctlError("no-root", `there are no sysctls below ${this.#root}`, hint, { cause });
    }
  }

  #failure(path: SysctlPath, verb: "read" | "set", cause: unknown): SysctlError {
    const what = `${sysctlName(path)} cannot be ${verb}`;
    switch (codeOf(cause)) {
      case "EROFS":
        return new SysctlError(
          "read-only",
          `${what}: ${this.#root} is mounted read-only`,
          "mount the node's /proc/sys/net into the container, writable, and point --sysctl-root at it",
          { cause },
        );
      case "EACCES":
      case "EPERM":
        return new SysctlError(
          "not-permitted",
          `${what}: not permitted`,
          "CAP_NET_ADMIN is needed, or no rule of AppArmor or SELinux may forbid it",
          { cause },
        );
      case "ENOENT":
        return new SysctlError("missing", `${what}: there is no such switch`, missingHint(path), { cause });
      default:
        return new SysctlError(
          "failed",
          `${what}: ${cause instanceof Error ? cause.message : String(cause)}`,
          `set it on the node: sysctl -w ${sysctlName(path)}=1`,
          { cause },
        );
    }
  }
}

function missingHint(path: SysctlPath): string {
  if (path.startsWith("net/bridge/")) return "load the module on the node: modprobe br_netfilter";
  if (path.startsWith("net/ipv6/")) return "IPv6 is switched off in this kernel";
  return "this kernel does not have it";
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
