// Types of JSON values: read-only ones, those that a module may edit in place, and the parameters of SQL.

/**
 * Any JSON value, read-only.
 * @example
 * ```ts fragment value
 * const jsonValue: JsonValue = [1, "two", { three: null }];
 * ```
 */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/**
 * A JSON object with any keys, read-only. A missing key reads as undefined, and a key set to undefined is left out.
 * @example
 * ```ts fragment value
 * const jsonObject: JsonObject = { msgtype: "m.text", body: "Hello" };
 * ```
 */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/**
 * Any JSON value that a module may edit in place.
 * @example
 * ```ts fragment value
 * const list: MutableJsonValue[] = [];
 * list.push("one");
 * ```
 */
export type MutableJsonValue = string | number | boolean | null | MutableJsonValue[] | MutableJsonObject;

/**
 * A JSON object that a module may edit in place.
 * @example
 * ```ts fragment callbacks
 * on_create_room({ request_content }) {
 *   request_content.preset = "private_chat";
 * },
 * ```
 */
export interface MutableJsonObject {
  [key: string]: MutableJsonValue | undefined;
}

/**
 * The value for a `?` in SQL. Bytes are a BYTEA (PostgreSQL) or BLOB (SQLite).
 * @example
 * ```ts fragment value
 * const params: DatabaseParam[] = ["@alice:example.org", 7, null, new Uint8Array([1, 2])];
 * ```
 */
export type DatabaseParam = string | number | boolean | null | Uint8Array;
