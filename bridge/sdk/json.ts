// The values that travel as they are: JSON, read-only but for what a module may edit in place, and what SQL takes.

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object with free keys. An absent key reads as undefined, and a key set to undefined is left out. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

export type MutableJsonValue = string | number | boolean | null | MutableJsonValue[] | MutableJsonObject;

/** A JSON object that may be edited in place. */
export interface MutableJsonObject {
  [key: string]: MutableJsonValue | undefined;
}

/** What takes the place of a `?`. */
export type DatabaseParam = string | number | boolean | null | Uint8Array;
