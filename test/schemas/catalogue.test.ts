// The catalogue is valid by its own schema, and what its parts say of one another is true.
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { Ajv } from "ajv";
import { catalogue } from "../../bridge/catalogue/catalogue.js";
import { makeAjv } from "../../bridge/catalogue/validators.js";
import { type DeclaredCallback, type Protocol, readSources } from "../../scripts/generate/sources.js";

interface Definition {
  readonly description?: string;
  readonly $ref?: string;
  readonly type?: unknown;
  readonly tsType?: string;
  readonly properties?: Readonly<Record<string, Definition>>;
}

const sources = readSources();
const callbacks = sources.callbacks.map((callback) => [callback.name, callback] as const);
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../schemas/${name}`, import.meta.url), "utf8"));
const types: Record<string, Definition> = read("types.json").definitions;

test.each(["callbacks", "api", "codes", "protocol", "admin"])(
  "%s.json fits catalogue.schema.json",
  (name) => {
    const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
    ajv.addSchema(read("catalogue.schema.json"));
    const validate = ajv.compile({ $ref: `catalogue.schema.json#/definitions/${name}` });
    validate(read(`${name}.json`));
    expect(validate.errors ?? []).toEqual([]);
  },
);

test("all of Synapse's callbacks are declared", () => {
  expect(sources.callbacks.length).toBe(51);
});

test.each(callbacks)("%s: what it is declared together with is declared together with it", (name, one) => {
  const other = sources.callbacks.find((callback) => callback.name === one.together);
  expect(other?.together).toBe(one.together && name);
});

test("every type that is named is defined, and every definition is described and used", () => {
  const named = [
    ...sources.callbacks.flatMap(({ params, result }) => [...Object.values(params), result]),
    ...sources.properties.map(([, { type }]) => type),
    ...sources.methods.flatMap(([, { params, result }]) => [...Object.values(params), result]),
    ...typesOf(sources.protocol),
    ...references(types),
  ].map((name) => name.replace(/\?$/, ""));
  expect([...new Set(named)].sort()).toEqual(Object.keys(types).sort());
  for (const definition of Object.values(types)) expect(definition.description).toMatch(/[.?]$/);
});

test("each note and each release is about a parameter", () => {
  const entries = [...callbacks, ...sources.methods];
  for (const [name, { params, notes = {}, params_since = {} }] of entries) {
    const names = Object.keys(params).map((param) => param.replace(/\?$/, ""));
    const about = [...Object.keys(notes), ...Object.keys(params_since)];
    expect([name, about.filter((one) => !names.includes(one))]).toEqual([name, []]);
  }
});

test("the JSON Schema of every wire type compiles, and lets its own pass values through", () => {
  for (const [name, { pass = [] }] of Object.entries(sources.types)) {
    const validate = catalogue().validator(name);
    for (const value of pass) expect([name, value, validate(value)]).toEqual([name, value, true]);
  }
});

test("the kinds of processes that are described are those that methods name", () => {
  const named = sources.methods.flatMap(([, { process }]) => process ?? []);
  expect(Object.keys(sources.processes).sort()).toEqual([...new Set(named)].sort());
});

test("types.json is JSON Schema", () => {
  const { types, codes } = catalogue();
  expect(() => makeAjv(types, codes, { validateSchema: true })).not.toThrow();
  const wrong = { $id: "wrong.json", definitions: { A: { type: "strin" } } };
  expect(() => makeAjv(wrong, codes, { validateSchema: true })).toThrow("schema is invalid");
});

test("no two codes have the same value", () => {
  expect(new Set(sources.codes.map(([, { value }]) => value)).size).toBe(sources.codes.length);
});

test.each(callbacks)("%s: the paths lead to what its parameters have", (_, callback) => {
  const { exceptions = [] } = callback.on_failure;
  const paths = [
    callback.subject ?? [],
    callback.author ?? [],
    exceptions.map((e) => [Object.keys(e.where ?? {}), e.same ?? [], e.published ?? []]),
  ];
  for (const path of paths.flat(4) as string[])
    expect([path, leadsSomewhere(path, callback)]).toEqual([path, true]);
});

test.each(callbacks)("%s: it edits one of its parameters if its result says so", (_, callback) => {
  expect(callback.edits !== undefined).toBe(callback.result === "Edits");
  if (callback.edits) expect(callback.params).toHaveProperty(callback.edits);
});

test.each(callbacks)(
  "%s: every policy that its defaults name is offered, and answers with what fits",
  (_, callback) => {
    const {
      default: policy,
      exceptions = [],
      explicit = {},
      federated = {},
      ...offered
    } = callback.on_failure;
    const named = [...exceptions.map((exception) => exception.policy), ...Object.values(explicit).flat()];
    for (const name of [policy, ...named, ...Object.keys(federated)]) {
      expect(Object.keys(offered)).toContain(name);
    }
    const fits = catalogue().validator(callback.result);
    for (const means of [...Object.values(offered), ...Object.values(federated)]) {
      if (typeof means === "object") expect([means, fits(means.answer)]).toEqual([means, true]);
    }
    if (callback.swallows) expect(offered).toMatchObject({ deny: { answer: false } });
  },
);

/** The wire types that the protocol names. */
function typesOf({ messages, errors, definitions }: Protocol): string[] {
  const named = [
    ...Object.values(messages).flatMap(({ params, result = [] }) => [params, result].flat()),
    ...Object.values(errors).flatMap(({ data }) => Object.values(data)),
  ].filter((name) => !Object.hasOwn(definitions, name));
  const inDefinitions = references(definitions).filter((name) => name.startsWith("types.json"));
  return [...named, ...inDefinitions.map((name) => name.replace("types.json", ""))];
}

function references(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const { $ref } = value as Definition;
  const own = typeof $ref === "string" ? [$ref] : [];
  return [...own, ...Object.values(value).flatMap(references)]
    .filter((name) => name !== "codes.json")
    .map((name) => name.replace("#/definitions/", ""));
}

function leadsSomewhere(path: string, callback: DeclaredCallback): boolean {
  const [param = "", ...keys] = path.split(".");
  let definition = types[callback.params[param]?.replace(/\?$/, "") ?? ""];
  for (const key of keys) {
    if (definition?.$ref) definition = types[definition.$ref.replace("#/definitions/", "")];
    if (/^(Mutable)?JsonObject$/.test(definition?.tsType ?? "")) return true; // its keys are free
    definition = definition?.properties?.[key];
  }
  return definition !== undefined;
}
