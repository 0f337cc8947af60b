// Keeps streams of numbered packets going at a steady rate while a test does other things. Owns when packets are sent and
// taken in, and the wait until those that must arrive have.

import { PacketSockets } from "./packet-sockets.ts";
import { openStream, type Stream, type StreamSpec } from "./packet-streams.ts";

/** With a hundred streams that costs half a core. */
const TICK_MS = 1;
/** After a stall the rest is dropped from the plan, not sent in one burst. */
const LARGEST_BURST = 20;
const PATIENCE_MS = 45_000;

interface Running {
  readonly stream: Stream;
  readonly startedAt: number;
  /** Numbers that were due, sent or not. */
  due: number;
}

/** Calls `body` with traffic that ends, and whose sockets close, with it. */
export async function withTraffic<T>(body: (traffic: PacketTraffic) => Promise<T>, tickMs = TICK_MS): Promise<T> {
  const traffic = new PacketTraffic(tickMs);
  try {
    return await body(traffic);
  } finally {
    traffic.close();
  }
}

export class PacketTraffic {
  readonly #sockets = new PacketSockets();
  readonly #running: Running[] = [];
  readonly #tickMs: number;
  readonly #timer: NodeJS.Timeout;
  #failure: unknown;
  #sending = true;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  start(spec: StreamSpec): Stream {
    const stream = openStream(this.#sockets, spec);
    this.#running.push({ stream, startedAt: performance.now(), due: 0 });
    return stream;
  }

  get streams(): readonly Stream[] {
    return this.#running.map(({ stream }) => stream);
  }

  /** Resolves when the condition holds, which is looked at after every tick. Rejects with `what` after the deadline. */
  async until(what: string, condition: () => boolean, patienceMs = PATIENCE_MS): Promise<void> {
    const endsAt = performance.now() + patienceMs;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (condition()) return;
      if (performance.now() > endsAt) throw new Error(`not within ${patienceMs / 1000} s: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, this.#tickMs));
    }
  }

  /** Each of these streams has sent `numbers` more. */
  async more(numbers: number, streams: readonly Stream[] = this.streams): Promise<void> {
    const goals = streams.map((stream) => ({ stream, goal: stream.sent + numbers }));
    await this.until(`${numbers} more packets of every stream`, () =>
      goals.every(({ stream, goal }) => stream.sent >= goal),
    );
  }

  /** Each of these streams has had `numbers` more that arrived and, where somebody answers, came back. */
  async flowing(numbers: number, streams: readonly Stream[]): Promise<void> {
    const goals = streams.map((stream) => ({ stream, arrived: stream.arrived.count, answered: stream.answered.count }));
    const slow = () =>
      goals.filter(
        ({ stream, arrived, answered }) =>
          stream.arrived.count < arrived + numbers ||
          (stream.spec.kind !== "fresh-udp" && stream.answered.count < answered + numbers),
      );
    try {
      await this.until("flowing", () => slow().length === 0);
    } catch (cause) {
      throw new Error(
        slow()
          .map(({ stream }) => `${stream.spec.name} does not flow`)
          .join("; "),
        { cause },
      );
    }
  }

  /** Of each of these streams 20 packets in a row have not arrived. */
  async closed(streams: readonly Stream[]): Promise<void> {
    await this.until("closed", () => streams.every((stream) => stream.sent > stream.arrived.last + 20));
  }

  /**
   * Sends nothing new, and waits until all numbers of these streams have arrived, for as long as that may take. What is still
   * missing then is lost: the caller sees it in `arrived`. Throws if the test itself lost packets.
   */
  async finish(complete: readonly Stream[]): Promise<void> {
    this.#sending = false;
    try {
      await this.until("all", () => complete.every((stream) => stream.arrived.count >= stream.sent), 10_000);
    } catch (error) {
      // Otherwise some are lost: `arrived` tells it.
      if (error === this.#failure) throw error;
    }
    const overflows = this.streams.filter((stream) => stream.overflows() > 0).map((stream) => stream.spec.name);
    if (overflows.length > 0) throw new Error(`the test was too slow to take its packets: ${overflows.join(", ")}`);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#sockets.closeAll();
  }

  #tick(): void {
    try {
      const now = performance.now();
      for (const running of this.#running) {
        if (this.#sending) this.#sendDue(running, now);
        running.stream.receive();
      }
    } catch (error) {
      // A timer has nobody to tell: whoever waits next is told.
      this.#failure ??= error;
      clearInterval(this.#timer);
    }
  }

  #sendDue(running: Running, now: number): void {
    const { stream, startedAt } = running;
    const due = Math.floor(((now - startedAt) / 1000) * stream.spec.perSecond);
    const burst = Math.min(due - running.due, LARGEST_BURST);
    for (let i = 0; i < burst; i++) stream.send();
    running.due = due;
  }
}
