// Checks that a file's default export is a module: known keys, known callbacks, functions where functions belong. The loader
// checks later what may depend on the module's config (match and web_resources).

import { isObject } from "../base/is-object.js";
import { didYouMean } from "../base/nearest.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { readCheckers } from "./checkers.js";
import { type DeclaredEntry, type Report, readParts } from "./entry.js";
import { readDeclaredGrants } from "./grants.js";
import type { BroadcastHandler, Close, Handler, Setup } from "./module.js";

export interface Definition {
  configSchema?: object;
  grants?: string[];
  setup?: Setup;
  callbacks: Map<string, DeclaredEntry>;
  web_resources?: unknown;
  broadcasts: Map<string, BroadcastHandler>;
  close?: Close;
}

const KEYS = ["configSchema", "grants", "setup", "callbacks", "web_resources", "broadcasts", "close"];
const ENTRY_KEYS = ["match", "room_state", "ttl", "handler"];

/** Returns the definition and reports its problems. Undefined if the export is not a module at all. */
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
  const { configSchema, grants, setup, callbacks = {}, web_resources, broadcasts = {}, close } = exported;
  const definition: Definition = { callbacks: new Map(), broadcasts: readBroadcasts(broadcasts, report) };
  if (isObject(configSchema)) definition.configSchema = configSchema;
  else if (configSchema !== undefined) report("configSchema must be a JSON Schema (an object)");
  if (grants !== undefined) definition.grants = readDeclaredGrants(grants, catalogue, report);
  if (typeof setup === "function") definition.setup = setup as Setup;
  else if (setup !== undefined) report("setup must be a function");
  if (typeof close === "function") definition.close = close as Close;
  else if (close !== undefined) report("close must be a function");
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

function readBroadcasts(broadcasts: unknown, report: Report): Definition["broadcasts"] {
  const handlers: Definition["broadcasts"] = new Map();
  if (!isObject(broadcasts)) report("broadcasts must be an object");
  else
    for (const [topic, handler] of Object.entries(broadcasts)) {
      if (typeof handler === "function") handlers.set(topic, handler as BroadcastHandler);
      else report(`broadcasts.${topic} must be a function`);
    }
  return handlers;
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
    if (typeof value === "function") return { callback, checkers: value as (config: unknown) => unknown };
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
