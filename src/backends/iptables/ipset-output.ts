// What ipset says when something goes wrong, as BackendError. Knows the wordings of ipset 7.17, seen, and of libipset's sources.

import type { BackendError } from "../backend.ts";
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
 * `ipset restore` takes line after line: what was before the one that failed stays (or, of elements added in a row, perhaps not). So
 * "refused", nothing of it was applied, is only where the first line failed; else it is "broken". "not-permitted", "unsupported": as
 * the message says, which names the line.
 */
export function errorFromIpset(run: FailedRun): BackendError {
  const ended = abruptEnd(run);
  if (ended !== undefined) return ended;
  const [, digits, told] = /Error in line (\d+): ([^\n]*)/.exec(run.stderr) ?? [];
  const line = digits === undefined ? undefined : Number(digits);
  const where = line === undefined ? "" : ` (${quotedLine(run.input, line)})`;
  const known = knownError(run.input === "" ? [NO_IPSET, ...knownErrors(where)] : knownErrors(where), run);
  if (known !== undefined) return known;
  const reason = shorten(told ?? firstLine(run.stderr).replace(/^ipset v\S+: /, ""));
  const isAtFirstLine = line === undefined ? !run.input.trimEnd().includes("\n") : line === 1;
  return isAtFirstLine
    ? failure("refused", run, `ipset refused: ${reason}${where}`)
    : failure("broken", run, `ipset stopped: ${reason}${where}; what came before may be in force`);
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}

/** Whether a set is not there. */
export function saysNoSuchSet({ message }: BackendError): boolean {
  return message.includes("The set with the given name does not exist");
}

/** Whether rules look the set up. The kernel gives the sets of deleted rules free a little later than the rules are gone. */
export function saysSetInUse({ message }: BackendError): boolean {
  return message.includes("it is in use by a kernel component");
}

/** What the kernel says to a message for a part of netfilter that it does not have. To a question, nothing else in it can be wrong. */
const NO_IPSET: KnownError = {
  pattern: /Kernel error received: (?:Invalid argument|Protocol not supported|Operation not supported)/,
  kind: "unsupported",
  say: noIpset,
};

function noIpset() {
  return { message: "the kernel knows no ipset", hint: "load the kernel module ip_set" };
}

function knownErrors(where: string): readonly KnownError[] {
  return [
    {
      pattern: /Operation not permitted|Permission denied/,
      kind: "not-permitted",
      say: () => ({ message: "the kernel does not let ipset do this", hint: "run as root (CAP_NET_ADMIN)" }),
    },
    {
      pattern: /Cannot open session to kernel/,
      kind: "unsupported",
      say: noIpset,
    },
    {
      pattern: /(set type not supported|typename '\S+' is unknown|[Ff]amily not supported by the set type)/,
      kind: "unsupported",
      say: (_, reason) => ({
        message: `kernel or ipset lack a type of sets: ${reason}${where}`,
        hint: "load the kernel modules ip_set_hash_ip, ip_set_hash_net and ip_set_hash_ipport",
      }),
    },
    {
      pattern:
        /((?:Kernel and userspace incompatible|Kernel-library incompatibility|Cannot communicate with kernel|Giving up): .*|Kernel supports \S+ type, .*)/,
      kind: "unsupported",
      say: (_, reason = "") => ({
        message: `this ipset does not fit this kernel, or the sets that a newer one has made: ${shorten(reason)}`,
        hint: "use an ipset that is as new as that of other software on this node, and the kernel",
      }),
    },
  ];
}
