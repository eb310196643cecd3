// Reads and checks the keys that any callback's entry may have: handler, `match`, `ttl`, `room_state` and `fields`.
import { didYouMean } from "../base/nearest.js";
import type { Callback } from "../catalogue/catalogue.js";
import type { StateKey } from "../sdk/wire-types.js";
import type { Handler } from "./module.js";
import { readTemplate } from "./template.js";
import { whyNoTtl } from "./ttl.js";

export interface DeclaredEntry {
  callback: Callback;
  /** Absent if there are `fields` or `checkers`. */
  handler?: Handler;
  match?: unknown;
  room_state?: StateKey[];
  /** A function of the config, or a duration. */
  ttl?: unknown;
  fields?: Record<string, unknown>;
  checkers?: DeclaredChecker[] | ((config: unknown) => unknown);
}

export interface DeclaredChecker extends Omit<DeclaredEntry, "fields" | "checkers"> {
  login_type: string;
  fields: string[];
}

export type Report = (message: string) => void;

/** Returns the entry; undefined if it needs a handler (`handled`) and has none. Other problems are only reported. */
export function readParts(
  at: string,
  value: Record<string, unknown>,
  callback: Callback,
  keys: readonly string[],
  report: Report,
  handled = true,
): DeclaredEntry | undefined {
  for (const key of Object.keys(value)) {
    if (!keys.includes(key))
      report(`${at} has an unknown key ${key}${didYouMean(key, keys)}; it may have ${keys.join(", ")}`);
  }
  const entry: DeclaredEntry = { callback };
  if (handled) {
    if (typeof value.handler !== "function") {
      report(`${at}.handler must be a function`);
      return undefined;
    }
    entry.handler = value.handler as Handler;
  } else {
    for (const key of ["handler", "ttl"])
      if (key in value) report(`${at} has fields, which need no call: it may not have a ${key} beside them`);
    const fields = readTemplate(value.fields, `${at}.fields`, report);
    if (fields) entry.fields = fields;
  }
  if (value.match !== undefined && callback.single)
    report(`${at}.match: Synapse asks no other module, so that this one must answer every call`);
  else if (value.match !== undefined) entry.match = value.match;
  if (value.ttl !== undefined && handled) {
    const refusal = whyNoTtl(callback);
    if (refusal) report(`${at}.ttl: ${callback.name} ${refusal}`);
    else entry.ttl = value.ttl;
  }
  if (value.room_state !== undefined) {
    const state = readRoomState(value.room_state, callback, report);
    if (state) entry.room_state = state;
  }
  return entry;
}

function readRoomState(value: unknown, callback: Callback, report: Report): StateKey[] | undefined {
  if (!Object.values(callback.params).includes("StateEvents")) {
    report(`callbacks.${callback.name}.room_state: Synapse gives this callback no room state`);
    return undefined;
  }
  if (!Array.isArray(value) || !value.every(isStateKey)) {
    report(
      `callbacks.${callback.name}.room_state must be a list of [type, state_key], with null for all state keys`,
    );
    return undefined;
  }
  return value.map(([type, key]) => [type, key]);
}

function isStateKey(value: unknown): value is StateKey {
  if (!Array.isArray(value) || value.length !== 2) return false;
  return typeof value[0] === "string" && (typeof value[1] === "string" || value[1] === null);
}
