// Renders the catalogue as TypeScript: the types of generated.ts, and the enums of codes.ts. Pure text, no files.
import { compile, type JSONSchema } from "json-schema-to-typescript";
import type { ApiMethod, Callback, WireType } from "./catalogue.js";
import type { Sources } from "./generate.js";

interface Schema extends Omit<WireType, "type"> {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  items?: Schema | Schema[];
  minItems?: number;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
}

export const GENERATED = "Generated from schemas/ by `npm run generate`: do not edit.";
const LINE = 110;
const STYLE = { printWidth: LINE };
const INDEX_SIGNATURE = "  readonly [key: string]: JsonValue | undefined;\n";

export async function renderTypes(sources: Sources): Promise<string> {
  const declarations = Object.entries(sources.types)
    .filter(([, definition]) => !isInlined(definition))
    .map(([name, definition]) => renderType(name, definition as Schema, sources));
  return [
    `// ${GENERATED}
// The wire types, what each callback gets and may answer, and the ModuleApi.
import type { Codes, NOT_SPAM, RegistrationBehaviour } from "./codes.js";
import type { JsonObject, JsonValue, MutableJsonObject } from "./json.js";
import type {
  AfterLogin,
  AfterUpdate,
  EventReplacement,
  FileWrapper,
  StateEvents,
  Template,
} from "./objects.js";
${storageImport(sources)}`,
    ...(await Promise.all(declarations)),
    renderParams(sources.callbacks, sources),
    renderResults(sources.callbacks, sources),
    renderApi(sources),
  ].join("\n");
}

function storageImport(sources: Sources): string {
  const names = sources.methods.flatMap(([, { tsType }]) => tsType ?? []);
  const sorted = [...new Set(["DatabaseParam", ...names])].sort();
  return `import type {\n${sorted.map((name) => `  ${name},\n`).join("")}} from "./storage-types.js";\n`;
}

/** The TypeScript type that a name of the catalogue stands for; a `?` at its end means "or null". */
export function typeText(name: string, sources: Sources): string {
  if (name.endsWith("?")) return `${typeText(name.slice(0, -1), sources)} | null`;
  const definition = sources.types[name];
  if (definition === undefined) throw new Error(`types.json has no definition ${name}`);
  return isInlined(definition) ? String(definition.tsType) : name;
}

/** An object type with these fields, on one line if `room` for that many characters is enough. */
export function objectText(
  params: Record<string, string>,
  sources: Sources,
  room: number,
  prefix = "",
): string {
  const fields = Object.entries(params).map(([name, type]) => {
    const text = typeText(type, sources);
    // An author may pass on what may be undefined: it is left out.
    return `${prefix}${name}: ${name.endsWith("?") ? `${text} | undefined` : text}`;
  });
  const line = `{ ${fields.join("; ")} }`;
  return line.length <= room ? line : `{\n${fields.map((field) => `  ${field};\n`).join("")}}`;
}

/** A definition that only names a TypeScript type needs no declaration of its own. */
function isInlined(definition: WireType): boolean {
  return /^\w+$/.test(definition.tsType ?? "");
}

