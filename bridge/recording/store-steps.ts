// What a recorded call of the store's methods tells of each key: what it held before the call, and what it holds after it.
import { parseDuration } from "../base/duration.js";
import { exactJson } from "../base/exact-json.js";
import { isObject } from "../base/is-object.js";
import { sortedJson } from "../base/sorted-json.js";
import type { RecordedApi } from "./format.js";

/** What a key holds: the JSON of its value, or null for none; and until when, in milliseconds. */
export interface Content {
  json: string | null;
  until: number;
}

/** What a recorded call tells of a key: what it held before, what it did not hold, what it holds after. */
export interface Step {
  key: string;
  before?: string | null;
  notBefore?: string | null;
  after?: Content | undefined;
}

/** What a list lacks is not among them: that depends on which keys there are. */
export function stepsOf(one: RecordedApi, at: number): Step[] {
  if (!("answer" in one) || !isObject(one.params)) return [];
  const { method, answer, params } = one;
  if (method === "store.list") return (listed(answer) ?? []).map(stepOfEntry);
  const { key, value, ttl, expected } = params;
  if (typeof key !== "string") return [];
  const after = () => {
    try {
      return contentOf(value, ttl, at);
    } catch {
      return lasting(textOf(value));
    }
  };
  switch (method) {
    case "store.get":
      return [{ key, before: isObject(answer) ? textOf(answer.value) : null }];
    case "store.set":
      return [{ key, after: after() }];
    case "store.delete":
      return [{ key, ...(answer === false && { before: null }), after: lasting(null) }];
    case "store.compare_and_set":
      if (answer === true) return [{ key, before: textOf(expected), after: after() }];
      return [{ key, notBefore: textOf(expected) }];
    case "store.increment":
      return isObject(answer) ? [stepOfIncrement(key, answer, Number(params.by ?? 1), at)] : [];
    default:
      return [];
  }
}

function stepOfIncrement(key: string, answer: Record<string, unknown>, by: number, at: number): Step {
  const { done, value, expires_in_ms } = answer;
  const json = (number: number) => (number > 0 ? String(number) : null);
  if (done !== true) return { key, before: json(Number(value)) };
  const until = typeof expires_in_ms === "number" ? at + expires_in_ms : Number.POSITIVE_INFINITY;
  return { key, before: json(Number(value) - by), after: { json: String(value), until } };
}

function stepOfEntry({ key, value }: { key: string; value: unknown }): Step {
  return { key, before: textOf(value) };
}

export function listed(answer: unknown): { key: string; value: unknown }[] | undefined {
  if (!Array.isArray(answer)) return undefined;
  return answer.filter((one) => isObject(one) && typeof one.key === "string");
}

/** Throws a TypeError for a `ttl` that is none. */
export function contentOf(value: unknown, ttl: unknown, now: number): Content {
  const until = ttl === undefined ? Number.POSITIVE_INFINITY : now + parseDuration(ttl);
  return { json: textOf(value), until };
}

export function lasting(json: string | null): Content {
  return { json, until: Number.POSITIVE_INFINITY };
}

/** The same text for equal values; null for none. */
export function textOf(value: unknown): string | null {
  if (value === undefined) return null;
  try {
    return sortedJson(value);
  } catch (error) {
    // Too deep to be sorted. It is only compared.
    if (error instanceof RangeError) return exactJson(value);
    throw error;
  }
}
