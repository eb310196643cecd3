// Decides whether Synapse would ask a module, as the shim's match.py, globs.py and locality.py do.

import { isObject } from "../base/is-object.js";
import type { Callback } from "../catalogue/catalogue.js";
import type { Match } from "../catalogue/protocol.js";
import { isMine } from "../module-api/api.js";

type Params = Record<string, unknown>;

export function matches(callback: Callback, match: Match, params: Params, serverName: string): boolean {
  const { not = {}, local, ...wanted } = match;
  const holds = ([key, expected]: [string, unknown]) =>
    fits(lookup(params, resolvePath(callback, key)), expected);
  if (local !== undefined && isLocal(callback, params, serverName) !== local) return false;
  return Object.entries(wanted).every(holds) && !Object.entries(not).some(holds);
}

/** Whether the subject is local. A call without a subject counts as local. */
export function isLocal({ subject }: Callback, params: Params, serverName: string): boolean {
  const id = subject === undefined ? undefined : lookup(params, subject.split("."));
  return typeof id !== "string" || isMine(id, serverName);
}

/** Splits a path at dots. A dot inside a key is written `\.`; `event.` is implied if there is an event. */
export function resolvePath({ params }: Callback, key: string): string[] {
  const parts = key.split(/(?<!\\)\./).map((part) => part.replaceAll("\\.", "."));
  const event = Object.keys(params).find((name) => params[name] === "Event");
  return event === undefined || Object.hasOwn(params, parts[0] ?? "") ? parts : [event, ...parts];
}

/** The value at a path; undefined if there is none. */
export function lookup(params: Params, path: readonly string[]): unknown {
  let value: unknown = params;
  for (const part of path) value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  return value;
}

function fits(value: unknown, expected: unknown): boolean {
  if (!Array.isArray(expected)) return value === expected;
  return typeof value === "string" && expected.some((glob) => fitsGlob([...value], String(glob)));
}

/** Matches the pieces between the stars one by one, each at its first fitting place. If that fails, no other choice fits. */
function fitsGlob(text: string[], glob: string): boolean {
  const [first = [], ...rest] = glob.split("*").map((piece) => [...piece]);
  const last = rest.pop();
  if (last === undefined) return text.length === first.length && stands(text, first, 0);
  const end = text.length - last.length;
  if (end < first.length || !stands(text, first, 0) || !stands(text, last, end)) return false;
  let at = first.length;
  for (const piece of rest) {
    while (at + piece.length <= end && !stands(text, piece, at)) at++;
    at += piece.length;
    if (at > end) return false;
  }
  return true;
}

function stands(text: string[], piece: string[], at: number): boolean {
  return piece.every((letter, offset) => letter === "?" || letter === text[at + offset]);
}
