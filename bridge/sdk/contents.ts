// What an event's content says: by the Matrix specification, or by an author's own schema.
import { isObject } from "../base/is-object.js";
import { type Loss, type Shape, viewOf } from "../base/view.js";
import { EVENT_SHAPES, type EventContents, HONOURED_IN } from "./event-contents.js";
import type { JsonValue } from "./json.js";
import type { Event } from "./wire-types.js";

/**
 * The schema of a content of an author's own: a part of JSON Schema that types and shapes it.
 * @example
 * ```ts fragment value
 * const poll: ContentSchema = {
 *   type: "object",
 *   properties: { question: { type: "string" }, answers: { type: "array", items: { type: "string" } } },
 * };
 * ```
 */
export interface ContentSchema {
  readonly type?: "array" | "boolean" | "integer" | "null" | "number" | "object" | "string";
  /** The values that are allowed: texts, numbers, booleans or null. */
  readonly enum?: readonly (string | number | boolean | null)[];
  readonly description?: string;
  /** What the items of an array are. */
  readonly items?: ContentSchema;
  /** The fields of an object. The view has no others. */
  readonly properties?: { readonly [name: string]: ContentSchema };
  /** What all fields of an object are, if their names are not known. */
  readonly additionalProperties?: ContentSchema;
}

/**
 * The type of what `contentOf` gives for an author's own schema: every field is optional.
 * @example
 * ```ts fragment value
 * const schema = { type: "object", properties: { votes: { type: "integer" } } } as const;
 * const vote: ContentBy<typeof schema> = { votes: 1 };
 * ```
 */
export type ContentBy<Schema> = Schema extends { readonly enum: readonly (infer Value)[] }
  ? Value
  : Schema extends { readonly type: "array" }
    ? readonly (Schema extends { readonly items: infer Items } ? ContentBy<Items> : JsonValue)[]
    : Schema extends { readonly properties: infer Fields }
      ? { readonly [Name in keyof Fields]?: ContentBy<Fields[Name]> }
      : Schema extends { readonly type: "object" }
        ? {
            readonly [name: string]:
              | (Schema extends { readonly additionalProperties: infer Field } ? ContentBy<Field> : JsonValue)
              | undefined;
          }
        : Schema extends { readonly type: infer Type }
          ? Type extends "string"
            ? string
            : Type extends "boolean"
              ? boolean
              : Type extends "null"
                ? null
                : number
          : JsonValue;

/**
 * Gives the content of an event of this type; undefined for an event of another type, or for no event.
 *
 * Every field is optional, and has the type that it claims: a field with another type is left out, and so is what does not fit
 * within a list or an object. `event.content` has all that the sender wrote. The view is what Synapse goes by: power levels are
 * numbers, also where a room older than version 10 has them as strings, and a field that Synapse ignores in the room's version
 * is left out.
 *
 * Without a schema the types are those of the Matrix specification; with one, those of the schema.
 * @example
 * ```ts fragment callbacks
 * check_event_for_spam({ event }) {
 *   const message = contentOf(event, "m.room.message");
 *   return message?.body?.includes("https://evil.example") ? Codes.FORBIDDEN : NOT_SPAM;
 * },
 * ```
 */
export function contentOf<Type extends keyof EventContents>(
  event: ContentSource | undefined,
  type: Type,
): EventContents[Type] | undefined;
export function contentOf<const Schema extends ContentSchema>(
  event: ContentSource | undefined,
  type: string,
  schema: Schema,
): ContentBy<Schema> | undefined;
export function contentOf(event: ContentSource | undefined, type: string, schema?: ContentSchema): unknown {
  if (event?.type !== type) return undefined;
  const shape = schema === undefined ? specified(type) : shapeBy(schema);
  if (shape === undefined)
    throw new TypeError(`contentOf: the Matrix specification has no room event ${type}: give a schema`);
  return read(event, shape, { lost: false });
}

/**
 * Whether `contentOf` leaves something out because it does not have the type that it claims. An event of a type that Matrix does
 * not specify is not malformed, unless a schema says what it must be.
 * @example
 * ```ts fragment callbacks
 * check_event_allowed: ({ event }) => !malformed(event),
 * ```
 */
export function malformed(event: ContentSource, schema?: ContentSchema): boolean {
  const shape = schema === undefined ? specified(event.type) : shapeBy(schema);
  const loss = { lost: false };
  if (shape !== undefined) read(event, shape, loss);
  return loss.lost || (shape !== undefined && !isObject(event.content));
}

/**
 * What `contentOf` reads of an event.
 * @example
 * ```ts fragment value
 * const source: ContentSource = { type: "m.room.name", room_version: "12", content: { name: "Lobby" } };
 * const name = contentOf(source, "m.room.name")?.name;
 * ```
 */
export type ContentSource = Pick<Event, "type" | "content" | "room_version">;

function specified(type: string): Shape | undefined {
  const shapes: Readonly<Record<string, Shape>> = EVENT_SHAPES;
  return Object.hasOwn(shapes, type) ? shapes[type] : undefined;
}

function read({ type, content, room_version }: ContentSource, shape: Shape, loss: Loss): unknown {
  const version = versionOf(room_version);
  const ranges: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = HONOURED_IN;
  const ignored = Object.entries(Object.hasOwn(ranges, type) ? (ranges[type] ?? {}) : {})
    .filter(([, [from = 0, to = 0]]) => version < from || version > to)
    .map(([field]) => field);
  const raw: unknown = content;
  const honoured =
    isObject(raw) && ignored.some((field) => Object.hasOwn(raw, field))
      ? Object.fromEntries(Object.entries(raw).filter(([field]) => !ignored.includes(field)))
      : raw;
  return viewOf(honoured, shape, loss, version < INTEGER_LEVELS) ?? Object.freeze({});
}

// From this room version on, power levels are integers.
const INTEGER_LEVELS = 10;

/** The number of a room version; of one with another name, a number above all others. */
function versionOf(name: unknown): number {
  return typeof name === "string" && /^[1-9]\d?$/.test(name) ? Number(name) : Number.MAX_SAFE_INTEGER;
}

const known = new WeakMap<ContentSchema, Shape>();

function shapeBy(schema: ContentSchema): Shape {
  const shape = known.get(schema) ?? convert(schema);
  known.set(schema, shape);
  return shape;
}

const KEYS = ["type", "enum", "description", "items", "properties", "additionalProperties"];

function convert(schema: ContentSchema): Shape {
  const unknown = Object.keys(schema).filter((key) => !KEYS.includes(key));
  if (unknown.length > 0)
    throw new TypeError(`contentOf: a schema may have ${KEYS.join(", ")}, but not ${unknown.join(", ")}`);
  const { type, properties, items, additionalProperties } = schema;
  if (schema.enum) return { enum: schema.enum };
  if (type === "array") return { list: items ? convert(items) : "any" };
  if (properties)
    return {
      fields: Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, convert(part)])),
    };
  if (type === "object") return { map: additionalProperties ? convert(additionalProperties) : "any" };
  return type ?? "any";
}
