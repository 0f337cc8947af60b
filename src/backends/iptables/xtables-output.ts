// What iptables, its save and its restore say when something goes wrong, as BackendError. Knows the wordings of iptables 1.8.9, seen,
// and of 1.6 to 1.8 by their sources.

import type { BackendError } from "../backend.ts";
import { PREFIX } from "./names.ts";
import {
  abruptEnd,
  type FailedRun,
  failure,
  type KnownError,
  knownError,
  quotedLine,
  shorten,
} from "./program-output.ts";

/**
 * "refused": nothing of the input was applied, which holds for one table (`*filter` to `COMMIT`). "broken": it is not known what was
 * applied. The other kinds: nothing was.
 */
export function errorFromXtables(run: FailedRun): BackendError {
  const special = abruptEnd(run) ?? knownError(KNOWN_ERRORS, run);
  if (special !== undefined) return special;
  const { line, reason, isSilent } = refusal(run.stderr);
  const where = line === undefined ? "" : ` (${quotedLine(run.input, line)})`;
  if (UNFINISHED.test(reason)) return failure("broken", run, `${run.program} did not finish: ${reason}${where}`);
  const hint = isSilent ? "the kernel's log (dmesg) may say why" : undefined;
  return failure("refused", run, `${run.program} refused: ${reason}${where}`, hint);
}

/** Whether restore only says that it could not open the table; `iptables -S` says why. */
export function hidesReason({ code, stderr }: Pick<FailedRun, "code" | "stderr">): boolean {
  return code !== 0 && UNEXPLAINED_TABLE.test(stderr);
}

/** Whether it was refused only because another program did not let go of the lock. */
export function saysLockHeld({ output }: BackendError): boolean {
  return LOCK_HELD.test(output);
}

const LOCK_HELD = /holding the xtables lock/;

/** The kernel may have taken the transaction before these. */
const UNFINISHED = /no buffer space available|message too long|interrupted system call|cannot allocate memory/i;
const UNEXPLAINED_TABLE = /unable to initialize table '([^']+)'/;

interface Refusal {
  readonly line: number | undefined;
  readonly reason: string;
  readonly isSilent: boolean;
}

/** The reason without its place. */
function refusal(stderr: string): Refusal {
  // The kernel's by nft: `line 6: RULE_APPEND failed (Too many links): rule in chain FORWARD`.
  const [, committed, kernel] = /^line (\d+): (\S+ failed \(.*)/m.exec(stderr) ?? [];
  if (kernel !== undefined) return { line: Number(committed), reason: shorten(kernel), isSilent: false };
  // Of a line that was understood, legacy does not say more: `iptables-restore: line 4 failed`.
  const [, failed, why] = /: line (\d+) failed(?:: (.*?)\.?)?$/m.exec(stderr) ?? [];
  if (failed !== undefined) return { line: Number(failed), reason: shorten(why ?? ""), isSilent: why === undefined };
  const line = /(?:Error occurred at line:|expected at line) (\d+)/.exec(stderr)?.[1];
  const said = stderr.split("\n").find((each) => each !== "" && !/^(?:#|Warning:)/.test(each)) ?? "";
  const reason = shorten(said.replace(VERSION_PREFIX, "").trim());
  return { line: line === undefined ? undefined : Number(line), reason, isSilent: false };
}

/** `iptables-nft-restore v1.8.9 (nf_tables): `, `iptables-restore: `; some errors have two. */
const VERSION_PREFIX = /^(?:ip6?tables\S*(?: v\S+(?: \(\S+\))?)?: )+/;

const RIGHTS =
  "run as root with CAP_NET_ADMIN and CAP_NET_RAW (iptables opens a raw socket to look at tables and sets)";

const KNOWN_ERRORS: readonly KnownError[] = [
  {
    pattern: /can't open lock file (\S+): Permission denied/,
    kind: "not-permitted",
    say: (program, file = "") => ({
      message: `${program} may not open its lock file ${file}`,
      hint: `${RIGHTS}; in a pod: ${mountLockFile(file)}`,
    }),
  },
  {
    pattern: /can't open lock file (\S+): (.*)/,
    kind: "unsupported",
    say: (program, file = "", reason = "") => ({
      message: `${program} cannot open its lock file ${file}: ${reason}`,
      hint: mountLockFile(file),
    }),
  },
  {
    pattern: LOCK_HELD,
    kind: "refused",
    say: (program) => ({
      message: `${program} waited in vain for another program that changes rules (xtables lock)`,
      hint: "fuser -v /run/xtables.lock shows who holds the lock",
    }),
  },
  {
    pattern: /Permission denied \(you must be root\)|Operation not permitted|Can't open socket to ipset/,
    kind: "not-permitted",
    say: (program) => ({ message: `the kernel does not let ${program} do this`, hint: RIGHTS }),
  },
  {
    pattern: /Extension (\S+) revision \d+ not supported, missing kernel module\?/,
    kind: "unsupported",
    say: (_, name) => ({
      message: `the kernel lacks the iptables extension ${name}`,
      hint: `load the kernel module xt_${name}, or use a kernel that has it`,
    }),
  },
  {
    pattern: /Couldn't load (?:match|target) `([^']+)'/,
    kind: "unsupported",
    // Legacy looks for an extension where it finds no chain of that name; what begins with our prefix would be a chain.
    say: (_, name = "") =>
      name.startsWith(PREFIX)
        ? undefined
        : {
            message: `this iptables lacks its extension ${name}`,
            hint: "install the whole package iptables: extensions are libraries in its folder xtables",
          },
  },
  {
    pattern: /Kernel module (\S+) is not loaded in/,
    kind: "unsupported",
    say: (_, module) => ({
      message: `the kernel lacks ${module}`,
      hint: `load the kernel module ${module} (or is CAP_NET_ADMIN missing? iptables says the same then)`,
    }),
  },
  {
    pattern: /(?:can't initialize ip6?tables table `([^']+)'|Cannot initialize): (.*)/,
    kind: "unsupported",
    say: (program, table = "filter", reason = "") => noTable(program, table, reason),
  },
  {
    pattern: UNEXPLAINED_TABLE,
    kind: "unsupported",
    say: (program, table = "") => noTable(program, table, "it did not say why"),
  },
  {
    pattern: /(?:Failed to initialize nft|Could not fetch rule set generation id): (.*)/,
    kind: "unsupported",
    say: (program, reason) => ({
      message: `${program} cannot speak to nf_tables in this kernel: ${reason}`,
      hint: "load the kernel modules nf_tables and nft_compat, or use the variant legacy",
    }),
  },
  {
    pattern: /[Tt]able `([^']+)' is incompatible, use 'nft' tool/,
    kind: "unsupported",
    say: (program, table) => ({
      message: `${program} cannot read the table ${table}: another program has made it with nft`,
      hint: `nft list ruleset shows what is in it; that program needs a table of another name`,
    }),
  },
];

function mountLockFile(file: string): string {
  return `mount the node's ${file} into the pod (hostPath, type FileOrCreate): there programs that use iptables-legacy wait for each other`;
}

function noTable(program: string, table: string, reason: string): { message: string; hint: string } {
  return {
    message: `${program} cannot open the table ${table}: ${reason}`,
    hint: `load the kernel modules iptable_${table} and ip6table_${table}, or use the variant nft`,
  };
}
