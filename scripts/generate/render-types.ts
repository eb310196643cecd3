// Renders the catalogue as TypeScript: the types that authors get. Pure text, no files.
import { compile, type JSONSchema } from "json-schema-to-typescript";
import { type ApiMethod, grantsFor, type WireType } from "../../bridge/catalogue/catalogue.js";
import { docComment } from "./doc-comment.js";
import {
  callbackComment,
  groupComment,
  methodComment,
  parameterComment,
  propertyComment,
  typeComment,
} from "./hover-texts.js";
import { methodNotes } from "./render-api.js";
import { notesOf } from "./render-callbacks.js";
import type { DeclaredCallback, Sources } from "./sources.js";
import { GENERATED, isInlined, paramsOfAll, typeText } from "./type-text.js";

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

const STYLE = { printWidth: 110 };
// An object of so few characters stays on one line.
const SHORT = 60;
// Of fields that the catalogue does not declare. Without it, the type has the declared fields alone.
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is TypeScript to be generated
const INDEX_SIGNATURE = "readonly [key: `${string}.${string}`]: ";

// What generated types refer to, by the files of the SDK that declare it by hand.
const CODES = ["Codes", "NOT_SPAM", "RegistrationBehaviour"];
const JSON_TYPES = [
  ...["DatabaseParam", "JsonInput", "JsonInputObject", "JsonObject", "JsonValue"],
  ...["MutableJsonObject", "MutableJsonValue"],
];
const OBJECTS = [
  ...["AfterLogin", "AfterUpdate", "CreateRoomBody", "EventReplacement", "FileWrapper", "StateEvents"],
  "Template",
];
const IDS = ["Id"];

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
    "./ids.js": IDS,
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

/** An object type with these fields, and a comment about each where there is something to say. */
function objectText(
  params: Readonly<Record<string, string>>,
  notes: Readonly<Record<string, string>>,
  sources: Sources,
  prefix = "",
  textOf = (_name: string, type: string) => typeText(type, sources),
): string {
  const fields = Object.entries(params).map(([name, type]) => {
    const text = textOf(name.replace(/\?$/, ""), type);
    return {
      comment: parameterComment(type, notes[name.replace(/\?$/, "")], sources),
      // An author may pass on what may be undefined: it is left out.
      field: `${prefix}${name}: ${name.endsWith("?") ? `${text} | undefined` : text}`,
    };
  });
  const line = `{ ${fields.map(({ field }) => field).join("; ")} }`;
  if (fields.every(({ comment }) => comment === "") && line.length <= SHORT) return line;
  return `{\n${indent(fields.map(({ comment, field }) => `${comment}${field};\n`).join(""))}}`;
}

async function renderType(name: string, definition: Schema, sources: Sources): Promise<string> {
  const open = definition.properties !== undefined && definition.additionalProperties !== false;
  const { description: _, ...schema } = prepare(definition, sources) as Schema;
  if (open) schema.additionalProperties = false;
  const text = await compile(schema as JSONSchema, name, { bannerComment: "", style: STYLE });
  const readOnly = text
    .replace(/^(\s+)([\w"]+\??|\[k: string\]): /gm, "$1readonly $2: ")
    .replace(/\/\*\*\n\s*\* (.*)\n\s*\*\//g, "/** $1 */");
  const comment = typeComment(name, definition as WireType, sources);
  const others = definition.additionalProperties;
  if (typeof others !== "object" || !open) return comment + readOnly;
  const note = others.description === undefined ? "" : docComment([others.description]);
  const signature = indent(`${note}${INDEX_SIGNATURE}${others.tsType};\n`);
  return comment + readOnly.replace(/\}\n$/, `${signature}}\n`);
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

function renderParams(callbacks: readonly DeclaredCallback[], sources: Sources): string {
  const entries = callbacks.map((callback) => {
    const fields = objectText(paramsOfAll(callback), notesOf(callback), sources, "readonly ");
    return `${callbackComment(callback, sources)}readonly ${callback.name}: ${fields};\n`;
  });
  return `/** The parameters of each callback. */\nexport interface CallbackParams {\n${indent(entries.join(""))}}\n`;
}

function renderResults(callbacks: readonly DeclaredCallback[], sources: Sources): string {
  const entries = callbacks.map(({ name, result }) => `  readonly ${name}: ${typeText(result, sources)};\n`);
  return `/** The answers of each callback. */\nexport interface CallbackResults {\n${entries.join("")}}\n`;
}

const API_COMMENT = docComment(
  [
    "Synapse's ModuleApi, by its names. Methods take their parameters by name, in one object. All return a promise, except for those that Node answers by itself.",
    "A call throws a SynapseError if Synapse refuses it, an HttpResponseException if another server answers with an error, a DatabaseError if SQL fails, a TypeError if parameters do not fit, and an ApiError otherwise.",
    "In Synapse: `synapse.module_api.ModuleApi`.",
  ],
  {
    place: "handler",
    code: "if (api.is_mine({ id: user_id }) && !(await api.is_user_admin({ user_id }))) return Codes.FORBIDDEN;",
  },
);

type ApiTree = Map<string, ApiTree | string>;

function renderApi(sources: Sources): string {
  const tree: ApiTree = new Map();
  for (const [name, property] of sources.properties) {
    const type = typeText(property.type, sources);
    tree.set(name, `${propertyComment(name, property)}readonly ${name}: ${type};\n`);
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
    branch.set(last, methodText(name, last, method, sources));
  }
  return `${API_COMMENT}export interface Api {\n${indent(branchText(tree))}}\n`;
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
      typeof entry === "string"
        ? entry
        : `${groupComment(name)}readonly ${name}: {\n${indent(branchText(entry))}};\n`,
    )
    .join("");
}

function methodText(path: string, name: string, method: ApiMethod, sources: Sources): string {
  const comment = methodComment(path, method, sources);
  if (method.tsType) return `${comment}readonly ${name}: ${method.tsType};\n`;
  const result = typeText(method.result, sources);
  const returned = method.access === "sync" ? result : `Promise<${result}>`;
  const names = Object.keys(method.params);
  const optional = names.every((one) => one.endsWith("?")) ? "?" : "";
  const given: string[] = [];
  const fields = objectText(method.params, methodNotes(method), sources, "", (param, type) => {
    const { text, variable } = argumentText(param, type, sources);
    if (variable !== undefined) given.push(`${variable} extends string`);
    return text;
  });
  const params = names.length === 0 ? "" : `params${optional}: ${fields}`;
  const variables = given.length === 0 ? "" : `<${given.join(", ")}>`;
  return `${comment}${name}${variables}(${params}): ${returned};\n`;
}

// The ids, of which an argument may also be a plain string.
const ID_TYPES = ["UserId", "RoomId", "RoomAlias", "EventId"];

/** The type of what an author gives, which takes more than what an author gets; and the type variable that it needs. */
function argumentText(param: string, type: string, sources: Sources): { text: string; variable?: string } {
  const text = typeText(type, sources);
  const variable = `Given${param.replace(/(?:^|_)(\w)/g, (_, letter) => letter.toUpperCase())}`;
  if (ID_TYPES.includes(type)) return { text: `Id<${variable}, ${type}>`, variable };
  if (type === "UserIds") return { text: `readonly Id<${variable}, UserId>[]`, variable };
  return {
    text: text.replace(/^Json(Value|Object)\b/, (_, kind) =>
      kind === "Value" ? "JsonInput" : "JsonInputObject",
    ),
  };
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
