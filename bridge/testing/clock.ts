// The kit's clock, which the api, `ttl` and the store read.
import { parseDuration } from "../base/duration.js";
import { real } from "../base/real-time.js";

export class Clock {
  #fixed: number | undefined;
  #advanced = 0;

  /** Without `now`, it follows `Date.now()`, which the runner may fake. Throws a TypeError for what is no time. */
  constructor(now: string | number | Date | undefined) {
    if (now !== undefined) this.#fixed = timeOf(now, "now");
  }

  now(): number {
    return (this.#fixed ?? Date.now()) + this.#advanced;
  }

  /** Moves the clock by a duration such as `"30m"`, or by milliseconds. */
  advance(duration: string | number): void {
    this.#advanced += parseDuration(duration);
  }

  /** What a host in another process needs to know. */
  get shared(): { now: number } | { offset: number } {
    return this.#fixed === undefined ? { offset: this.now() - real.now() } : { now: this.now() };
  }
}

/** A time in milliseconds. */
export function timeOf(value: string | number | Date, what: string): number {
  const time = new Date(value).getTime();
  if (Number.isNaN(time))
    throw new TypeError(
      `${what}: ${String(value)} is no time: write "2026-01-10T00:00:00Z", a Date or milliseconds`,
    );
  return time;
}
