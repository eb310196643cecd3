// Checks that what a file exports is a module: known keys, known callbacks, functions where functions belong. What
// depends on the module's config (match and web_resources may) is checked by the loader afterwards.
import type { Callback, Catalogue } from "./catalogue.js";
import { readCheckers } from "./checkers.js";
import type { StateKey } from "./generated.js";
import { isObject } from "./is-object.js";
import type { Handler, Setup } from "./module.js";
import { didYouMean } from "./nearest.js";
import { readTemplate } from "./template.js";
import { readTtl } from "./ttl.js";

export interface Definition {
  configSchema?: object;
  setup?: Setup;
  callbacks: Map<string, DeclaredEntry>;
  web_resources?: unknown;
}

export interface DeclaredEntry {
  callback: Callback;
  /** Absent where there are `fields`, or a list of entries. */
  handler?: Handler;
  match?: unknown;
  room_state?: StateKey[];
  ttl?: string | number;
  fields?: Record<string, unknown>;
  checkers?: DeclaredChecker[];
}

export interface DeclaredChecker extends Omit<DeclaredEntry, "fields" | "checkers"> {
  login_type: string;
  fields: string[];
}

type Report = (message: string) => void;

const KEYS = ["configSchema", "setup", "callbacks", "web_resources"];
const ENTRY_KEYS = ["match", "room_state", "ttl", "handler"];

/** Reports every problem; undefined if there is nothing to go on with. */
export function readDefinition(
  exported: unknown,
  catalogue: Catalogue,
  report: Report,
): Definition | undefined {
  if (!isObject(exported) || Object.keys(exported).length === 0) {
    report("exports no module: write `export default defineModule({ ... })`");
    return undefined;
  }
  for (const key of Object.keys(exported)) {
    if (!KEYS.includes(key))
      report(`unknown key ${key}${didYouMean(key, KEYS)}; a module has ${KEYS.join(", ")}`);
  }
  const { configSchema, setup, callbacks = {}, web_resources } = exported;
  const definition: Definition = { callbacks: new Map() };
  if (isObject(configSchema)) definition.configSchema = configSchema;
  else if (configSchema !== undefined) report("configSchema must be a JSON Schema (an object)");
  if (typeof setup === "function") definition.setup = setup as Setup;
  else if (setup !== undefined) report("setup must be a function");
  if (web_resources !== undefined) definition.web_resources = web_resources;
  if (!isObject(callbacks)) report("callbacks must be an object");
  else {
    for (const [name, value] of Object.entries(callbacks)) {
      const entry = readEntry(name, value, catalogue, report);
      if (entry) definition.callbacks.set(name, entry);
    }
  }
  return definition;
}

function readEntry(
  name: string,
  value: unknown,
  catalogue: Catalogue,
  report: Report,
): DeclaredEntry | undefined {
  const callback = catalogue.callbacks.get(name);
  if (!callback) {
    report(`unknown callback ${name}${didYouMean(name, catalogue.callbacks.keys())}`);
    return undefined;
  }
  if (callback.listed) {
    const checkers = readCheckers(name, value, callback, report);
    return checkers && { callback, checkers };
  }
  if (typeof value === "function") return { callback, handler: value as Handler };
  if (!isObject(value)) {
    report(`callbacks.${name} must be a function, or an object with a handler`);
    return undefined;
  }
  const templated = callback.result === "UnsignedFields";
  const keys = templated ? ["fields", ...ENTRY_KEYS] : ENTRY_KEYS;
  const fields = templated && value.fields !== undefined;
  return readParts(`callbacks.${name}`, value, callback, keys, report, !fields);
}

/** What all entries have; undefined without a handler where one is needed. */
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
    const ttl = readTtl(value.ttl, at, callback, report);
    if (ttl !== undefined) entry.ttl = ttl;
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
