// When one change passed which point on its way from the socket to the kernel. Owns the points and the stages between them.

/** In their order. After `flushed` there are none where nothing had to be written; `sending` and `sent` are the netlink writer's. */
export const POINTS = [
  "arrived",
  "decoded",
  "applying",
  "flushed",
  "writing",
  "sending",
  "sent",
  "committed",
  "done",
] as const;
export type Point = (typeof POINTS)[number];

/** Milliseconds on one clock. */
export type Marks = Readonly<Partial<Record<Point, number>>>;

/** Milliseconds each. */
export interface Stages {
  /** From bytes to an event. */
  readonly decode: number;
  /** Until the sync loop takes it. */
  readonly wait: number;
  readonly graph: number;
  /** From the program's difference to operations of nft. */
  readonly transaction: number;
  /** Text or bytes, and whatever brings them to the kernel. */
  readonly write: number;
  /** What of that was the change of elements without nft; undefined: nft did it, or there was nothing to do. */
  readonly netlink: number | undefined;
  /** After the commit: what nothing leads to any more is taken away. */
  readonly cleanUp: number;
  /** From the bytes' arrival to the commit, or to the certainty that nothing is to be written. */
  readonly whole: number;
}

/** Throws for marks without a beginning or an end. */
export function stagesOf(marks: Marks): Stages {
  const { arrived, decoded, applying, flushed, sending, sent } = marks;
  if (arrived === undefined || decoded === undefined || applying === undefined || flushed === undefined)
    throw new Error(`a change was not followed to its end: ${JSON.stringify(marks)}`);
  const { writing = flushed, done = writing, committed = done } = marks;
  return {
    decode: decoded - arrived,
    wait: applying - decoded,
    graph: flushed - applying,
    transaction: writing - flushed,
    write: committed - writing,
    netlink: sending === undefined || sent === undefined ? undefined : sent - sending,
    cleanUp: done - committed,
    whole: committed - arrived,
  };
}

/** Follows one change at a time. */
export class Stopwatch {
  readonly #now: () => number;
  #marks: Partial<Record<Point, number>> = {};
  #finish: ((marks: Marks) => void) | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** From now on marks count. Resolves with them at the end of the change. */
  follow(): Promise<Marks> {
    this.#marks = {};
    return new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** The first time counts: a change may come in pieces. */
  mark(point: Point): void {
    if (this.#finish !== undefined) this.#marks[point] ??= this.#now();
  }

  finish(): void {
    const finish = this.#finish;
    this.#finish = undefined;
    finish?.(this.#marks);
  }
}
