// Makes what two servers said comparable: replaces what must differ (ids, times, names) and keeps all else exactly.
import { createHash } from "node:crypto";

// biome-ignore lint/suspicious/noExplicitAny: any JSON
type Any = any;

/** Keys whose values are random or clocks. */
const opaque = new Set([
  "access_token",
  "age",
  "age_ts",
  "auth_events",
  "creation_ts",
  "device_id",
  "hashes",
  "origin_server_ts",
  "prev_events",
  "refresh_token",
  "session",
  "signatures",
  "stream_ordering",
  "token_id",
  "access_token_id",
  "txn_id",
]);
/** Times that a test chose itself are far below this. */
const firstClockTime = 1_500_000_000_000;

/**
 * Parses JSON but keeps the numbers that JavaScript would change as they are written, as "number 1.0".
 */
export function exactly(text: string): Any {
  const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  const kept = text.replace(token, (found) =>
    found.startsWith('"') || JSON.stringify(Number(found)) === found ? found : `"number ${found}"`,
  );
  try {
    return JSON.parse(kept);
  } catch {
    return text.length > 200 ? createHash("sha256").update(text).digest("hex") : text;
  }
}

/** An answer as a later effect: its status, and its body with every number as it is written. */
export function shown({ status, text }: { readonly status: number; readonly text: string }): Any {
  return { status, body: exactly(text) };
}

/** `names` maps what is known to differ (server names, room ids, ...) to what to call it. */
export function normalise(value: Any, names: ReadonlyMap<string, string>): Any {
  const known = [...names].sort(([a], [b]) => b.length - a.length);
  const numbered = new Map<string, string>();
  const number = (kind: string, id: string) => {
    const name = numbered.get(id) ?? `<${kind} ${numbered.size + 1}>`;
    numbered.set(id, name);
    return name;
  };
  const text = (given: string) => {
    let result = given;
    for (const [id, name] of known) result = result.replaceAll(id, name);
    return result
      .replace(/![A-Za-z0-9_-]{18,43}(:<\w+>)?/g, (id) => number("room", id))
      .replace(/\$[A-Za-z0-9_-]{43}/g, (id) => number("event", id))
      .replace(/\b[A-Za-z]{2}\/[A-Za-z]{2}\/[A-Za-z]{20}\b/g, "<media path>")
      .replace(/(?<=\/)[A-Za-z]{24}\b|\b[A-Za-z]{24}$/g, (id) => number("media", id))
      .replace(/mxc:\/\/(<\w+>)\/\w+/g, (id) => number("media", id));
  };
  const visit = (given: Any, key: string): Any => {
    if (typeof given === "string") return opaque.has(key) ? "<opaque>" : text(given);
    if (typeof given === "number") {
      return given >= firstClockTime && given < 2 * firstClockTime ? "<time>" : opaqueNumber(given, key);
    }
    if (Array.isArray(given)) return opaque.has(key) ? "<opaque>" : given.map((item) => visit(item, ""));
    if (given === null || typeof given !== "object") return given;
    if (opaque.has(key)) return "<opaque>";
    const entries = Object.keys(given).sort();
    return Object.fromEntries(entries.map((name) => [text(name), visit(given[name], name)]));
  };
  return visit(value, "");
}

function opaqueNumber(given: number, key: string): Any {
  if (opaque.has(key) && key !== "origin_server_ts") return "<opaque>";
  // JSON.stringify, with which the policy writes down what it saw, makes -0 a 0.
  return given === 0 ? 0 : given;
}
