// Runs inside a test's namespace as a process of its own: one node's packet path, looked at with everything real but the time.
// Owns nothing; its argument says what to look at, its output is one JSON object.

import { networkInterfaces } from "node:os";
import { realClock } from "../../src/agent/clock.ts";
import type { LogFields } from "../../src/agent/log.ts";
import { PathMeasurement } from "../../src/agent/packet-path-measurement.ts";
import { NftCrossingMeter } from "../../src/agent/packet-path-meter.ts";
import type { PathProblem } from "../../src/agent/packet-path-problem.ts";
import { NodePathReader } from "../../src/agent/packet-path-reader.ts";
import { PacketPathWatch } from "../../src/agent/packet-path-watch.ts";
import { Sysctls } from "../../src/agent/sysctls.ts";
import { openConnectionTracker } from "../../src/netlink/open-connection-tracker.ts";

export interface LookRequest {
  readonly pods: readonly string[];
  readonly manage?: boolean;
  readonly sysctlRoot?: string;
  /** 0: nothing is measured. */
  readonly windowMs?: number;
  /** How many looks, with more than a minute between each two. */
  readonly looks?: number;
}

export interface LookAnswer {
  readonly findings: readonly PathProblem[];
  readonly log: readonly { readonly level: string; readonly message: string; readonly fields: LogFields }[];
  readonly podsSeenCrossing: boolean;
}

async function look(request: LookRequest): Promise<LookAnswer> {
  const log: LookAnswer["log"][number][] = [];
  const write = (level: string) => (fields: LogFields, message: string) => {
    const { err, ...rest } = fields;
    log.push({ level, message, fields: err instanceof Error ? { ...rest, err: err.message } : rest });
  };
  let skippedMs = 0;
  const clock = { ...realClock, now: () => realClock.now() + skippedMs };
  const sysctls = new Sysctls(request.sysctlRoot);
  const measurement = new PathMeasurement({
    meter: new NftCrossingMeter(clock),
    tracker: await openConnectionTracker(),
    nodeAddresses: () =>
      new Set(
        Object.values(networkInterfaces())
          .flatMap((each) => each ?? [])
          .map(({ address }) => address),
      ),
    clock,
    windowMs: request.windowMs ?? 0,
    everyMs: 0,
  });
  const watch = new PacketPathWatch({
    localPodAddresses: () => request.pods,
    reader: new NodePathReader({ sysctls }),
    managedSysctls: request.manage === true ? sysctls : undefined,
    judgesIpvs: false,
    measurement: request.windowMs === undefined ? undefined : measurement,
    clock,
    log: { error: write("error"), warn: write("warn"), info: write("info"), debug: write("debug") },
  });
  for (let round = 0; round < (request.looks ?? 1); round++) {
    await watch.check(new AbortController().signal);
    skippedMs += 61_000;
  }
  return { findings: watch.findings(), log, podsSeenCrossing: measurement.podsSeenCrossing };
}

const answer = await look(JSON.parse(process.argv[2] ?? "{}") as LookRequest);
process.stdout.write(JSON.stringify(answer), () => process.exit(0));
