// Finds mistakes in a module's configSchema that ajv does not report: defaults that do not fit, and formats that do not
// exist. Otherwise the admin would get them as mistakes in the config, or nobody would notice.
import { Ajv, type Options } from "ajv";
import { isObject } from "../base/is-object.js";
import { didYouMean } from "../base/nearest.js";

type Tell = (message: string) => void;

// The formats of draft-07.
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

/** `options` are those of the ajv that checks configs, which fills in defaults before it validates. */
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

/** Yields a schema and all schemas inside it, each with its path. */
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
