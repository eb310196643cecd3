// Leaves out of an event what has not the type that the catalogue declares, since any server can write it: who reads an
// optional field can rely on its type. The original, in Synapse, keeps it.

import { isObject } from "../base/is-object.js";
import type { Catalogue } from "../catalogue/catalogue.js";

interface Schema {
  $ref?: string;
  type?: string | string[];
  required?: string[];
  properties?: Record<string, Schema>;
}

/** The optional fields of an event, each with the types that it may have. */
const declared = new WeakMap<Catalogue, [field: string, types: readonly string[]][]>();

/** The event itself, which is changed in place. */
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

/** As JSON Schema names it. */
function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
