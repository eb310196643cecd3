// What is wrong with a module's configSchema beyond what ajv tells: its author made these mistakes. Otherwise
// the admin would see them as mistakes in the config, or nobody would see them.
import { Ajv, type Options } from "ajv";
import { isObject } from "../base/is-object.js";
import { didYouMean } from "../base/nearest.js";

type Tell = (message: string) => void;

// Of draft-07.
const FORMATS = [
  ...["date-time", "date", "time", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri"],
  ...[
    "uri-reference",
    "iri",
    "iri-reference",
    "uri-template",
    "json-pointer",
    "relative-json-pointer",
    "regex",
  ],
];
// Where a schema has others: one, a list of them, or some by name.
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

/** `options` are those of the ajv that checks configs: a default is filled in before it is checked. */
export function findSchemaProblems(schema: object, options: Options, report: Tell, warn: Tell): void {
  const root = "$id" in schema && typeof schema.$id === "string" ? schema.$id : "configSchema";
  const ajv = new Ajv(options).addSchema(schema, root);
  for (const [path, part] of partsOf(schema, [])) {
    const at = ["configSchema", ...path].join(".");
    if (typeof part.format === "string") checkFormat(part.format, at, "pattern" in part, report, warn);
    if (!("default" in part)) continue;
    const pointer = path.map((key) => `/${encodeURIComponent(key.replace(/~/g, "~0").replace(/\//g, "~1"))}`);
    const validate = ajv.compile({ $ref: `${root}#${pointer.join("")}` });
    const filled = structuredClone(part.default);
    if (!validate(filled)) {
      const said = ajv.errorsText(validate.errors, { dataVar: "it" });
      report(`${at}: its default ${JSON.stringify(part.default)} does not fit: ${said}`);
    }
  }
}

function checkFormat(format: string, at: string, hasPattern: boolean, report: Tell, warn: Tell): void {
  if (!FORMATS.includes(format)) report(`${at}: there is no format ${format}${didYouMean(format, FORMATS)}`);
  else if (!hasPattern) warn(`${at}: the format ${format} is not checked: give a pattern, too`);
}

/** A schema and all within it, each with its place. */
function* partsOf(
  schema: unknown,
  path: string[],
): Generator<[path: string[], part: Record<string, unknown>]> {
  if (!isObject(schema)) return;
  yield [path, schema];
  for (const key of ONE) if (!Array.isArray(schema[key])) yield* partsOf(schema[key], [...path, key]);
  for (const key of [...LISTS, ...BY_NAME]) {
    const within = schema[key];
    if (BY_NAME.includes(key) ? !isObject(within) : !Array.isArray(within)) continue;
    for (const [name, part] of Object.entries(within as object)) yield* partsOf(part, [...path, key, name]);
  }
}
