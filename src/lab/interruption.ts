// How a lab ends when its process is told to: everything is removed first, then the process ends by that very signal, so that shells
// see what they expect (130 after Ctrl-C, 143 after SIGTERM). Owns the signals while a lab is there.

import { constants } from "node:os";

const END_SIGNALS = ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP"] as const;
type EndSignal = (typeof END_SIGNALS)[number];

/** What keys of a terminal send, to all processes in its foreground. */
const KEYBOARD_SIGNALS: readonly EndSignal[] = ["SIGINT", "SIGQUIT"];

/** What was going on does so no longer, because the process is to end. */
export class Interrupted extends Error {
  readonly signalName: EndSignal;

  constructor(signalName: EndSignal) {
    super(`ended by ${signalName}`);
    this.name = "Interrupted";
    this.signalName = signalName;
  }
}

export class Interruption {
  readonly #controller = new AbortController();
  readonly #farewells: (() => Promise<void>)[] = [];
  #keyboardIsOurs = true;

  /** Aborted by the first signal; its reason is an Interrupted. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get received(): EndSignal | undefined {
    return this.signal.aborted ? (this.signal.reason as Interrupted).signalName : undefined;
  }

  receive(name: EndSignal): void {
    if (this.#keyboardIsOurs || !KEYBOARD_SIGNALS.includes(name)) this.#controller.abort(new Interrupted(name));
  }

  /** What to do before anything is removed; it must come to an end. */
  beforeRemoval(farewell: () => Promise<void>): void {
    this.#farewells.push(farewell);
  }

  /** While `work` goes on, Ctrl-C is meant for somebody else. */
  async leaveKeyboardTo<T>(work: () => Promise<T>): Promise<T> {
    this.#keyboardIsOurs = false;
    try {
      return await work();
    } finally {
      this.#keyboardIsOurs = true;
    }
  }

  /** What the work resolves to. Throws Interrupted, after the farewells, when a signal comes first; the work's result is nobody's then. */
  async race<T>(work: Promise<T>): Promise<T> {
    const { promise: interrupted, reject } = Promise.withResolvers<never>();
    const onAbort = () =>
      void Promise.allSettled(this.#farewells.map((each) => each())).then(() => reject(this.signal.reason));
    if (this.signal.aborted) onAbort();
    else this.signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([work, interrupted]);
    } finally {
      this.signal.removeEventListener("abort", onAbort);
    }
  }
}

/**
 * Calls `body`; signals do not end the process before it has settled. `body` is to settle soon after one. If others in this process listen to
 * the signal, too, they decide what follows, and Interrupted is thrown.
 */
export async function endingCleanly<T>(body: (interruption: Interruption) => Promise<T>): Promise<T> {
  const interruption = new Interruption();
  const listeners = END_SIGNALS.map((name) => [name, () => interruption.receive(name)] as const);
  for (const [name, listener] of listeners) process.on(name, listener);
  try {
    return await body(interruption);
  } finally {
    // A signal that came while the last thing was removed is told in the next turn.
    await new Promise((resolve) => setImmediate(resolve));
    for (const [name, listener] of listeners) process.off(name, listener);
    if (interruption.received !== undefined) endBy(interruption.received);
  }
}

function endBy(name: EndSignal): void {
  if (process.listenerCount(name) > 0) return;
  process.kill(process.pid, name);
  // The first process of a container is not ended by its own signals.
  process.exit(128 + constants.signals[name]);
}
