// Gives equal JSON values one text, and orders texts by their bytes: what stores of keys and values compare.
import { exactJson } from "./exact-json.js";
import { isObject } from "./is-object.js";

/** The JSON of a value with sorted keys. Throws a RangeError for what is nested too deeply. */
export function sortedJson(value: unknown): string {
  return exactJson(sorted(value));
}

/** A copy with sorted keys at every depth. What is nested too deeply for that is given back as it is. */
export function sortedKeys(value: unknown): unknown {
  try {
    return sorted(value);
  } catch (error) {
    if (error instanceof RangeError) return value;
    throw error;
  }
}

/** By the bytes of UTF-8, as a database does with the collation C. */
export function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]));
}
