// Renders protocol.json as TypeScript: its numbers, and what each message, record and error holds. Pure text, no files.

import type { Message, Protocol, Schema, Sources } from "./sources.js";
import { GENERATED, typeText } from "./type-text.js";

/** The text of bridge/catalogue/protocol.ts. */
export function renderProtocolTypes(sources: Sources): string {
  const { protocol } = sources;
  const parts = [
    `/** The version of the protocol: shim and host must have the same. */\nexport const PROTOCOL = ${protocol.version};\n`,
    renderConstants("LIMITS", protocol.limits, ({ value }) => value),
    renderConstants("ERROR_CODES", ownErrors(protocol), ({ code }) => code),
    "export type ErrorName = keyof typeof ERROR_CODES;\n",
    renderApiErrors(protocol),
    renderConstants("CAUSES", protocol.causes, ({ text }) => text),
    renderReasons(protocol),
    renderMembers("What goes with an error.", "ErrorData", errorData(sources)),
    renderMessages("What the shim asks.", "ShimRequests", "shim", "request", sources),
    renderMessages("What the shim tells.", "ShimNotifications", "shim", "notification", sources),
    renderMessages("What the host asks.", "HostRequests", "host", "request", sources),
    renderMessages("What the host tells.", "HostNotifications", "host", "notification", sources),
    renderMembers("What the records hold, by their kind.", "RecordKinds", recordKinds(protocol)),
    ...Object.entries(protocol.definitions).map(([name, schema]) => renderDefinition(name, schema, sources)),
  ];
  const text = parts.join("\n");
  const used = ["DatabaseStatement", "Event"].filter((name) => new RegExp(`\\b${name}\\b`).test(text));
  return `// ${GENERATED}
// The protocol of shim and host: docs/reference/protocol.md.
import type { ${used.join(", ")} } from "../sdk/wire-types.js";

${text}`;
}

export function renderConstants<Entry extends { readonly summary: string }>(
  name: string,
  entries: Readonly<Record<string, Entry>>,
  pick: (entry: Entry) => unknown,
): string {
  const lines = Object.entries(entries).map(
    ([key, entry]) => `  /** ${entry.summary} */\n  ${key}: ${JSON.stringify(pick(entry))},\n`,
  );
  return `export const ${name} = {\n${lines.join("")}} as const;\n`;
}

/** Those that JSON-RPC itself has are told by the library. */
function ownErrors({ errors }: Protocol): Protocol["errors"] {
  return Object.fromEntries(Object.entries(errors).filter(([, { standard }]) => !standard));
}

function renderApiErrors({ errors }: Protocol): string {
  const names = Object.keys(errors).filter((name) => errors[name]?.thrown_as === "ApiError");
  const lines = names.map((name) => `  ${JSON.stringify(name)},\n`);
  return `/** Those that a module catches as an ApiError. */\nexport const API_ERRORS = [\n${lines.join("")}] as const;\n`;
}

function renderReasons({ reasons }: Protocol): string {
  const lines = Object.keys(reasons).map((reason) => `\n  | ${JSON.stringify(reason)}`);
  return `/** Why policy answered. */\nexport type Reason =${lines.join("")};\n`;
}

/** With a comment above each, where there is one. */
type Members = readonly (readonly [name: string, type: string, comment?: string])[];

export function renderMembers(comment: string, name: string, members: Members): string {
  return `/** ${comment} */\nexport type ${name} = ${blockOf(members)};\n`;
}

export function blockOf(members: Members): string {
  const lines = members.map(([name, type, comment]) => {
    const above = comment === undefined ? "" : `  /** ${comment} */\n`;
    return `${above}  readonly ${name}: ${type.replaceAll("\n", "\n  ")};\n`;
  });
  return `{\n${lines.join("")}}`;
}

function errorData(sources: Sources): Members {
  return Object.entries(ownErrors(sources.protocol)).map(([name, { data }]) => {
    const members = Object.entries(data).map(([key, type]) => `${key}: ${typeNamed(type, sources)}`);
    return [name, members.length === 0 ? NOTHING : `{ ${members.join("; ")} }`];
  });
}

