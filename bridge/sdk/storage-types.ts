// What `api.run_db_interaction` and `api.store` look like to a module: the wire's shapes are in schemas/.

import type { DatabaseParam, JsonValue } from "./json.js";
import type { DatabaseStatement, Duration } from "./wire-types.js";

/** What a column holds. Numbers are JavaScript's: `CAST(x AS TEXT)` has all digits of a large one. */
export type DatabaseValue = JsonValue | Uint8Array;

/** By the names of the columns. */
export interface DatabaseRow {
  readonly [column: string]: DatabaseValue;
}

export interface DatabaseResult {
  readonly rows: readonly DatabaseRow[];
  /** How many rows were changed, or found. */
  readonly rowcount: number;
}

export type DatabaseResults = readonly DatabaseResult[];

export interface Transaction {
  /** Rejects with a DatabaseError if the statement fails; the transaction is then over. */
  execute(
    sql: string,
    params?: readonly DatabaseParam[],
    options?: { readonly fetch?: "all" | "one" | "none" },
  ): Promise<DatabaseResult>;
}

export interface RunDbInteraction {
  /** All take effect, or none does. `desc` names them in Synapse's log and metrics. */
  (params: { desc: string; statements: readonly DatabaseStatement[] }): Promise<DatabaseResults>;
  /**
   * On PostgreSQL only: commits when `func` resolves, rolls back when it throws or takes longer than 500 ms. It runs
   * again if the database asks for that, and may call nothing else of the api.
   */
  <Value>(params: { desc: string; func: (txn: Transaction) => Value | Promise<Value> }): Promise<Value>;
}

export type StoreGet = <Value = JsonValue>(params: { key: string }) => Promise<Value | undefined>;

export interface StoreEntry<Value = JsonValue> {
  readonly key: string;
  readonly value: Value;
}

export type StoreList = <Value = JsonValue>(params?: {
  prefix?: string | undefined;
  limit?: number | undefined;
  after?: string | undefined;
}) => Promise<readonly StoreEntry<Value>[]>;

export type StoreSet = (params: {
  key: string;
  value: JsonValue;
  ttl?: Duration | undefined;
}) => Promise<void>;

export type StoreDelete = (params: { key: string }) => Promise<boolean>;

export type StoreCompareAndSet = (params: {
  key: string;
  expected: JsonValue | undefined;
  value: JsonValue | undefined;
  ttl?: Duration | undefined;
}) => Promise<boolean>;

export type StoreUpdate = <Value extends JsonValue = JsonValue>(params: {
  key: string;
  update: (value: Value | undefined) => Value | undefined;
  ttl?: Duration | undefined;
}) => Promise<Value | undefined>;
