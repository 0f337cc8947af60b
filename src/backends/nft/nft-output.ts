// What nft says when something goes wrong, as BackendError. Owns the reading of its messages; knows the wordings of nft 1.0.6 to 1.1.7.

import { BackendError } from "../backend.ts";

/**
 * Output of a run that failed. "refused": nft or the kernel did not want the input, nothing of it was applied. "broken": nft could
 * not finish talking to the kernel, and it is not known what the kernel did.
 */
export function errorFromOutput(output: string): BackendError {
  const details = { output: excerpt(output) };
  if (/operation not permitted/i.test(output)) return notPermitted(output, details);
  const reason = firstReason(output);
  if (UNFINISHED.test(output)) return new BackendError("broken", `nft did not finish: ${reason}`, details);
  return new BackendError("refused", `nft refused: ${reason}`, details);
}

/** nft ended by a signal, or in a way that is none of its own. */
export function errorFromSignal(signal: string, output: string): BackendError {
  return new BackendError("broken", `nft was ended by ${signal}`, {
    output: excerpt(output),
    hint: isCrash(signal) ? CRASH_HINT : undefined,
  });
}

/** nft's own doing, and not somebody who ended it. */
export function isCrash(signal: string | undefined): boolean {
  return signal === "SIGSEGV" || signal === "SIGABRT" || signal === "SIGBUS";
}

/** Whether nft says that what was named is not there. */
export function saysNotThere(output: string): boolean {
  return /\bError: (Could not process rule: )?No such file or directory/.test(output);
}

/** Whether there is only what does not stop nft. */
export function isHarmless(output: string): boolean {
  return output.trim() === "" || (/\bwarning:/i.test(output) && !/\berror\b/i.test(output));
}

/** An older nft cannot read sets that a newer one declared by `type` (docs/data-plane.md). */
const CRASH_HINT =
  "use nft >= 1.1.3: an older one crashes when a newer nft of another program on this node (kube-proxy for one) declared sets by type";

/** The kernel may have taken the transaction before these. */
const UNFINISHED = /no buffer space available|message too long|interrupted system call|cannot allocate memory/i;

function notPermitted(output: string, details: { output: string }): BackendError {
  // nft talks to the kernel, and the kernel refuses only this: a table that another process has locked for itself.
  const owned =
    /could not process rule: operation not permitted/i.test(output) && !/cache initialization failed/i.test(output);
  return new BackendError("not-permitted", "the kernel does not let nft do this", {
    ...details,
    hint: owned
      ? "run as root (CAP_NET_ADMIN); if it is so: another process owns the table of our name (nft list table shows its flag owner)"
      : "run as root (CAP_NET_ADMIN)",
  });
}

/** The first error without its place: `Could not process rule: No such file or directory`. */
function firstReason(output: string): string {
  const reason = /\berror: ([^\n]*)/i.exec(output)?.[1] ?? output.trim().split("\n")[0] ?? "";
  return shorten(reason === "" ? "it did not say why" : reason);
}

const MAX_LINES = 30;
const MAX_WIDTH = 200;

/** The first lines, and of long ones (a line can hold 100,000 elements) the part that nft points at. */
export function excerpt(output: string): string {
  const lines = output.trimEnd().split("\n", MAX_LINES);
  return lines
    .map((line, index) => {
      const pointer = [line, lines[index + 1] ?? ""].find((each) => /^ *\^[\^~-]*$/.test(each));
      const start = pointer === undefined ? 0 : Math.max(0, pointer.indexOf("^") - MAX_WIDTH / 2);
      return line.slice(start, start + MAX_WIDTH);
    })
    .join("\n");
}

function shorten(text: string): string {
  return text.length <= MAX_WIDTH ? text : `${text.slice(0, MAX_WIDTH)}…`;
}
