// Owns iptables and ipset that work in a namespace: launchers in a folder that take the place of the programs, with a lock file of
// their own: that of iptables-legacy would otherwise be the host's.
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findProgram } from "../../scripts/system-tools.ts";
import { IpsetProgram } from "../../src/backends/iptables/io/ipset-program.ts";
import {
  DEFAULT_XTABLES,
  findXtables,
  type XtablesPrograms,
  type XtablesSettings,
} from "../../src/backends/iptables/io/xtables-programs.ts";
import type { Variant } from "../../src/backends/iptables/xtables-version.ts";
import type { Family } from "../../src/net/address.ts";
import { type Netns, withNetns } from "./netns.ts";

export interface XtablesInNetns {
  readonly settings: XtablesSettings;
  readonly ipset: IpsetProgram;
  /** /proc/net of the namespace. */
  readonly procNet: string;
  readonly lockFile: string;
  /** Where the launchers lie; gone after the test, with all that is in it. */
  readonly folder: string;
  /** Runs a program in the namespace and expects it to be content; programs of iptables as the launchers do. */
  sh(command: string, input?: string): Promise<string>;
}

const XTABLES = ["iptables", "ip6tables"].flatMap((name) =>
  ["", "-nft", "-legacy"].flatMap((variant) => ["", "-save", "-restore"].map((end) => `${name}${variant}${end}`)),
);

export interface LauncherOptions {
  /** Put before each program: `setpriv …`. */
  readonly wrapper?: string;
  /** Programs that are not there. */
  readonly without?: (program: string) => boolean;
  readonly lockWaitSeconds?: number;
}

/** Calls `body` with the programs of this machine inside the namespace; the launchers are gone afterwards. */
export async function withXtablesIn<T>(
  ns: Netns,
  body: (programs: XtablesInNetns) => Promise<T>,
  { wrapper = "", without = () => false, lockWaitSeconds = 1 }: LauncherOptions = {},
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "nfpt-xtables-"));
  const lockFile = join(folder, "locks", "xtables.lock");
  mkdirSync(dirname(lockFile));
  for (const name of [...XTABLES, "ipset"]) {
    const path = findProgram(name);
    if (path === undefined || without(name)) continue;
    const script = `#!/bin/sh\nXTABLES_LOCKFILE='${lockFile}' exec ip netns exec '${ns.name}' ${wrapper} '${path}' "$@"\n`;
    writeFileSync(join(folder, name), script);
    chmodSync(join(folder, name), 0o755);
  }
  const holder = await holdOpen(ns);
  try {
    return await body({
      settings: { ...DEFAULT_XTABLES, folder, lockWaitSeconds },
      ipset: new IpsetProgram({ binary: join(folder, "ipset"), timeoutMs: 30_000 }),
      procNet: `/proc/${holder.pid}/net`,
      lockFile,
      folder,
      sh: async (command, input) => {
        const own = `export XTABLES_LOCKFILE='${lockFile}'; ${command}`;
        const { code, stdout, stderr } = await ns.run(["sh", "-ec", own], input === undefined ? {} : { input });
        if (code !== 0) throw new Error(`${command}: ${stderr}`);
        return stdout;
      },
    });
  } finally {
    holder.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A process in the namespace: through it, /proc shows what is there. */
async function holdOpen(ns: Netns): Promise<ChildProcess> {
  const holder = spawn("ip", ["netns", "exec", ns.name, "sh", "-c", "echo in; exec sleep 600"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await new Promise((resolve) => holder.stdout?.once("data", resolve));
  return holder;
}

/** What tests of both variants need, for `describeKernel`. */
export const XTABLES_PROGRAMS: readonly string[] = ["iptables-nft", "iptables-legacy", "ipset"];

/** Calls `body` with the programs in a namespace of its own. */
export function withXtables<T>(body: (xtables: XtablesInNetns) => Promise<T>, options?: LauncherOptions): Promise<T> {
  return withNetns((ns) => withXtablesIn(ns, body, options));
}

export function withVariant<T>(
  variant: Variant,
  body: (programs: XtablesPrograms, xtables: XtablesInNetns) => Promise<T>,
  options?: LauncherOptions,
): Promise<T> {
  return withXtables(async (xtables) => {
    const programs = await findXtables(variant, xtables.settings);
    if (programs === undefined) throw new Error(`${variant} is not installed`);
    return body(programs, xtables);
  }, options);
}

/** The lines of the table filter, without comments: they tell the time. */
export async function savedLines(programs: XtablesPrograms, family: Family): Promise<readonly string[]> {
  return (await programs.save(family)).split("\n").filter((line) => !line.startsWith("#") && line !== "");
}

/** Of a table filter without rules. */
export const EMPTY_FILTER: readonly string[] = filterText(
  ":INPUT ACCEPT [0:0]",
  ":FORWARD ACCEPT [0:0]",
  ":OUTPUT ACCEPT [0:0]",
)
  .trim()
  .split("\n");

/** For restore. */
export function filterText(...lines: readonly string[]): string {
  return ["*filter", ...lines, "COMMIT", ""].join("\n");
}
