// Keys in the order of their bytes, as the store lists them.
import { compareBytes } from "../base/sorted-json.js";

export class SortedKeys {
  readonly #keys: string[];

  constructor(keys: Iterable<string> = []) {
    this.#keys = [...keys].sort(compareBytes);
  }

  /** A key that is not among them yet. */
  add(key: string): void {
    this.#keys.splice(this.#firstAfter(key), 0, key);
  }

  /** Those with a prefix, after a key. None may be added meanwhile. */
  *within(prefix: string, after: unknown): Generator<string> {
    const from = typeof after === "string" && compareBytes(after, prefix) >= 0 ? after : undefined;
    let index = this.#firstAfter(from ?? prefix);
    // The key that is the prefix itself is just before.
    if (from === undefined && this.#keys[index - 1] === prefix) index--;
    for (; index < this.#keys.length; index++) {
      const key = this.#keys[index] ?? "";
      if (!key.startsWith(prefix)) return;
      yield key;
    }
  }

  #firstAfter(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(this.#keys[middle] ?? "", key) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
