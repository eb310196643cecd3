// What the build has compiled for the host decides as ajv does, and is all that the host needs.
import { createRequire } from "node:module";
import path from "node:path";
import { expect, test } from "@jest/globals";
import type { ValidateFunction } from "ajv";
import * as fc from "fast-check";
import { catalogue } from "../../../../bridge/catalogue/catalogue.js";
import { COMPILED, makeAjv } from "../../../../bridge/catalogue/validators.js";
import { needed } from "../../../../scripts/generate/standalone.js";
import { projectRoot } from "../../../support/paths.js";

const host = path.join(projectRoot, "python-shim", "synapse_module_bridge", "_host");
const compiled: Record<string, ValidateFunction> = createRequire(import.meta.url)(path.join(host, COMPILED));
const { types, codes } = catalogue();
const ajv = makeAjv(types, codes);
const keys = [...new Set(needed(catalogue()).map((schema) => JSON.stringify(schema)))];

test("there is one for each schema that callbacks and api methods need, and no other", () => {
  expect(Object.keys(compiled).sort()).toEqual(keys.sort());
});

const passes = Object.values(
  (types as { definitions: Record<string, { pass?: unknown[] }> }).definitions,
).flatMap(({ pass = [] }) => pass);
const text = fc.oneof(
  fc.string(),
  fc.constantFrom("NOT_SPAM", "M_FORBIDDEN", "@alice:test", "!room:test", "allow"),
);
const value = fc.oneof(
  text,
  fc.constantFrom(...passes),
  fc.integer(),
  fc.jsonValue(),
  fc.tuple(text, fc.dictionary(text, text)),
);

test.each(keys)("%s", (key) => {
  const schema = JSON.parse(key);
  const expected = ajv.compile(schema);
  const actual = compiled[key] as ValidateFunction;
  const names = Object.keys(schema.properties ?? {});
  const object = fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
  void fc.assert(
    fc.property(fc.oneof(value, object), (given) => {
      expect([actual(given), actual.errors]).toEqual([expected(given), expected.errors]);
    }),
  );
});
