// Joins the answers of all modules, for the result types whose answers add up.
import { isObject } from "./is-object.js";

/** Objects and lists are united, key by key; any other value (the `ALL` of interested users) stands for everything. */
export function mergeAnswers(answers: unknown[]): unknown {
  return answers.reduce(unite);
}

function unite(one: unknown, other: unknown): unknown {
  if (Array.isArray(one) && Array.isArray(other)) {
    const seen = new Set(one.map((value) => JSON.stringify(value)));
    return [...one, ...other.filter((value) => !seen.has(JSON.stringify(value)))];
  }
  if (isObject(one) && isObject(other)) {
    const merged = new Map(Object.entries(one));
    for (const [key, value] of Object.entries(other))
      merged.set(key, merged.has(key) ? unite(merged.get(key), value) : value);
    return Object.fromEntries(merged);
  }
  return Array.isArray(one) || isObject(one) ? other : one;
}
