// Writes bridge/sdk/event-contents.ts from the JSON schemas that the Matrix specification publishes: which fields the content of
// each room event has, and their types. Only facts are taken over. It is run by hand when there is a new version:
//   git clone --branch v1.19 https://github.com/matrix-org/matrix-spec && npx jiti scripts/generate/import-contents.ts matrix-spec v1.19
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import { parse } from "yaml";
import { ROOT } from "./sources.js";

interface Spec {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  pattern?: string;
  allOf?: Spec[];
  oneOf?: Spec[];
  anyOf?: Spec[];
  properties?: Record<string, Spec>;
  patternProperties?: Record<string, Spec>;
  additionalProperties?: Spec | boolean;
  items?: Spec;
}

/** The shape of a value, as bridge/base/view.ts reads it. */
type Shape =
  | string
  | { enum: string[] }
  | { list: Shape }
  | { map: Shape; keys?: string }
  | { fields: Record<string, Shape> };

const IDS: Readonly<Record<string, string>> = {
  "mx-user-id": "UserId",
  "mx-room-id": "RoomId",
  "mx-event-id": "EventId",
  "mx-room-alias": "RoomAlias",
};
const SIGILS: Readonly<Record<string, string>> = {
  "^@": "UserId",
  "^!": "RoomId",
  "^#": "RoomAlias",
  "^\\$": "EventId",
};
const ROOM_EVENTS = /core-event-schema\/(?:room_event|state_event|call_event)\.yaml$/;

/** A file's schema, with all that it refers to in place. */
function read(path: string): Spec {
  return resolved(parse(readFileSync(path, "utf8")), path) as Spec;
}

function resolved(value: unknown, file: string): unknown {
  if (Array.isArray(value)) return value.map((item) => resolved(item, file));
  if (typeof value !== "object" || value === null) return value;
  const { $ref, ...rest } = value as Record<string, unknown>;
  const own = Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, resolved(item, file)]));
  return typeof $ref === "string" ? { ...read(join(dirname(file), $ref)), ...own } : own;
}

/** The schema with what `allOf` adds. */
function whole(schema: Spec): Spec {
  if (!schema.allOf) return schema;
  const { allOf, ...own } = schema;
  const parts = allOf.map(whole);
  const properties = Object.assign({}, ...parts.map((part) => part.properties), own.properties);
  return Object.assign({}, ...parts, own, { properties });
}

function shapeOf(given: Spec): Shape {
  const schema = whole(given);
  const { type, properties, patternProperties, additionalProperties, items } = schema;
  const several = schema.oneOf ?? schema.anyOf;
  if (several && type === undefined) {
    const shapes = several.map((one) => shapeOf(one));
    return shapes.every((one) => JSON.stringify(one) === JSON.stringify(shapes[0]))
      ? (shapes[0] ?? "any")
      : "any";
  }
  if (Array.isArray(type)) {
    const types = type.filter((one) => one !== "null");
    const [only = "any"] = types;
    return types.length === 1 ? `${shapeOf({ ...schema, type: only })}?` : "any";
  }
  if (type === "string" && schema.enum?.every((one) => typeof one === "string"))
    return { enum: schema.enum as string[] };
  if (type === "string") return IDS[schema.format ?? ""] ?? SIGILS[schema.pattern ?? ""] ?? "string";
  if (type === "integer" || type === "number" || type === "boolean") return type;
  if (type === "array") return { list: items ? shapeOf(items) : "any" };
  if (properties && Object.keys(properties).length > 0)
    return {
      fields: Object.fromEntries(
        Object.entries(properties).map(([name, one]) => [name, shapeOf(one)] as const),
      ),
    };
  const [pattern] = Object.entries(patternProperties ?? {});
  if (pattern) {
    const keys = SIGILS[pattern[0]];
    return { map: shapeOf(pattern[1]), ...(keys && { keys }) };
  }
  if (typeof additionalProperties === "object") return { map: shapeOf(additionalProperties) };
  return type === "object" ? { map: "any" } : "any";
}

/** What both of two kinds of one event type have: m.room.message has one schema for each msgtype. */
function merge(one: Shape | undefined, other: Shape): Shape {
  if (one === undefined || JSON.stringify(one) === JSON.stringify(other)) return other;
  if (typeof one === "object" && typeof other === "object" && "fields" in one && "fields" in other) {
    const fields = { ...one.fields };
    for (const [name, shape] of Object.entries(other.fields)) fields[name] = merge(fields[name], shape);
    return { fields };
  }
  const text = (shape: Shape) => shape === "string" || (typeof shape === "object" && "enum" in shape);
  return text(one) && text(other) ? "string" : "any";
}

function isRoomEvent(schema: Spec): boolean {
  return (schema.allOf ?? []).some(({ $ref = "" }) => ROOM_EVENTS.test($ref));
}

const PLAIN: Readonly<Record<string, string>> = {
  string: "string",
  integer: "number",
  number: "number",
  boolean: "boolean",
  level: "number",
  any: "JsonValue",
};

function typeText(shape: Shape, indent: string): string {
  if (typeof shape === "string")
    return shape.endsWith("?") ? `${typeText(shape.slice(0, -1), indent)} | null` : (PLAIN[shape] ?? shape);
  if ("enum" in shape) return shape.enum.map((one) => JSON.stringify(one)).join(" | ");
  if ("list" in shape) {
    const item = typeText(shape.list, indent);
    return /^\w+$/.test(item) ? `readonly ${item}[]` : `readonly (${item})[]`;
  }
  if ("map" in shape)
    return `{ readonly [key: ${shape.keys ?? "string"}]: ${typeText(shape.map, indent)} | undefined }`;
  const fields = Object.entries(shape.fields).map(
    ([name, one]) =>
      `${indent}  readonly ${/^\w+$/.test(name) ? name : JSON.stringify(name)}?: ${typeText(one, `${indent}  `)};\n`,
  );
  return `{\n${fields.join("")}${indent}}`;
}

