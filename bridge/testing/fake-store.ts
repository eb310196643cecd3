// Implements `api.store` in memory, with the limits of the shim's store.py, for all modules of a test.

import { parseDuration } from "../base/duration.js";
import { compareBytes, sortedJson } from "../base/sorted-json.js";
import { LIMITS } from "../catalogue/protocol.js";
import type { JsonValue } from "../sdk/json.js";
import type { StoreEntry } from "../sdk/storage-types.js";
import type { Clock } from "./clock.js";

const MOST_KEY_BYTES = LIMITS.store_key_bytes;
const MOST_VALUE_BYTES = LIMITS.store_value_bytes;
const MOST_LISTED = LIMITS.store_list_entries;
const LISTED = LIMITS.store_list_default_entries;
const MOST_COUNT = LIMITS.store_count;
const MOST_SKEW_MS = LIMITS.store_clock_ms;
const MOST_TTL_MS = LIMITS.store_ttl_ms;

type Params = Record<string, unknown>;

export class FakeStore {
  /** By module, then by key: the JSON of the value, with sorted keys. */
  #modules = new Map<string, Map<string, { value: string; until: number }>>();

  constructor(private readonly clock: Pick<Clock, "now">) {}

  /** The entries of one module, or of all, in the order of their keys' bytes. */
  entries(module?: string): StoreEntry[] {
    const modules = module === undefined ? [...this.#modules.keys()] : [module];
    const all = modules.flatMap((name) => this.#alive(name));
    return all.map(([key, value]) => ({ key, value: JSON.parse(value) as JsonValue }));
  }

  /** Answers a method of `api.store` by its wire parameters. Throws a RangeError or a TypeError, as the shim a ValueError. */
  readonly methods: Readonly<Record<string, (module: string, params: Params) => unknown>> = {
    "store.get": (module, params) => {
      const found = this.#get(module, keyOf(params.key));
      return found === undefined ? null : { value: JSON.parse(found) };
    },
    "store.set": (module, params) => this.#set(module, params),
    "store.delete": (module, params) => {
      const key = keyOf(params.key);
      return this.#get(module, key) !== undefined && this.#entriesOf(module).delete(key);
    },
    "store.list": (module, { prefix = "", limit = LISTED, after }) => {
      if (Number(limit) < 1 || Number(limit) > MOST_LISTED)
        throw new RangeError(`limit must be from 1 to ${MOST_LISTED}`);
      const begin = prefix === "" ? "" : keyOf(prefix);
      const last = after === undefined ? undefined : keyOf(after);
      const wanted = this.#alive(module).filter(
        ([key]) => key.startsWith(begin) && (last === undefined || compareBytes(key, last) > 0),
      );
      return wanted.slice(0, Number(limit)).map(([key, value]) => ({ key, value: JSON.parse(value) }));
    },
    "store.compare_and_set": (module, params) => {
      const key = keyOf(params.key);
      // Before the comparison, so that a wrong value or duration is told in any case.
      const next = this.#written(params);
      const expected = "expected" in params ? textOf(params.expected) : undefined;
      if (this.#get(module, key) !== expected) return false;
      if (next.value === undefined) this.#entriesOf(module).delete(key);
      else this.#entriesOf(module).set(key, { ...next, value: next.value });
      return true;
    },
    "store.increment": (module, params) => {
      const key = keyOf(params.key);
      const by = countOf(params, "by", 1, 1);
      const limit = countOf(params, "limit", MOST_COUNT, 0);
      const now = this.clock.now();
      const next = params.ttl === undefined ? Number.POSITIVE_INFINITY : now + ttlOf(params.ttl);
      const found = this.#modules.get(module)?.get(key);
      // One that lives longer than its `ttl` allows comes from before the clock was set back.
      const isForever = found?.until === Number.POSITIVE_INFINITY;
      const counts = found && found.until > now && (isForever || found.until <= next + MOST_SKEW_MS);
      if (counts && !COUNT.test(found.value))
        throw new TypeError("the value is not a count: only increment may write it");
      const [value, until] = counts ? [Number(found.value), found.until] : [0, next];
      const done = value + by <= limit;
      if (done) this.#entriesOf(module).set(key, { value: String(value + by), until });
      const isThere = done || counts;
      const expires_in_ms = isThere && Number.isFinite(until) ? until - now : null;
      return { done, value: done ? value + by : value, expires_in_ms };
    },
  };

  #entriesOf(module: string) {
    const known = this.#modules.get(module) ?? new Map();
    this.#modules.set(module, known);
    return known;
  }

  #get(module: string, key: string): string | undefined {
    const found = this.#modules.get(module)?.get(key);
    return found && found.until > this.clock.now() ? found.value : undefined;
  }

  #set(module: string, params: Params): null {
    const key = keyOf(params.key);
    const { value, until } = this.#written(params);
    this.#entriesOf(module).set(key, { value: String(value), until });
    return null;
  }

  /** What a write would put there: the JSON of the value, and when it expires. */
  #written(params: Params): { value: string | undefined; until: number } {
    const value = "value" in params ? textOf(params.value) : undefined;
    const until = params.ttl === undefined ? Number.POSITIVE_INFINITY : this.clock.now() + ttlOf(params.ttl);
    return { value, until };
  }

  #alive(module: string): [key: string, value: string][] {
    const now = this.clock.now();
    const alive = [...(this.#modules.get(module) ?? [])].filter(([, { until }]) => until > now);
    return alive
      .map(([key, { value }]): [string, string] => [key, value])
      .sort(([one], [other]) => compareBytes(one, other));
  }
}

function keyOf(given: unknown): string {
  const key = String(given);
  const size = Buffer.byteLength(key);
  if (/[\ud800-\udfff]/u.test(key)) throw new RangeError("a key must be well-formed Unicode");
  if (size < 1 || size > MOST_KEY_BYTES)
    throw new RangeError(`the key has ${size} bytes: it must have from 1 to ${MOST_KEY_BYTES}`);
  if (key.includes("\0")) throw new RangeError("a key may not hold the character U+0000");
  return key;
}

function textOf(value: unknown): string {
  const text = sortedJson(value);
  const size = Buffer.byteLength(text);
  if (size > MOST_VALUE_BYTES)
    throw new RangeError(`the value has ${size} bytes as JSON: it may have ${MOST_VALUE_BYTES}`);
  return text;
}

/** What a number is that `increment` has made. */
const COUNT = /^[0-9]{1,15}$/;

function countOf(params: Params, name: string, otherwise: number, least: number): number {
  const count = Number(params[name] ?? otherwise);
  if (!Number.isInteger(count) || count < least || count > MOST_COUNT)
    throw new RangeError(`${name} must be from ${least} to ${MOST_COUNT}`);
  return count;
}

function ttlOf(ttl: unknown): number {
  let ms: number;
  try {
    ms = parseDuration(ttl);
  } catch {
    throw new TypeError('ttl must be milliseconds, or a duration such as "10m"');
  }
  if (ms < 1 || ms > MOST_TTL_MS) throw new RangeError("ttl must be from 1 ms to 100 years");
  return ms;
}
