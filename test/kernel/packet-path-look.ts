// Runs inside a test's namespace as a process of its own: one node's packet path, looked at with everything real but the time.
// Owns nothing; its argument says what to look at, its output is one JSON object.

import { realClock } from "../../src/agent/clock.ts";
import type { LogFields } from "../../src/agent/log.ts";
import type { PathProblem } from "../../src/agent/packet-path/problem.ts";
import { watchThisNode } from "../../src/agent/packet-path/this-node.ts";

export interface LookRequest {
  readonly pods: readonly string[];
  readonly manage?: boolean;
  readonly sysctlRoot?: string;
  /** undefined: nothing is measured or set. */
  readonly windowMs?: number;
  /** How many looks, with more than a minute between each two. */
  readonly looks?: number;
  /** Looks again until this is found of so many pods, for half a minute: a busy machine may keep them from talking enough. */
  readonly until?: { readonly code: PathProblem["code"]; readonly pods: number };
}

export interface LookAnswer {
  readonly findings: readonly PathProblem[];
  readonly log: readonly { readonly level: string; readonly message: string; readonly fields: LogFields }[];
  readonly podsSeenCrossing: boolean | undefined;
}

async function look(request: LookRequest): Promise<LookAnswer> {
  const log: LookAnswer["log"][number][] = [];
  const write = (level: string) => (fields: LogFields, message: string) => {
    const { err, ...rest } = fields;
    log.push({ level, message, fields: err instanceof Error ? { ...rest, err: err.message } : rest });
  };
  let skippedMs = 0;
  const watch = watchThisNode({
    localPodAddresses: () => request.pods,
    manageSysctls: request.manage === true,
    sysctlRoot: request.sysctlRoot ?? "/proc/sys",
    judgesIpvs: false,
    dryRun: request.windowMs === undefined,
    clock: { ...realClock, now: () => realClock.now() + skippedMs },
    log: { error: write("error"), warn: write("warn"), info: write("info"), debug: write("debug") },
    times: { windowMs: request.windowMs ?? 0, everyMs: 0 },
  });
  const { looks = 1, until } = request;
  const deadlineMs = realClock.now() + 30_000;
  const isFound = ({ code, pods }: PathProblem) => code === until?.code && pods.length >= until.pods;
  const isWaiting = () => until !== undefined && !watch.findings().some(isFound);
  for (let round = 0; round < looks || (isWaiting() && realClock.now() < deadlineMs); round++) {
    await watch.check(new AbortController().signal);
    skippedMs += 61_000;
  }
  return { findings: watch.findings(), log, podsSeenCrossing: watch.podsSeenCrossing };
}

const answer = await look(JSON.parse(process.argv[2] ?? "{}") as LookRequest);
process.stdout.write(JSON.stringify(answer), () => process.exit(0));
