/** A figure over time, of which the first, the last and the greatest value matter. */

export class Series {
  first: number | undefined;
  last: number | undefined;
  max = 0;

  add(value: number | undefined): void {
    if (value === undefined) return;
    this.first ??= value;
    this.last = value;
    this.max = Math.max(this.max, value);
  }
}
