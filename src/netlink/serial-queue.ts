// Tasks one after the other, in the order they came. Owns nothing else: who fails tells its own caller only.

export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    // The next one starts whatever became of this one; the failure itself goes to this one's caller.
    this.#last = result.catch(() => {});
    return result;
  }
}
