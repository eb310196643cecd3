// Writes, for the build, the code of the validators that a host needs.
import { createRequire } from "node:module";
import { type Catalogue, catalogue } from "../../bridge/catalogue/catalogue.js";
import { makeAjv, schemaOfParams, schemaOfType } from "../../bridge/catalogue/validators.js";

type Standalone = typeof import("ajv/dist/standalone/index.js");

/** A CommonJS module that exports each by the JSON of its schema. It requires some files of ajv. */
export function standaloneValidators(): string {
  const { types, codes } = catalogue();
  const ajv = makeAjv(types, codes, { code: { source: true } });
  const schemas = new Map(needed(catalogue()).map((schema) => [JSON.stringify(schema), schema]));
  const names = [...schemas.values()].map((schema, index) => {
    ajv.addSchema(schema, `v${index}`);
    return `v${index}`;
  });
  const { default: write } = createRequire(import.meta.url)("ajv/dist/standalone/index.js") as Standalone;
  const code = write(ajv, Object.fromEntries(names.map((name) => [name, name])));
  const byKey = [...schemas.keys()].map((key, index) => `${JSON.stringify(key)}: exports.v${index}`);
  return `${code}\nmodule.exports = { ${byKey.join(",\n")} };\n`;
}

/** The schemas of what callbacks are called with and answer, and of what api methods take. */
export function needed({ callbacks, methods }: Catalogue): object[] {
  return [
    ...[...callbacks.values()].flatMap(({ params, result }) => [
      schemaOfParams(params, false),
      schemaOfType(result),
    ]),
    ...[...methods.values()].map(({ params }) => schemaOfParams(params, true)),
  ];
}
