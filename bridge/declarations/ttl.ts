// Checks a `ttl`: how long the shim caches an answer for equal questions. The shim parses the duration.
import type { Callback } from "../catalogue/catalogue.js";

/** Synapse's syntax of durations. Zero is not allowed. */
const DURATION = /^0*[1-9][0-9]*[smhdwy]?$/;

export function readTtl(
  value: unknown,
  at: string,
  report: (message: string) => void,
): string | number | undefined {
  if ((typeof value === "string" || typeof value === "number") && DURATION.test(String(value))) return value;
  report(`${at}.ttl must be a duration: milliseconds, or a number with s, m, h, d, w or y, such as "10m"`);
  return undefined;
}

/** Why answers of this callback are not kept, if they are not. */
export function whyNoTtl({ secret, once, delivery, result }: Callback): string | undefined {
  if (secret) return "is asked with passwords or tokens, and no answer about those is kept";
  if (delivery === "notify" || result === "Nothing" || result === "Edits")
    return "has no answer that could be kept";
  return once ? "has an answer of its own for each question: none is kept" : undefined;
}