// In which room versions Synapse honours a field: synapse/api/room_versions.py has what each version brings.
const HONOURED: Readonly<Record<string, Readonly<Record<string, readonly [from: number, to: number]>>>> = {
  "m.room.create": { creator: [1, 10], additional_creators: [12, Number.MAX_SAFE_INTEGER] },
  "m.room.redaction": { redacts: [11, Number.MAX_SAFE_INTEGER] },
  "m.room.member": { join_authorised_via_users_server: [8, Number.MAX_SAFE_INTEGER] },
  "m.room.join_rules": { allow: [8, Number.MAX_SAFE_INTEGER] },
};

function fieldsOf(shape: Shape | undefined): Record<string, Shape> {
  if (typeof shape !== "object" || !("fields" in shape)) throw new Error("no object with fields");
  return shape.fields;
}

/** Power levels are strings or fractions in some old rooms: Synapse takes int() of them. */
function withLevels(shape: Shape): Shape {
  if (shape === "integer") return "level";
  if (typeof shape !== "object" || "enum" in shape || "list" in shape) return shape;
  if ("map" in shape) return { ...shape, map: withLevels(shape.map) };
  return {
    fields: Object.fromEntries(Object.entries(shape.fields).map(([name, one]) => [name, withLevels(one)])),
  };
}

const [, , checkout = "", version = ""] = argv;
if (!/^v\d+\.\d+$/.test(version))
  throw new Error("give the folder of a checkout, and its version, such as v1.19");
const folder = join(checkout, "data/event-schemas/schema");
const shapes = new Map<string, Shape>();
for (const name of readdirSync(folder).sort()) {
  if (!name.endsWith(".yaml")) continue;
  const file = join(folder, name);
  const content = whole(read(file)).properties?.content;
  // Its schema serves messages between devices, too.
  const isOfRooms = name === "m.room.encrypted.yaml" || isRoomEvent(parse(readFileSync(file, "utf8")));
  if (!isOfRooms || !content) continue;
  const [type = ""] = name.replace(/\.yaml$/, "").split("$");
  const shape = shapeOf(content);
  if (typeof shape === "object" && "fields" in shape) shapes.set(type, merge(shapes.get(type), shape));
}
shapes.set("m.room.power_levels", withLevels(shapes.get("m.room.power_levels") ?? "any"));

// What the specification's modules on mentions, replies, threads and event replacements add to messages. The schemas of the
// events lack it. The text of a module, in content/client-server-api/modules, is the source of what has no schema at all.
const defined = (name: string) =>
  fieldsOf(shapeOf(read(join(checkout, `data/api/client-server/definitions/${name}.yaml`))));
// Its schema has texts, and says that they are Matrix ids.
const mentions = { "m.mentions": { fields: { ...defined("m.mentions"), user_ids: { list: "UserId" } } } };
const relates_to = {
  "m.relates_to": {
    fields: {
      ...defined("m.relates_to"),
      // rich_replies.md and threading.md
      "m.in_reply_to": { fields: { event_id: "EventId" } },
      is_falling_back: "boolean",
    },
  },
};
// event_replacements.md: what an edit makes of the content.
const new_content = {
  "m.new_content": { fields: { ...fieldsOf(shapes.get("m.room.message")), ...mentions } },
};
// Mentions and new contents of an encrypted event are encrypted.
for (const [type, added] of [
  ["m.room.message", { ...mentions, ...relates_to, ...new_content }],
  ["m.sticker", { ...mentions, ...relates_to }],
  ["m.room.encrypted", relates_to],
] as const)
  shapes.set(type, { fields: { ...fieldsOf(shapes.get(type)), ...added } });

const types = [...shapes].map(
  ([type, shape]) => `  readonly ${JSON.stringify(type)}: ${typeText(shape, "  ")};\n`,
);
const table = JSON.stringify(Object.fromEntries(shapes), null, 2);
writeFileSync(
  join(ROOT, "bridge/sdk/event-contents.ts"),
  `// Generated by scripts/generate/import-contents.ts: do not edit.
// Source: the JSON schemas of the Matrix specification ${version}, https://github.com/matrix-org/matrix-spec, data/event-schemas/schema;
// for m.mentions, m.relates_to and m.new_content also data/api/client-server/definitions and the modules mentions, rich_replies,
// threading and event_replacements in content/client-server-api/modules.
// What the content of each room event has.
import type { JsonValue } from "./json.js";
import type { EventId, RoomAlias, RoomId, UserId } from "./wire-types.js";

/**
 * The contents of room events as \`contentOf\` gives them, by event type. The fields and their types are those of the Matrix
 * specification ${version}.
 * @example
 * \`\`\`ts fragment value
 * function isBan(content: EventContents["m.room.member"]): boolean {
 *   return content.membership === "ban";
 * }
 * \`\`\`
 */
export interface EventContents {
${types.join("")}}

/** The same, for base/view.ts to read. */
export const EVENT_SHAPES = ${table};

/** In which room versions a field is honoured, first and last. */
export const HONOURED_IN = ${JSON.stringify(HONOURED, null, 2)};
`,
);
