// Waiting for something that will happen soon, without guessing how soon.

/** Resolves when the condition holds; rejects with `what` after the deadline. What the condition throws comes out. */
export async function eventually(what: string, condition: () => boolean, deadlineMs = 20_000): Promise<void> {
  const endsAtMs = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > endsAtMs) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
