// The pauses before something is tried again: none at first, then doubling.

const FIRST_MS = 250;
const LONGEST_MS = 30_000;

export class Backoff {
  #failures = 0;

  /** How long to wait before the next try, in milliseconds. */
  pause(): number {
    const pause =
      this.#failures === 0 ? 0 : Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.#failures, 16));
    this.#failures++;
    return pause;
  }

  reset(): void {
    this.#failures = 0;
  }
}
