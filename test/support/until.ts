// Waiting for what will happen soon, without guessing how soon.

const TICK_MS = 5;
/** A tick that came later than this was late because this process was not run: that is not the agent's time. */
const LONGEST_TICK_MS = 10;

/**
 * Resolves when the condition holds, with the milliseconds that took; rejects with `what` after the deadline. Time in which
 * the whole process stood still does not count. What the condition throws comes out.
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<number> {
  let passedMs = 0;
  while (!(await condition())) {
    if (passedMs > deadlineMs) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
    const tickBeganMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    passedMs += Math.min(performance.now() - tickBeganMs, LONGEST_TICK_MS);
  }
  return passedMs;
}
