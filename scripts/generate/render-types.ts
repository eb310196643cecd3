// Renders the catalogue as TypeScript: the types that authors get, and the enums of codes.ts. Pure text, no files.
import { compile, type JSONSchema } from "json-schema-to-typescript";
import { type ApiMethod, type Callback, grantsFor, type WireType } from "../../bridge/catalogue/catalogue.js";
import type { Sources } from "./sources.js";

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

// What generated types refer to, by the files of the SDK that declare it by hand.
const CODES = ["Codes", "NOT_SPAM", "RegistrationBehaviour"];
const JSON_TYPES = ["DatabaseParam", "JsonObject", "JsonValue", "MutableJsonObject"];
const OBJECTS = ["AfterLogin", "AfterUpdate", "EventReplacement", "FileWrapper", "StateEvents", "Template"];

/** The texts of wire-types.ts, callbacks.ts and module-api.ts. */
export async function renderTypes(
  sources: Sources,
): Promise<{ wireTypes: string; callbacks: string; moduleApi: string }> {
  const declared = await Promise.all(
    Object.entries(sources.types)
      .filter(([, definition]) => !isInlined(definition))
      .map(async ([name, definition]) => ({
        name,
        text: await renderType(name, definition as Schema, sources),
      })),
  );
  const upper = refersTo(OBJECTS, declared);
  const wireTypes = declared.filter(({ name }) => !upper.has(name));
  const answers = declared.filter(({ name }) => upper.has(name));
  const textsOf = (types: typeof declared) => types.map(({ text }) => text);
  const namesOf = (types: typeof declared) => types.map(({ name }) => name);
  const storage = sources.methods.flatMap(([, { tsType }]) => tsType ?? []);
  const byHand: Imports = { "./codes.js": CODES, "./json.js": JSON_TYPES };
  const all: Imports = {
    ...byHand,
    "./objects.js": OBJECTS,
    "./storage-types.js": storage,
    "./wire-types.js": namesOf(wireTypes),
  };
  return {
    wireTypes: file("The wire types: what travels as it is declared.", textsOf(wireTypes), byHand),
    callbacks: file(
      "What each callback gets and may answer.",
      [
        ...textsOf(answers),
        renderParams(sources.callbacks, sources),
        renderResults(sources.callbacks, sources),
      ],
      all,
    ),
    moduleApi: file("The ModuleApi.", [renderApi(sources), renderWrites(sources)], {
      "./callbacks.js": namesOf(answers),
      ...all,
    }),
  };
}

type Imports = Readonly<Record<string, readonly string[]>>;

interface Declared {
  readonly name: string;
  readonly text: string;
}

/** The names of the types that refer to some of these, by way of others too. */
function refersTo(names: readonly string[], declared: readonly Declared[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const { name, text } of declared) if (usedIn(text, [...names, ...found]).length > 0) found.add(name);
  }
  return found;
}

/** Those of the names that a text uses other than in its comments. */
function usedIn(text: string, names: readonly string[]): string[] {
  const words = new Set(text.replace(/\/\*\*[\s\S]*?\*\//g, "").match(/\w+/g));
  return names.filter((name) => words.has(name));
}

function file(summary: string, texts: readonly string[], available: Imports): string {
  const text = texts.join("\n");
  const imports = Object.entries(available).flatMap(([path, names]) => {
    const used = [...new Set(usedIn(text, names))].sort();
    return used.length === 0
      ? []
      : [`import type {\n${used.map((name) => `  ${name},\n`).join("")}} from "${path}";\n`];
  });
  return `// ${GENERATED}\n// ${summary}\n${imports.join("")}\n${text}`;
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
  const entries = callbacks.map(({ name, summary, ...callback }) => {
    const fields = objectText(
      paramsOfAll(callback),
      sources,
      LINE - name.length - "  readonly : ;".length,
      "readonly ",
    );
    return `/** ${summary} */\nreadonly ${name}: ${fields};\n`;
  });
  return `/** What each callback gets. */\nexport interface CallbackParams {\n${indent(entries.join(""))}}\n`;
}

function renderResults(callbacks: readonly Callback[], sources: Sources): string {
  const entries = callbacks.map(({ name, result }) => `  readonly ${name}: ${typeText(result, sources)};\n`);
  return `/** What each callback may answer. */\nexport interface CallbackResults {\n${entries.join("")}}\n`;
}

/** The parameters of a callback, with a ? after the names of those that older Synapses do not give. */
export function paramsOfAll({
  params,
  params_since = {},
}: Pick<Callback, "params" | "params_since">): Record<string, string> {
  const entries = Object.entries(params);
  return Object.fromEntries(entries.map(([name, type]) => [name in params_since ? `${name}?` : name, type]));
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

function renderWrites({ methods }: Sources): string {
  const entries = methods
    .filter(([, { access }]) => access === "write")
    .map(([path, method]) => {
      const grants = grantsFor(path, method).map((grant) => JSON.stringify(grant));
      return `  readonly ${/^\w+$/.test(path) ? path : JSON.stringify(path)}: ${grants.join(" | ")};\n`;
    });
  return `/** The methods of the api that need a grant, each with the grants of which one is enough. */\nexport interface ApiWrites {\n${entries.join("")}}\n`;
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
  const kinds = Object.entries(sources.protocol.errors).filter(([, error]) => error.thrown_as === "ApiError");
  return `// ${GENERATED}
// Synapse's error codes and other constants, as enums: a bare string or a boolean in their place does not compile. And
// how calls of the api fail.

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

/** Why a call of the api failed. */
export type ApiErrorKind =
${kinds.map(([kind]) => `  | ${JSON.stringify(kind)}\n`).join("")}  | "host_error";
`;
}
