// Finds mistakes in a module's configSchema that ajv does not report, or not well: defaults that do not fit, formats that nobody
// checks, and required properties that are not declared. Otherwise the admin would get them as mistakes in the config, or
// nobody would notice.
import type { Ajv } from "ajv";
import { isObject } from "../base/is-object.js";
import { didYouMean } from "../base/nearest.js";

type Report = (message: string) => void;
type Part = Record<string, unknown>;

// The keywords of draft-07 that hold other schemas: one schema, a list of schemas, or schemas by name.
const ONE = [
  "additionalItems",
  "additionalProperties",
  "contains",
  "else",
  "if",
  "items",
  "not",
  "propertyNames",
  "then",
];
const LISTS = ["allOf", "anyOf", "items", "oneOf"];
const BY_NAME = ["$defs", "definitions", "dependencies", "patternProperties", "properties"];

// Those of them whose schema is about the same value.
const SAME_VALUE = ["allOf", "anyOf", "oneOf", "if", "then", "else"];
// These are about the same value, too, but what they describe need not be so.
const PERHAPS_NOT = ["not", "dependencies"];

/** `ajv` fills in defaults, as the one does that checks configs. */
export function findSchemaProblems(schema: object, ajv: Ajv, report: Report): void {
  const root = "$id" in schema && typeof schema.$id === "string" ? schema.$id : "configSchema";
  ajv.addSchema(schema, root);
  for (const [path, part] of partsOf(schema, [])) {
    if (!("default" in part)) continue;
    const pointer = path.map((key) => `/${encodeURIComponent(key.replace(/~/g, "~0").replace(/\//g, "~1"))}`);
    const validate = ajv.compile({ $ref: `${root}#${pointer.join("")}` });
    const filled = structuredClone(part.default);
    if (!validate(filled)) {
      const said = ajv.errorsText(validate.errors, { dataVar: "it" });
      report(`${placeOf(path)}: its default ${JSON.stringify(part.default)} does not fit: ${said}`);
    }
  }
  findUndeclared(schema, schema as Part, [], new Set(), report);
}

/** Reports formats that `known` does not have: ajv cannot compile a schema with one. */
export function findUnknownFormats(schema: object, known: readonly string[], report: Report): void {
  for (const [path, { format }] of partsOf(schema, []))
    if (typeof format === "string" && !known.includes(format))
      report(`${placeOf(path)}: there is no format ${format}${didYouMean(format, known)}`);
}

const placeOf = (path: readonly string[]) => ["configSchema", ...path].join(".");

/** Reports required properties that are declared neither beside `required`, nor where else the same value is described. */
function findUndeclared(
  schema: unknown,
  root: Part,
  path: string[],
  outside: ReadonlySet<string>,
  report: Report,
): void {
  if (!isObject(schema)) return;
  const declared = new Set([...outside, ...declaredIn(schema, root, new Set())]);
  const patterns = Object.keys(isObject(schema.patternProperties) ? schema.patternProperties : {});
  const isOpen = isObject(schema.additionalProperties);
  for (const name of Array.isArray(schema.required) ? schema.required : []) {
    const isKnown =
      isOpen || declared.has(name) || patterns.some((pattern) => new RegExp(pattern, "u").test(name));
    if (!isKnown)
      report(
        `${placeOf(path)}: requires ${name}, which is not among its properties${didYouMean(name, declared)}`,
      );
  }
  for (const [key, part] of directParts(schema))
    findUndeclared(
      part,
      root,
      [...path, ...key],
      [...SAME_VALUE, ...PERHAPS_NOT].includes(key[0] ?? "") ? declared : new Set(),
      report,
    );
}

/** The properties that a schema declares, or another one about the same value within it. */
function declaredIn(schema: unknown, root: Part, seen: Set<unknown>): string[] {
  if (!isObject(schema) || seen.has(schema)) return [];
  seen.add(schema);
  const [, ...keys] = typeof schema.$ref === "string" ? schema.$ref.split("/") : [];
  const target = keys
    .map((key) => key.replace(/~1/g, "/").replace(/~0/g, "~"))
    .reduce<unknown>((part, key) => (isObject(part) ? part[key] : undefined), root);
  const within = directParts(schema).filter(([[key = ""]]) => SAME_VALUE.includes(key));
  return [
    ...Object.keys(isObject(schema.properties) ? schema.properties : {}),
    ...(schema.$ref === undefined ? [] : declaredIn(target, root, seen)),
    ...within.flatMap(([, part]) => declaredIn(part, root, seen)),
  ];
}

/** Yields a schema and all schemas inside it, each with its path. */
function* partsOf(schema: unknown, path: string[]): Generator<[path: string[], part: Part]> {
  if (!isObject(schema)) return;
  yield [path, schema];
  for (const [key, part] of directParts(schema)) yield* partsOf(part, [...path, ...key]);
}

/** The schemas directly inside a schema. */
function directParts(schema: Part): [key: string[], part: unknown][] {
  const ones = ONE.filter((key) => !Array.isArray(schema[key])).map((key): [string[], unknown] => [
    [key],
    schema[key],
  ]);
  const several = [...LISTS, ...BY_NAME].flatMap((key) => {
    const within = schema[key];
    if (BY_NAME.includes(key) ? !isObject(within) : !Array.isArray(within)) return [];
    return Object.entries(within as object).map(([name, part]): [string[], unknown] => [[key, name], part]);
  });
  return [...ones, ...several];
}
