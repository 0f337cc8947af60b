// Whether the agent lives and whether it is ready, with the reason for each part, as /livez and /readyz of Kubernetes
// components say it. Pure.

import type { SourceStatus } from "./cluster-change.ts";

export interface HealthFacts {
  readonly sources: readonly SourceStatus[];
  /** Everything known is in force. */
  readonly inForce: boolean;
  /** In force in a copy only; the kernel is not written. */
  readonly dryRun: boolean;
  /** Why not, while it is not: one sentence. */
  readonly syncFailure: string | undefined;
  /** How long the kernel has been at work for us; undefined: it is not. */
  readonly kernelBusyMs: number | undefined;
  readonly heartbeatAgeMs: number;
  /** Reasons why pod traffic may not cross our rules. They are shown; they do not make the agent unready. */
  readonly pathProblems: readonly string[];
}

export interface HealthReport {
  readonly ok: boolean;
  /** One line for each part: `[+] sync ok`, `[-] reflector pods: not synced`. */
  readonly lines: readonly string[];
}

/** A sync may wait for a hanging nft; longer than this the loop itself hangs. */
const HUNG_AFTER_MS = 120_000;

/** Alive: the loops turn. Never whether the API server can be reached: a restart does not help against that. */
export function liveness({ heartbeatAgeMs }: HealthFacts): HealthReport {
  return report([check("sync loop", heartbeatAgeMs < HUNG_AFTER_MS, `has not turned for ${seconds(heartbeatAgeMs)}`)]);
}

/** Ready: every resource was read once and what it says is in force. A later outage of the API server changes nothing. */
export function readiness(facts: HealthFacts): HealthReport {
  const sources = facts.sources.map((status) => {
    const failure = status.lastFailure === undefined ? "" : `: ${status.lastFailure}`;
    const state = status.installed === false ? "not installed" : status.synced ? "synced" : "not synced yet";
    const detail = `${state}${failure}`;
    return { ok: status.synced, line: `${status.synced ? "[+]" : "[-]"} ${status.resource} ${detail}` };
  });
  const sync = rulesInForce(facts);
  const path = facts.pathProblems.map((problem) => ({ ok: true, line: `[!] packet path: ${problem}` }));
  return report([...sources, sync, ...path]);
}

/** Why not everything known is in force; undefined: it is. */
export function whyNotInForce({
  sources,
  inForce,
  dryRun,
  syncFailure,
  kernelBusyMs,
}: HealthFacts): string | undefined {
  if (inForce) return dryRun ? "dry run: the kernel is not written" : undefined;
  if (syncFailure !== undefined) return syncFailure;
  if (!sources.every(({ synced }) => synced)) return "waits for the first complete state";
  const doing =
    kernelBusyMs === undefined ? "the rules are being computed" : `nft has been at work for ${seconds(kernelBusyMs)}`;
  return `not applied yet: ${doing}`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

/** A dry run is ready where it says all that it has to say: otherwise its DaemonSet would never get beyond its first nodes. */
function rulesInForce(facts: HealthFacts): Part {
  const name = "rules in force";
  const reason = whyNotInForce(facts);
  if (facts.inForce && reason !== undefined) return { ok: true, line: `[!] ${name}: no, ${reason}` };
  return check(name, reason === undefined, reason ?? "");
}

interface Part {
  readonly ok: boolean;
  readonly line: string;
}

function check(name: string, ok: boolean, failure: string): Part {
  return { ok, line: ok ? `[+] ${name} ok` : `[-] ${name}: ${failure}` };
}

function report(parts: readonly Part[]): HealthReport {
  return { ok: parts.every((part) => part.ok), lines: parts.map((part) => part.line) };
}
