// Counts for modules how often something is done in a time, over all processes of Synapse: in `api.store`.
import { createHash } from "node:crypto";
import { parseDuration } from "../base/duration.js";
import { Lines } from "../base/lines.js";
import type { StoreIncrement } from "./storage-types.js";
import type { Duration } from "./wire-types.js";

// A longer key is digested. The store takes somewhat more, and a user id is shorter.
const MOST_KEY_BYTES = 400;
// 4 MiB of keys at most.
const MOST_REMEMBERED = 10_000;
// Of a limiter, in this process and in the time of one count. Beyond it, keys share rows, so that nobody who makes up keys can
// fill Synapse's database.
const MOST_ROWS = 100_000;
// As the store: `store_count` and `store_ttl_ms` in schemas/protocol.json.
const MOST_LIMIT = 999_999_999_999_999;
const LONGEST_MS = 100 * 365 * 24 * 60 * 60 * 1_000;
const NAME = /^[\w-]{1,64}$/;

/** The part of `api` that it uses. */
interface CountingApi {
  readonly store: { readonly increment: StoreIncrement };
  get_current_time_msec(): number;
}

/**
 * What a `RateLimiter` counts.
 * @example
 * ```ts fragment value
 * const rateLimit: RateLimit = { name: "invites", limit: 20, per: "1h" };
 * ```
 */
export interface RateLimit {
  /** What is counted: limiters of one module with the same name share their counts. Letters, digits, `_` and `-`. */
  readonly name: string;
  /** So often is allowed in the time: 0 allows nothing. */
  readonly limit: number;
  /** The time, in milliseconds or as a string such as `"1h"`. It begins with the first that is counted. */
  readonly per: Duration;
}

/**
 * What a `RateLimiter` tells.
 * @example
 * ```ts fragment value
 * const rateLimitResult: RateLimitResult = { allowed: false, remaining: 0, retry_after_ms: 45_000 };
 * ```
 */
export interface RateLimitResult {
  /** Whether it is within the limit, and so was counted. */
  readonly allowed: boolean;
  /** How many more are allowed until the time is over. */
  readonly remaining: number;
  /** If it is not allowed, how long it takes until the count begins anew; else 0. */
  readonly retry_after_ms: number;
}

/**
 * Limits how often something is done, counted over all processes of Synapse, by a key such as a user id. The module needs the
 * grant `store`. Make it in `setup`.
 * @example
 * ```ts fragment handler
 * const limiter = new RateLimiter(api, { name: "invites", limit: 20, per: "1h" });
 * const { allowed, retry_after_ms } = await limiter.consume(user_id);
 * if (!allowed) return [Codes.LIMIT_EXCEEDED, { retry_after_ms }];
 * ```
 */
export class RateLimiter {
  readonly #api: CountingApi;
  readonly #name: string;
  readonly #limit: number;
  readonly #perMs: number;
  /** By key: until when all is refused. The store need not be asked again. */
  readonly #refused = new Map<string, number>();
  /** By row: who comes next may learn from the one before that all is refused. So a burst asks the store as little as a flood. */
  readonly #lines = new Lines();
  /** Rows that this process has begun, and since when they are counted. */
  #rows = { begun: 0, since: Number.NEGATIVE_INFINITY };

  /** Throws a TypeError for what is no such limit. */
  constructor(api: CountingApi, { name, limit, per }: RateLimit) {
    this.#api = api;
    this.#perMs = parseDuration(per);
    if (!NAME.test(name)) throw new TypeError("RateLimiter: name must be 1 to 64 letters, digits, _ and -");
    if (!Number.isSafeInteger(limit) || limit < 0 || limit > MOST_LIMIT)
      throw new TypeError(`RateLimiter: limit must be a whole number from 0 to ${MOST_LIMIT}`);
    if (this.#perMs < 1 || this.#perMs > LONGEST_MS)
      throw new TypeError("RateLimiter: per must be from 1 ms to 100 years");
    this.#name = name;
    this.#limit = limit;
  }

  /**
   * Counts one more, or `by` more, unless that exceeds the limit. Rejects if the database fails: then the module has thrown,
   * and the failure policy of the callback decides.
   */
  async consume(key: string, by = 1): Promise<RateLimitResult> {
    if (typeof key !== "string") throw new TypeError("RateLimiter: the key must be a string");
    const row = this.#rowFor(key, this.#api.get_current_time_msec());
    return this.#lines.wait(row, () => this.#count(row, by));
  }

  async #count(row: string, by: number): Promise<RateLimitResult> {
    const now = this.#api.get_current_time_msec();
    const known = this.#knownRefusal(row, now);
    if (known > 0) return refused(known);
    const params = { key: row, by, limit: this.#limit, ttl: this.#perMs };
    const { done, value, expires_in_ms } = await this.#api.store.increment(params);
    if (done && value === by) this.#rows.begun++;
    const remaining = Math.max(0, this.#limit - value);
    if (done) return { allowed: true, remaining, retry_after_ms: 0 };
    const wait = expires_in_ms ?? this.#perMs;
    if (remaining === 0) this.#remember(row, now + wait);
    return { ...refused(wait), remaining };
  }

  /** How long it is known to be refused yet, in milliseconds. */
  #knownRefusal(row: string, now: number): number {
    if (this.#limit === 0) return this.#perMs;
    const wait = (this.#refused.get(row) ?? now) - now;
    // More than that: the clock was set back.
    if (wait > 0 && wait <= this.#perMs) return wait;
    this.#refused.delete(row);
    return 0;
  }

  #remember(row: string, until: number): void {
    if (this.#refused.size >= MOST_REMEMBERED) {
      const [oldest = ""] = this.#refused.keys();
      this.#refused.delete(oldest);
    }
    this.#refused.set(row, until);
  }

  /** The key in the store: any text will do for `key`. */
  #rowFor(key: string, now: number): string {
    if (now < this.#rows.since || now >= this.#rows.since + this.#perMs)
      this.#rows = { begun: 0, since: now };
    if (this.#rows.begun >= MOST_ROWS) return `${this.#name}/~${digest(key, "hex").slice(0, 4)}`;
    const row = `${this.#name}/${key}`;
    const isPlain = !/^[#~]|[\0\ud800-\udfff]/u.test(key) && Buffer.byteLength(key) <= MOST_KEY_BYTES;
    return isPlain ? row : `${this.#name}/#${digest(key, "base64url")}`;
  }
}

const refused = (wait: number): RateLimitResult => ({ allowed: false, remaining: 0, retry_after_ms: wait });

/** In UTF-16, so that texts with different lone surrogates stay different. */
const digest = (key: string, encoding: "hex" | "base64url") =>
  createHash("sha256").update(key, "utf16le").digest(encoding);
