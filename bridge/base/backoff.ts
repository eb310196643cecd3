// Gives the pauses between attempts: none before the first retry, then ones that double up to a limit.

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

export class Backoff {
  #failures = 0;

  /** How long to wait before the next attempt, in milliseconds. */
  pause(): number {
    const pause =
      this.#failures === 0 ? 0 : Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.#failures - 1, 16));
    this.#failures++;
    return pause;
  }

  /** An attempt has succeeded: the next failure starts again without a pause. */
  reset(): void {
    this.#failures = 0;
  }
}
