// Validators of the wire types: as the build has compiled them beside the host (see standalone.ts), else by ajv when one
// is first used. That takes ajv tens of milliseconds and ten megabytes, which each start of a host would pay.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Ajv, type Options, type ValidateFunction } from "ajv";
import { OWN_FOLDER } from "../base/own-folder.js";

/** The file of the compiled ones: by the JSON of its schema, each one's function. */
export const COMPILED = "validators.cjs";

type Compiled = Readonly<Record<string, ValidateFunction>>;

/** The schema of one wire type; `?` at the end of its name also lets null through. */
export function schemaOfType(name: string): object {
  if (!name.endsWith("?")) return { $ref: `types.json#/definitions/${name}` };
  return { anyOf: [schemaOfType(name.slice(0, -1)), { type: "null" }] };
}

/** The schema of an object of named wire types; a key that ends in `?` may be absent. */
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

/** An ajv that knows types.json, whose every definition a test compiles. */
export function makeAjv(types: object, codes: ReadonlySet<string>, options: Options = {}): Ajv {
  const ajv = new Ajv({
    strict: true,
    validateSchema: false,
    allErrors: false,
    allowUnionTypes: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false, // EventReplacement: the honoured fields are declared a level above
    ...options,
  });
  ajv.addVocabulary(["tsType", "pass", "mutable", "merge", "follow_up", "refuses", "passed_on"]);
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
