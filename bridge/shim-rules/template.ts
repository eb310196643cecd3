// Fills in a template of fields for an event's `unsigned`, as the shim's template.py does.

import { isObject } from "../base/is-object.js";
import type { Callback } from "../catalogue/catalogue.js";
import { lookup, resolvePath } from "./match.js";

const REFERENCE = "$event";

/** Returns the value for a template, whose shape the host has checked; undefined if its path leads nowhere. */
export function fillTemplate(
  callback: Callback,
  template: unknown,
  params: Record<string, unknown>,
): unknown {
  const fill = (one: unknown) => fillTemplate(callback, one, params);
  if (Array.isArray(template)) return template.map(fill).filter((value) => value !== undefined);
  if (!isObject(template)) return template;
  if (Object.hasOwn(template, REFERENCE))
    return lookup(params, resolvePath(callback, String(template[REFERENCE])));
  const fields = Object.entries(template).map(([name, value]) => [name, fill(value)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}