async function renderType(name: string, definition: Schema, sources: Sources): Promise<string> {
  const open = definition.properties !== undefined && definition.additionalProperties !== false;
  const schema = prepare(definition, sources);
  if (open) schema.additionalProperties = false;
  const text = await compile(schema as JSONSchema, name, { bannerComment: "", style: STYLE });
  const readOnly = text
    .replace(/^(\s+)([\w"]+\??|\[k: string\]): /gm, "$1readonly $2: ")
    .replace(/\/\*\*\n\s*\* (.*)\n\s*\*\//g, "/** $1 */");
  return open ? readOnly.replace(/\}\n$/, `${INDEX_SIGNATURE}}\n`) : readOnly;
}

/** Puts into `tsType` what json-schema-to-typescript would render otherwise: references, arrays, free objects. */
function prepare(schema: Schema, sources: Sources): Schema {
  const { description, tsType } = schema;
  const described = description === undefined ? {} : { description };
  if (tsType !== undefined) return { ...described, tsType };
  if (schema.$ref !== undefined || schema.type === "array")
    return { ...described, tsType: inline(schema, sources) };
  if (isFreeObject(schema)) return { ...described, tsType: inline(schema, sources) };
  const prepared = { ...schema };
  if (schema.anyOf) prepared.anyOf = schema.anyOf.map((one) => prepare(one, sources));
  if (schema.properties) {
    prepared.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([key, value]) => [key, prepare(value, sources)]),
    );
  }
  if (typeof schema.additionalProperties === "object") {
    prepared.additionalProperties = prepare(schema.additionalProperties, sources);
  }
  return prepared;
}

function isFreeObject(schema: Schema): boolean {
  const types = [schema.type].flat();
  return types.includes("object") && !schema.properties && typeof schema.additionalProperties !== "object";
}

function inline(schema: Schema, sources: Sources): string {
  if (schema.tsType !== undefined) return schema.tsType;
  if (schema.$ref === "codes.json") return "Codes";
  if (schema.$ref !== undefined) return typeText(schema.$ref.replace("#/definitions/", ""), sources);
  if (schema.type === "array" && Array.isArray(schema.items)) {
    const required = schema.minItems ?? 0;
    const items = schema.items.map((item, i) => `${inline(item, sources)}${i < required ? "" : "?"}`);
    return `readonly [${items.join(", ")}]`;
  }
  if (schema.type === "array") {
    const item = inline(schema.items as Schema, sources);
    return `readonly ${/^\w+$/.test(item) ? item : `(${item})`}[]`;
  }
  const names: Record<string, string> = { integer: "number", object: "JsonObject" };
  const types = [schema.type ?? []].flat();
  if (types.length === 0 || schema.properties)
    throw new Error(`not to be inlined: ${JSON.stringify(schema)}`);
  return types.map((type) => names[type] ?? type).join(" | ");
}

function renderParams(callbacks: readonly Callback[], sources: Sources): string {
  const entries = callbacks.map(({ name, summary, params }) => {
    const fields = objectText(params, sources, LINE - name.length - "  readonly : ;".length, "readonly ");
    return `/** ${summary} */\nreadonly ${name}: ${fields};\n`;
  });
  return `/** What each callback gets. */\nexport interface CallbackParams {\n${indent(entries.join(""))}}\n`;
}

function renderResults(callbacks: readonly Callback[], sources: Sources): string {
  const entries = callbacks.map(({ name, result }) => `  readonly ${name}: ${typeText(result, sources)};\n`);
  return `/** What each callback may answer. */\nexport interface CallbackResults {\n${entries.join("")}}\n`;
}

type ApiTree = Map<string, ApiTree | string>;

function renderApi(sources: Sources): string {
  const tree: ApiTree = new Map();
  for (const [name, { type, summary }] of sources.properties) {
    tree.set(name, `/** ${summary} */\nreadonly ${name}: ${typeText(type, sources)};\n`);
  }
  for (const [name, method] of sources.methods) {
    const path = name.split(".");
    const last = path.pop() as string;
    let branch = tree;
    for (const part of path) {
      const next = branch.get(part) ?? new Map();
      if (typeof next === "string") throw new Error(`api.json: ${part} is both a method and a group`);
      branch.set(part, next);
      branch = next;
    }
    branch.set(last, methodText(last, method, sources));
  }
  return `/** Synapse's ModuleApi by its names. */\nexport interface Api {\n${indent(branchText(tree))}}\n`;
}

function branchText(branch: ApiTree): string {
  return [...branch]
    .map(([name, entry]) =>
      typeof entry === "string" ? entry : `readonly ${name}: {\n${indent(branchText(entry))}};\n`,
    )
    .join("");
}

function methodText(name: string, method: ApiMethod, sources: Sources): string {
  const grant =
    method.access !== "write" ? "" : ` Needs ${method.grant ? `the grant \`${method.grant}\`` : "a grant"}.`;
  if (method.tsType) return `/** ${method.summary}${grant} */\nreadonly ${name}: ${method.tsType};\n`;
  const result = typeText(method.result, sources);
  const returned = method.access === "sync" ? result : `Promise<${result}>`;
  const room = LINE - `  ${name}(params: ): ${returned};`.length;
  const fields = objectText(method.params, sources, room);
  const names = Object.keys(method.params);
  const optional = names.every((one) => one.endsWith("?")) ? "?" : "";
  const params = names.length === 0 ? "" : `params${optional}: ${fields}`;
  return `/** ${method.summary}${grant} */\n${name}(${params}): ${returned};\n`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

/** The enums: members, not strings, so that a bare string in a module is a compile error. */
export function renderCodes(sources: Sources): string {
  const behaviours = (sources.types.RegistrationVerdict?.enum ?? []) as string[];
  return `// ${GENERATED}
// Synapse's error codes and other constants, as enums: a bare string or a boolean in their place does not compile.

/** Synapse's error codes, by its names for them. */
export enum Codes {
${sources.codes.map(([name, value]) => `  ${name} = ${JSON.stringify(value)},\n`).join("")}}

export enum NotSpam {
  NOT_SPAM = "NOT_SPAM",
}

/** "I do not object": the answer of a spam checker callback that allows. */
export const NOT_SPAM = NotSpam.NOT_SPAM;

/** What becomes of a registration. */
export enum RegistrationBehaviour {
${behaviours.map((value) => `  ${value.toUpperCase()} = ${JSON.stringify(value)},\n`).join("")}}
`;
}
