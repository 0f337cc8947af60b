// The connection table through the program conntrack (conntrack-tools), where netlink cannot be had. Owns how the program
// is called and what its failures mean. Weaker than ctnetlink: every call reads the whole table, every deletion is a
// program of its own, a connection that took the place of a listed one with the same ends is deleted in its stead, and GRE
// connections with the same ends go together, because the program does not tell their keys apart.

import { type Address, addressFamily, type Family } from "../net/address.ts";
import {
  type ConnectionTracker,
  ConnectionTrackerError,
  hasEndIn,
  type TrackedConnection,
} from "./connection-tracker.ts";
import { type ConntrackConnection, ConntrackHandle, readConntrackLine } from "./conntrack-line.ts";
import { ProgramError, type ProgramResult, runProgram } from "./run-program.ts";
import { SerialQueue } from "./serial-queue.ts";

export class ConntrackTool implements ConnectionTracker {
  readonly name = "conntrack";
  readonly #program: readonly string[];
  readonly #queue = new SerialQueue();
  #isClosed = false;

  private constructor(program: readonly string[]) {
    this.#program = program;
  }

  /** `program`: what to run, with arguments that come before ours. Throws ConnectionTrackerError when it cannot work here. */
  static async start(program: readonly string[] = ["conntrack"]): Promise<ConntrackTool> {
    const tool = new ConntrackTool(program);
    await tool.#run(["-C"], () => {});
    return tool;
  }

  list(family: Family, addresses?: ReadonlySet<Address>): Promise<readonly ConntrackConnection[]> {
    return this.#inTurn(async () => {
      if (addresses !== undefined && ![...addresses].some((address) => addressFamily(address) === family)) return [];
      const connections: ConntrackConnection[] = [];
      await this.#run(["-L", "-f", `ipv${family}`, "-o", "extended,id"], (line) => {
        const connection = readConntrackLine(line);
        if (connection?.family !== family) {
          throw new ConnectionTrackerError("failed", `the program conntrack said what is not understood: ${line}`);
        }
        if (addresses === undefined || hasEndIn(connection, addresses)) connections.push(connection);
      });
      return connections;
    });
  }

  delete(connections: readonly TrackedConnection[]): Promise<number> {
    const calls = connections.map(deleteArguments);
    return this.#inTurn(async () => {
      let deleted = 0;
      const failures: unknown[] = [];
      for (const call of calls) {
        try {
          deleted += await this.#deleteOne(call);
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length === 0) return deleted;
      const [cause] = failures;
      const kind = cause instanceof ConnectionTrackerError ? cause.kind : "failed";
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `${failures.length} of ${calls.length} connections could not be deleted: ${reason}`;
      throw new ConnectionTrackerError(kind, message, { cause });
    });
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Ends with code 1 when nothing was deleted; the number is in a message. */
  async #deleteOne(argv: readonly string[]): Promise<number> {
    const result = await this.#call(argv, () => {});
    const count = /(\d+) flow entries have been deleted/.exec(result.stderr)?.[1];
    if (count === undefined) throw failure(argv, result);
    return Number(count);
  }

  async #run(argv: readonly string[], onLine: (line: string) => void): Promise<void> {
    const result = await this.#call(argv, onLine);
    if (result.code !== 0) throw failure(argv, result);
  }

  async #call(argv: readonly string[], onLine: (line: string) => void): Promise<ProgramResult> {
    try {
      return await runProgram([...this.#program, ...argv], onLine);
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      const [kind, message] = error.isMissing
        ? (["unsupported", "the program conntrack is not installed: install the package conntrack-tools"] as const)
        : (["failed", error.message] as const);
      throw new ConnectionTrackerError(kind, message, { cause: error });
    }
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.#queue.run(() => {
      if (this.#isClosed) throw new ConnectionTrackerError("failed", "the connection tracker is closed");
      return task();
    });
  }
}

function failure(argv: readonly string[], { code, stderr }: ProgramResult): ConnectionTrackerError {
  if (/CAP_NET_ADMIN|not permitted/i.test(stderr)) {
    return new ConnectionTrackerError(
      "not-permitted",
      "connections may not be read: the capability NET_ADMIN is needed",
    );
  }
  const said = stderr.trim().split("\n")[0] ?? "";
  return new ConnectionTrackerError("failed", `conntrack ${argv[0]} ended with ${code ?? "a signal"}: ${said}`);
}

const GRE = 47;
const PROTOCOL_NAME = new Map([
  [1, "icmp"],
  [6, "tcp"],
  [17, "udp"],
  [33, "dccp"],
  [GRE, "gre"],
  [58, "icmpv6"],
  [132, "sctp"],
  [136, "udplite"],
]);

function deleteArguments({
  family,
  protocol,
  original,
  reply,
  icmpType,
  handle,
}: TrackedConnection): readonly string[] {
  if (!(handle instanceof ConntrackHandle)) throw new Error("a connection of another tracker was given to conntrack");
  const options: [string, string | number][] = [
    ["-f", `ipv${family}`],
    ["-p", PROTOCOL_NAME.get(protocol) ?? protocol],
    ["-s", original.source],
    ["-d", original.destination],
    ["-r", reply.source],
    ["-q", reply.destination],
    // Without it, connections with the same ends in every zone would go.
    ["-w", handle.zone],
  ];
  if (icmpType !== undefined) {
    const icmp = family === 4 ? "--icmp" : "--icmpv6";
    options.push([`${icmp}-type`, icmpType], [`${icmp}-code`, handle.icmpCode], [`${icmp}-id`, handle.icmpId]);
  } else if (PROTOCOL_NAME.has(protocol) && protocol !== GRE) {
    options.push(["--orig-port-src", original.sourcePort], ["--orig-port-dst", original.destinationPort]);
    options.push(["--reply-port-src", reply.sourcePort], ["--reply-port-dst", reply.destinationPort]);
  }
  return ["-D", ...options.flatMap(([option, value]) => [option, String(value)])];
}