function recordKinds({ records }: Protocol): Members {
  return Object.entries(records).map(([kind, { holds, summary }]) => [kind, holds, summary]);
}

function renderMessages(
  comment: string,
  name: string,
  from: Message["from"],
  kind: Message["kind"],
  sources: Sources,
): string {
  const members = Object.entries(sources.protocol.messages)
    .filter(([, message]) => message.from === from && message.kind === kind)
    .map(([method, message]) => [keyOf(method), contentOf(message, sources), message.summary] as const);
  return renderMembers(comment, name, members);
}

/** A family is all methods that begin so. */
function keyOf(method: string): string {
  if (method.endsWith("*")) return `[method: \`${method.slice(0, -1)}\${string}\`]`;
  return quoted(method);
}

function quoted(name: string): string {
  return /^\w+$/.test(name) ? name : JSON.stringify(name);
}

function contentOf({ params, result, errors = [] }: Message, sources: Sources): string {
  if (result === undefined) return params;
  return blockOf([
    ["params", typeNamed(params, sources)],
    ["result", typeNamed(result, sources)],
    ["errors", errors.map((error) => JSON.stringify(error)).join(" | ")],
  ]);
}

/** A definition of protocol.json, or of another file of schemas/, as a type. */
export function renderDefinition(name: string, schema: Schema, sources: Sources): string {
  return `/** ${schema.description} */\nexport type ${name} = ${typeOf(schema, sources)};\n`;
}

/** A definition of protocol.json by its name, or what a wire type is as it travels; a `?` at its end means "or null". */
function typeNamed(name: string, sources: Sources): string {
  if (name.endsWith("?")) return `${typeNamed(name.slice(0, -1), sources)} | null`;
  if (Object.hasOwn(sources.protocol.definitions, name)) return name;
  const { type, enum: values } = sources.types[name] ?? {};
  if (!Object.hasOwn(sources.types, name)) throw new Error(`there is no definition ${name}`);
  return typeOf({ ...(type !== undefined && { type }), ...(values && { enum: values }) }, sources);
}

const NOTHING = "Record<string, never>";

function typeOf(schema: Schema, sources: Sources): string {
  if (schema.$ref !== undefined) {
    const [file, name = ""] = schema.$ref.split("#/definitions/");
    return file === "" ? name : typeText(name, sources);
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map((one) => typeOf(one, sources)).join(" | ");
  const types = [schema.type ?? []].flat();
  if (types.length === 0) return "unknown";
  return types.map((type) => typeOfKind(type, schema, sources)).join(" | ");
}

function typeOfKind(type: string, schema: Schema, sources: Sources): string {
  if (type === "integer") return "number";
  if (type === "array") return listOf(schema, sources);
  if (type === "object") return objectOf(schema, sources);
  return type;
}

function listOf({ items = {} }: Schema, sources: Sources): string {
  if (Array.isArray(items)) return `readonly [${items.map((item) => typeOf(item, sources)).join(", ")}]`;
  const item = typeOf(items as Schema, sources);
  return `readonly ${/^\w+$/.test(item) ? item : `(${item})`}[]`;
}

function objectOf({ properties, required = [], additionalProperties }: Schema, sources: Sources): string {
  if (properties && Object.keys(properties).length === 0) return NOTHING;
  const members = Object.entries(properties ?? {}).map(([name, property]) => {
    // What is absent has its default: the host always sends it.
    const optional = required.includes(name) || "default" in property ? "" : "?";
    return [`${quoted(name)}${optional}`, typeOf(property, sources), property.description] as const;
  });
  if (!properties || additionalProperties) {
    const others = typeOf(additionalProperties || {}, sources);
    const named =
      others === "unknown" ? [] : [...members.map(([, type]) => type), members.length > 0 ? "undefined" : []];
    const all = [...new Set([others, ...named.flat()])].join(" | ");
    if (members.length === 0) return `{ readonly [key: string]: ${all} }`;
    members.push(["[key: string]", all, undefined]);
  }
  return blockOf(
    members.map(([name, type, comment]) => (comment === undefined ? [name, type] : [name, type, comment])),
  );
}
