// Removes optional fields of an event that do not have their declared type, so that modules can rely on the types: any server
// can write such fields. The original event in Synapse keeps them.

import { isObject } from "../base/is-object.js";
import type { Catalogue } from "../catalogue/catalogue.js";

interface Schema {
  $ref?: string;
  type?: string | string[];
  required?: string[];
  properties?: Record<string, Schema>;
}

/** By catalogue: the optional fields of an event, each with its allowed types. */
const declared = new WeakMap<Catalogue, [field: string, types: readonly string[]][]>();

/** Changes the event in place, and returns it. */
export function sanitizeEvent<T>(event: T, catalogue: Catalogue): T {
  if (!isObject(event)) return event;
  for (const [field, types] of fieldsOf(catalogue)) {
    const value = event[field];
    if (value !== undefined && !types.includes(typeOf(value))) delete event[field];
  }
  return event;
}

export function sanitizeEvents<T>(events: T, catalogue: Catalogue): T {
  if (Array.isArray(events)) for (const event of events) sanitizeEvent(event, catalogue);
  return events;
}

function fieldsOf(catalogue: Catalogue): [string, readonly string[]][] {
  const known = declared.get(catalogue);
  if (known) return known;
  const { properties = {}, required = [] } = catalogue.type("Event") as Schema;
  const optional = Object.entries(properties).filter(([field]) => !required.includes(field));
  const fields = optional.map(([field, schema]): [string, readonly string[]] => {
    const { type } = schema.$ref ? catalogue.type(schema.$ref.replace("#/definitions/", "")) : schema;
    return [field, [type ?? []].flat()];
  });
  declared.set(catalogue, fields);
  return fields;
}

/** The type of a value, as JSON Schema names it. */
function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
