// Types `api.run_db_interaction` and `api.store` as modules call them. schemas/ has their shapes on the wire.

import type { DatabaseParam, JsonInput, JsonValue } from "./json.js";
import type { DatabaseStatement, Duration } from "./wire-types.js";

/**
 * What a column holds. A number above 2^53 is rounded: `CAST(x AS TEXT)` keeps all digits.
 * @example
 * ```ts fragment value
 * const databaseValue: DatabaseValue = "@alice:example.org";
 * ```
 */
export type DatabaseValue = JsonValue | Uint8Array;

/**
 * A row, by the names of its columns.
 * @example
 * ```ts fragment value
 * const databaseRow: DatabaseRow = { name: "@alice:example.org", admin: 0 };
 * ```
 */
export interface DatabaseRow {
  readonly [column: string]: DatabaseValue;
}

/**
 * The result of one statement.
 * @example
 * ```ts fragment value
 * const databaseResult: DatabaseResult = { rows: [{ users: 3 }], rowcount: 1 };
 * ```
 */
export interface DatabaseResult {
  /** The rows that the statement gives back. */
  readonly rows: readonly DatabaseRow[];
  /** How many rows the statement has changed, or found. */
  readonly rowcount: number;
}

/**
 * The results of several statements, in their order.
 * @example
 * ```ts fragment value
 * const databaseResults: DatabaseResults = [{ rows: [], rowcount: 1 }];
 * ```
 */
export type DatabaseResults = readonly DatabaseResult[];

/**
 * An open transaction, on PostgreSQL only.
 * @example
 * ```ts fragment handler
 * await api.run_db_interaction({
 *   desc: "my_module_count",
 *   async func(txn) {
 *     const { rows } = await txn.execute("SELECT n FROM my_module WHERE user_id = ? FOR UPDATE", [user_id]);
 *     await txn.execute("UPDATE my_module SET n = ? WHERE user_id = ?", [Number(rows[0]?.n ?? 0) + 1, user_id]);
 *   },
 * });
 * ```
 */
export interface Transaction {
  /** Runs a statement, with a `?` for each parameter. Rejects with a DatabaseError if it fails; then the transaction is over. */
  execute(
    sql: string,
    params?: readonly DatabaseParam[],
    options?: { readonly fetch?: "all" | "one" | "none" },
  ): Promise<DatabaseResult>;
}

/**
 * Runs SQL in Synapse's database, in one transaction. Rejects with a DatabaseError if a statement fails. `desc` names the
 * transaction in Synapse's log and metrics.
 * @example
 * ```ts fragment handler
 * const [result] = await api.run_db_interaction({
 *   desc: "my_module_rooms",
 *   statements: [{ sql: "SELECT room_id FROM rooms WHERE creator = ?", params: [user_id] }],
 * });
 * const rooms = result?.rows.map((row) => row.room_id);
 * ```
 */
export interface RunDbInteraction {
  /** Runs the statements, for which they have 3 s. All take effect, or none does. */
  (params: { desc: string; statements: readonly DatabaseStatement[] }): Promise<DatabaseResults>;
  /**
   * On PostgreSQL only: commits when `func` resolves, and rolls back when it throws or takes longer than 500 ms. `func` runs
   * again if the database asks for that, and must not call anything else of the api. Gives what `func` returns.
   */
  <Value>(params: { desc: string; func: (txn: Transaction) => Value | Promise<Value> }): Promise<Value>;
}

/**
 * Gives the value of a key; undefined if there is none.
 * @example
 * ```ts fragment handler
 * const invites = (await api.store.get<number>({ key: `invites/${user_id}` })) ?? 0;
 * ```
 */
export type StoreGet = <Value = JsonValue>(params: { key: string }) => Promise<Value | undefined>;

/**
 * A key of the store, and its value.
 * @example
 * ```ts fragment value
 * const storeEntry: StoreEntry<number> = { key: "invites/@alice:example.org", value: 3 };
 * ```
 */
export interface StoreEntry<Value = JsonValue> {
  readonly key: string;
  readonly value: Value;
}

/**
 * Gives entries in the order of their keys: those with `prefix`, after the key `after`, at most `limit` of them (100 by
 * default, 500 at most).
 * @example
 * ```ts fragment handler
 * for (const { key, value } of await api.store.list<number>({ prefix: "invites/" })) log.info({ key, value }, "invites");
 * ```
 */
export type StoreList = <Value = JsonValue>(params?: {
  prefix?: string | undefined;
  limit?: number | undefined;
  after?: string | undefined;
}) => Promise<readonly StoreEntry<Value>[]>;

/**
 * Sets the value of a key. With `ttl`, the value expires after that time.
 * @example
 * ```ts fragment handler
 * await api.store.set({ key: `invites/${user_id}`, value: 1, ttl: "1h" });
 * ```
 */
export type StoreSet = (params: {
  key: string;
  value: JsonInput;
  ttl?: Duration | undefined;
}) => Promise<void>;

/**
 * Deletes a key, and tells whether it had a value.
 * @example
 * ```ts fragment handler
 * const hadValue = await api.store.delete({ key: `invites/${user_id}` });
 * ```
 */
export type StoreDelete = (params: { key: string }) => Promise<boolean>;

/**
 * Sets a value if the present one equals `expected`, and tells whether it did. `undefined` stands for no value: as
 * `expected` for a key without one, as `value` to delete it.
 * @example
 * ```ts fragment handler
 * const isFirst = await api.store.compare_and_set({ key: "leader", expected: undefined, value: "worker1" });
 * ```
 */
export type StoreCompareAndSet = (params: {
  key: string;
  expected: JsonInput | undefined;
  value: JsonInput | undefined;
  ttl?: Duration | undefined;
}) => Promise<boolean>;

/**
 * A number of the store after `increment`.
 * @example
 * ```ts fragment value
 * const storeCount: StoreCount = { done: true, value: 1, expires_in_ms: 3_600_000 };
 * ```
 */
export interface StoreCount {
  /** Whether it was added: false where the sum would have exceeded `limit`. */
  readonly done: boolean;
  /** What the number is now; 0 if there is none. */
  readonly value: number;
  /** Null for never. */
  readonly expires_in_ms: number | null;
}

/**
 * Adds `by` (1 by default) to the number of a key, unless the sum would exceed `limit`. With `ttl`, the number expires after
 * that time from the first increment: later ones do not put it off. A `RateLimiter` is easier where it is about a limit.
 * @example
 * ```ts fragment handler
 * const { value } = await api.store.increment({ key: `invites/${user_id}`, ttl: "1h" });
 * ```
 */
export type StoreIncrement = (params: {
  key: string;
  by?: number | undefined;
  limit?: number | undefined;
  ttl?: Duration | undefined;
}) => Promise<StoreCount>;

/**
 * Replaces a value by what `update` returns, with no other write in between, and gives the new value. `update` must not be
 * async, and may run several times. It gets and returns undefined for no value.
 * @example
 * ```ts fragment handler
 * const invites = await api.store.update<number>({
 *   key: `invites/${user_id}`,
 *   update: (before = 0) => before + 1,
 * });
 * ```
 */
export type StoreUpdate = <Value extends JsonInput = JsonValue>(params: {
  key: string;
  update: (value: Value | undefined) => Value | undefined;
  ttl?: Duration | undefined;
}) => Promise<Value | undefined>;
