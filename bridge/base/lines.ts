// Lets what is done with one key wait in line, so that it is done one after the other in this process.

export class Lines {
  /** By key: the last in its line. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `run` once all that stood in the line of `key` before is over, whatever became of it. */
  async wait<Result>(key: string, run: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(run, run);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
