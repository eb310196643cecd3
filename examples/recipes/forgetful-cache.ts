// A cache of one process whose keys can be forgotten: what register_cached_function gives a Python module, with the module's
// own broadcasts in place of invalidate_cache.

export interface CacheOptions {
  /** The oldest entry goes first. */
  readonly limit?: number;
  /** A broadcast can get lost. After this time, an entry is wrong no longer. */
  readonly keepMs?: number;
}

export class ForgetfulCache<Value> {
  readonly #load: (key: string) => Promise<Value>;
  readonly #limit: number;
  readonly #keepMs: number;
  readonly #entries = new Map<string, { readonly value: Promise<Value>; readonly since: number }>();

  constructor(
    load: (key: string) => Promise<Value>,
    { limit = 10_000, keepMs = 10 * 60_000 }: CacheOptions = {},
  ) {
    this.#load = load;
    this.#limit = limit;
    this.#keepMs = keepMs;
  }

  /** Loads a value at most once, however many ask at the same time. */
  get(key: string): Promise<Value> {
    const known = this.#entries.get(key);
    if (known !== undefined && performance.now() - known.since < this.#keepMs) return known.value;
    this.#entries.delete(key);
    const entry = { value: this.#load(key), since: performance.now() };
    // What failed is tried again. What was forgotten meanwhile is not this entry any more.
    entry.value.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#limit && oldest !== undefined) this.#entries.delete(oldest);
    return entry.value;
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }
}
