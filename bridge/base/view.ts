// Takes from a JSON value what has its declared shape: everything else is left out. In linear time, since users write the
// values; only the depth of the shape is followed.
import { isObject } from "./is-object.js";
import { pythonInt } from "./python-int.js";

/**
 * The shape of a value: a type by its name (with a `?`, it may be null), some strings, a list, an object with any keys, or an
 * object with these fields. All fields are optional.
 */
export type Shape =
  | string
  | { readonly enum: readonly unknown[] }
  | { readonly list: Shape }
  | { readonly map: Shape; readonly keys?: string }
  | { readonly fields: Readonly<Record<string, Shape>> };

const SIGILS: Readonly<Record<string, RegExp>> = {
  UserId: /^@[^:]*:/,
  RoomId: /^!/,
  RoomAlias: /^#[^:]*:/,
  EventId: /^\$/,
};

/** What was left out, if anything. */
export interface Loss {
  lost: boolean;
}

/** Returns the part of a value that has the shape, frozen; undefined if nothing has. `levels` may be other than integers. */
export function viewOf(value: unknown, shape: Shape, loss: Loss, levels: boolean): unknown {
  const view = partOf(value, shape, loss, levels);
  if (view === undefined) loss.lost = true;
  return view;
}

function partOf(value: unknown, shape: Shape, loss: Loss, levels: boolean): unknown {
  if (typeof shape === "string") {
    if (shape.endsWith("?")) return value === null ? null : partOf(value, shape.slice(0, -1), loss, levels);
    return ofType(value, shape, levels);
  }
  if ("enum" in shape) return shape.enum.includes(value) ? value : undefined;
  if ("list" in shape) {
    if (!Array.isArray(value)) return undefined;
    const items = value.map((item) => viewOf(item, shape.list, loss, levels));
    return Object.freeze(items.filter((item) => item !== undefined));
  }
  if (!isObject(value)) return undefined;
  if ("map" in shape) {
    const entries = Object.entries(value).flatMap(([key, item]) => {
      const isKey = shape.keys === undefined || ofType(key, shape.keys, levels) !== undefined;
      if (!isKey) loss.lost = true;
      const view = isKey ? viewOf(item, shape.map, loss, levels) : undefined;
      return view === undefined ? [] : [[key, view] as const];
    });
    return Object.freeze(Object.fromEntries(entries));
  }
  const present = Object.entries(shape.fields).filter(([key]) => Object.hasOwn(value, key));
  const entries = present.flatMap(([key, part]) => {
    const view = viewOf(value[key], part, loss, levels);
    return view === undefined ? [] : [[key, view] as const];
  });
  return Object.freeze(Object.fromEntries(entries));
}

function ofType(value: unknown, type: string, levels: boolean): unknown {
  if (type === "any") return value;
  if (type === "integer") return Number.isInteger(value) ? value : undefined;
  if (type === "number") return Number.isFinite(value) ? value : undefined;
  if (type === "level") return levels ? levelOf(value) : ofType(value, "integer", levels);
  const sigil = Object.hasOwn(SIGILS, type) ? SIGILS[type] : undefined;
  if (sigil) return typeof value === "string" && sigil.test(value) ? value : undefined;
  if (type === "object") return isObject(value) ? value : undefined;
  if (type === "array") return Array.isArray(value) ? value : undefined;
  if (type === "null") return value === null ? null : undefined;
  return typeof value === type ? value : undefined;
}

/** As Python's int(): of a number without its fraction, of a boolean, and of a text with digits of any script. */
function levelOf(value: unknown): number | undefined {
  if (typeof value === "boolean") return Number(value);
  // Adding 0 makes zero of a negative zero, which Python's integers lack.
  if (typeof value === "number") return Number.isFinite(value) ? Math.trunc(value) + 0 : undefined;
  return typeof value === "string" ? pythonInt(value) : undefined;
}
