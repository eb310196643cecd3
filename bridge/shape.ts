// Checks that what a file exports is a module: known keys, known callbacks, functions where functions belong. What
// depends on the module's config (match and web_resources may) is checked by the loader afterwards.
import type { Callback, Catalogue } from "./catalogue.js";
import type { StateKey } from "./generated.js";
import { isObject } from "./is-object.js";
import type { Handler, Setup } from "./module.js";
import { didYouMean } from "./nearest.js";

export interface Definition {
  configSchema?: object;
  setup?: Setup;
  callbacks: Map<string, DeclaredEntry>;
  web_resources?: unknown;
}

export interface DeclaredEntry {
  callback: Callback;
  handler: Handler;
  match?: unknown;
  room_state?: StateKey[];
}

type Report = (message: string) => void;

const KEYS = ["configSchema", "setup", "callbacks", "web_resources"];
const ENTRY_KEYS = ["match", "room_state", "handler"];

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
    report(`unknown callback ${name}${didYouMean(name, forwarded(catalogue))}`);
    return undefined;
  }
  if (callback.forwarded === false) {
    report(`callbacks.${name} is not forwarded by this version of the bridge`);
    return undefined;
  }
  if (typeof value === "function") return { callback, handler: value as Handler };
  if (!isObject(value)) {
    report(`callbacks.${name} must be a function, or an object with a handler`);
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (key === "ttl") report(`callbacks.${name}.ttl is not supported by this version of the bridge`);
    else if (!ENTRY_KEYS.includes(key)) {
      report(
        `callbacks.${name} has an unknown key ${key}${didYouMean(key, ENTRY_KEYS)}; it may have ${ENTRY_KEYS.join(", ")}`,
      );
    }
  }
  if (typeof value.handler !== "function") {
    report(`callbacks.${name}.handler must be a function`);
    return undefined;
  }
  const entry: DeclaredEntry = { callback, handler: value.handler as Handler };
  if (value.match !== undefined && callback.single)
    report(`callbacks.${name}.match: Synapse asks no other module, so that this one must answer every call`);
  else if (value.match !== undefined) entry.match = value.match;
  if (value.room_state !== undefined) {
    const keys = readRoomState(value.room_state, callback, report);
    if (keys) entry.room_state = keys;
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

function forwarded(catalogue: Catalogue): string[] {
  return [...catalogue.callbacks.values()].filter((one) => one.forwarded !== false).map((one) => one.name);
}
