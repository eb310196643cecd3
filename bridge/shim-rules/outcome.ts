// Says in one word what a call came to, and combines the answers of modules that Synapse asks one by one: as the shim's
// decision.py and Synapse itself do.

import { isObject } from "../base/is-object.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";

export type Outcome = "allowed" | "refused" | "replaced" | "answered" | "done";

/** The outcome of a normalised answer. `decided`: a module gave it; otherwise all modules have passed. */
export function outcomeOf(
  callback: Callback,
  answer: unknown,
  decided: boolean,
  catalogue: Catalogue,
): Outcome {
  if (callback.result === "Nothing" || callback.result === "Edits") return "done";
  const { refuses } = catalogue.type(callback.result);
  if (refuses !== undefined) return refuses.includes(answer) ? "refused" : "answered";
  if (!decided) return "allowed";
  return isObject(answer) ? "replaced" : "refused";
}

/** Whether Synapse asks each module for itself, in place of the bridge asking them in order. */
export function isPerModule({ listed, apart, result }: Callback, catalogue: Catalogue): boolean {
  return listed === true || apart === true || catalogue.type(result).merge === true;
}

/** What Synapse makes of the answers of several modules, for the callbacks whose answers it merges. */
export function mergeAnswers({ result }: Callback, answers: readonly unknown[]): unknown {
  if (result === "InterestedUsers") {
    if (answers.includes("ALL")) return "ALL";
    return [...new Set(answers.flat())];
  }
  if (result === "UnsignedFields") return Object.assign({}, ...answers);
  const merged: Record<string, unknown[]> = {};
  for (const routes of answers)
    for (const [user, states] of Object.entries(routes as Record<string, unknown[]>)) {
      const known = Object.hasOwn(merged, user) ? (merged[user] ?? []) : [];
      const texts = new Set(known.map((state) => JSON.stringify(state)));
      const value = [...known, ...states.filter((state) => !texts.has(JSON.stringify(state)))];
      Object.defineProperty(merged, user, { value, enumerable: true, configurable: true, writable: true });
    }
  return merged;
}
