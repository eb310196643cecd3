/** A figure over time: its first, its last and its greatest value, and the least of each half. */

export class Series {
  first: number | undefined;
  last: number | undefined;
  max = 0;
  readonly #values: number[] = [];

  add(value: number | undefined): void {
    if (value === undefined) return;
    this.first ??= value;
    this.last = value;
    this.max = Math.max(this.max, value);
    this.#values.push(value);
  }

  /** The least value of the first half, and of the second. A leak lifts the least; what comes and goes does not. */
  leastOfHalves(): readonly [first: number, second: number] | undefined {
    const middle = this.#values.length >> 1;
    if (middle === 0) return undefined;
    return [Math.min(...this.#values.slice(0, middle)), Math.min(...this.#values.slice(middle))];
  }
}
