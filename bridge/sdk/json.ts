// Types of JSON values: those that a module gets, those that it may edit in place, those that it may give, and the parameters
// of SQL.

/**
 * Any JSON value that a module gets, read-only. `Array.isArray` tells a list from an object.
 * @example
 * ```ts fragment value
 * function names(value: JsonValue): JsonValue[] {
 *   if (typeof value !== "object" || value === null) return [];
 *   return Array.isArray(value) ? [...value] : Object.keys(value);
 * }
 * ```
 */
export type JsonValue = string | number | boolean | null | JsonArray | JsonObject;

// Array.isArray narrows only to a subtype of any[], which a ReadonlyArray is not. So this is an array whose methods that change it
// cannot be called.
/**
 * A list of JSON values that a module gets. It cannot be changed: copy it with `[...list]`.
 * @example
 * ```ts fragment handler
 * const { via } = event.content;
 * const servers = Array.isArray(via) ? via.filter((server) => typeof server === "string") : [];
 * ```
 */
export interface JsonArray extends Array<JsonValue> {
  readonly [index: number]: JsonValue;
  readonly length: number;
  copyWithin(this: never, ...args: never): this;
  fill(this: never, ...args: never): this;
  pop(this: never): JsonValue | undefined;
  push(this: never, ...args: never): number;
  reverse(this: never): JsonValue[];
  shift(this: never): JsonValue | undefined;
  sort(this: never, ...args: never): this;
  splice(this: never, ...args: never): JsonValue[];
  unshift(this: never, ...args: never): number;
}

/**
 * A JSON object with any keys that a module gets, read-only. A missing key reads as undefined. Whoever wrote it may have
 * written anything: `contentOf` gives an event's content by its type.
 *
 * TypeScript takes `content as MyContent` for a type alias, and for an interface whose fields are optional. For another
 * interface, write `content as JsonObject & MyContent`. Either way, an assertion checks nothing.
 * @example
 * ```ts fragment handler
 * const { body } = event.content;
 * const text = typeof body === "string" ? body : "";
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
 * user_may_send_state_event: ({ content }) => {
 *   const copy: MutableJsonObject = content;
 *   return copy.membership === "ban" ? Codes.FORBIDDEN : NOT_SPAM;
 * },
 * ```
 */
export interface MutableJsonObject {
  [key: string]: MutableJsonValue | undefined;
}

/**
 * What has no JSON: a list or a Map (which have an iterator), a Promise, a Date, a function. An interface that has none of these
 * keys counts as JSON, since TypeScript cannot look at all of its keys.
 */
interface NoMarks {
  readonly [Symbol.iterator]?: never;
  readonly [Symbol.asyncIterator]?: never;
  readonly [Symbol.toStringTag]?: never;
  readonly [Symbol.toPrimitive]?: never;
  readonly [Symbol.hasInstance]?: never;
  readonly [Symbol.match]?: never;
}

interface JsonInputFields {
  readonly [key: string]: JsonInput | undefined;
}

/**
 * A JSON object that a module gives: an object literal, or a value of an interface. A key set to undefined is left out.
 * @example
 * ```ts fragment value
 * interface Poll {
 *   question: string;
 *   answers: string[];
 * }
 * const poll: Poll = { question: "When?", answers: ["now", "never"] };
 * const content: JsonInputObject = poll;
 * ```
 */
export type JsonInputObject = JsonInputFields | (NoMarks & object);

/**
 * Any JSON value that a module gives. A Promise, a Map, a Set, a Date and a function do not compile: they are not JSON.
 * @example
 * ```ts fragment handler
 * const value: JsonInput = { at: new Date().toISOString(), rooms: [room_id] };
 * await api.store.set({ key: "last", value });
 * ```
 */
export type JsonInput = string | number | boolean | null | readonly JsonInput[] | JsonInputObject;

/**
 * The value for a `?` in SQL. Bytes are a BYTEA (PostgreSQL) or BLOB (SQLite).
 * @example
 * ```ts fragment value
 * const params: DatabaseParam[] = ["@alice:example.org", 7, null, new Uint8Array([1, 2])];
 * ```
 */
export type DatabaseParam = string | number | boolean | null | Uint8Array;
