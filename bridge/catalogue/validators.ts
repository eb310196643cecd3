// Makes validators of wire types. It takes those that the build has compiled (see scripts/generate/standalone.ts), and
// compiles any other with ajv at its first use. Compiling all at each start would cost tens of milliseconds and 10 MB.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Ajv, type Options, type ValidateFunction } from "ajv";
import { OWN_FOLDER } from "../base/own-folder.js";

/** The file of the compiled validators. It maps the JSON of a schema to its function. */
export const COMPILED = "validators.cjs";

type Compiled = Readonly<Record<string, ValidateFunction>>;

/** The schema of one wire type. A `?` at the end of the name also accepts null. */
export function schemaOfType(name: string): object {
  if (!name.endsWith("?")) return { $ref: `types.json#/definitions/${name}` };
  return { anyOf: [schemaOfType(name.slice(0, -1)), { type: "null" }] };
}

/** The schema of an object of named wire types. A key that ends in `?` is optional; `closed` forbids other keys. */
export function schemaOfParams(params: Readonly<Record<string, string>>, closed: boolean): object {
  const entries = Object.entries(params);
  return {
    type: "object",
    properties: Object.fromEntries(
      entries.map(([name, type]) => [name.replace(/\?$/, ""), schemaOfType(type)]),
    ),
    required: entries.map(([name]) => name).filter((name) => !name.endsWith("?")),
    additionalProperties: !closed,
  };
}

/** Makes an ajv that knows types.json. A test compiles each of its definitions. */
export function makeAjv(types: object, codes: ReadonlySet<string>, options: Options = {}): Ajv {
  const ajv = new Ajv({
    strict: true,
    validateSchema: false,
    allErrors: false,
    allowUnionTypes: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false, // EventReplacement requires fields that are declared one level above
    ...options,
  });
  ajv.addVocabulary([
    "tsType",
    "pass",
    "mutable",
    "merge",
    "follow_up",
    "refuses",
    "passed_on",
    "source",
    "example",
  ]);
  ajv.addSchema({ $id: "codes.json", enum: [...codes] });
  ajv.addSchema(types);
  return ajv;
}

export class Validators {
  #ajv: Ajv | undefined;
  readonly #compiled: Compiled = readCompiled();

  constructor(
    private readonly types: object,
    private readonly codes: ReadonlySet<string>,
  ) {}

  /** Returns the compiled validator of a schema, or compiles it now. */
  of(schema: object): ValidateFunction {
    const compiled = this.#compiled[JSON.stringify(schema)];
    if (compiled) return compiled;
    this.#ajv ??= makeAjv(this.types, this.codes);
    return this.#ajv.compile(schema);
  }
}

function readCompiled(): Compiled {
  const file = path.join(OWN_FOLDER, COMPILED);
  return existsSync(file) ? createRequire(import.meta.url)(file) : {};
}
