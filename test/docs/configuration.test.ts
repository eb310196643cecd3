// The page on configuration has every key of the schema and no other, each with an example that the schema takes.
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { Ajv, type ValidateFunction } from "ajv";
import { parse } from "yaml";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const page = read("docs/admin/configuration.md");
const schema = JSON.parse(read("schemas/config.schema.json"));
const ofModule = schema.definitions.module;
const keysOf = ({ properties }: { properties: object }) => Object.keys(properties).sort();

const ajv = new Ajv({ strict: false });
const fitsSomeKeys = ajv.compile({ ...schema, required: [] });
const fitsModule = ajv.compile({ ...ofModule, definitions: schema.definitions });

/** The keys in the first table after a heading. */
function listedAfter(heading: string): string[] {
  const [, after = ""] = page.split(`${heading}\n`);
  const [table = ""] = after.slice(after.indexOf("| key |")).split("\n\n");
  return [...table.matchAll(/^\| \[?`(\w+)`/gm)].map(([, key = ""]) => key).sort();
}

test.each([
  ["## One module", keysOf(ofModule)],
  ["## The bridge", keysOf(schema).filter((key) => key !== "modules")],
  ["### `callbacks`", keysOf(schema.definitions.callback)],
])("the table below %s lists every key and no other", (heading, keys) => {
  expect(listedAfter(heading)).toEqual(keys);
});

function keysThatFit(fits: ValidateFunction, value: object): string[] {
  fits(value);
  expect({ value, faults: fits.errors ?? [] }).toEqual({ value, faults: [] });
  return Object.keys(value);
}

test("there is an example of every key", () => {
  const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = ""]) => parse(text));
  const shown = blocks
    .filter(({ modules }) => modules === undefined) // the whole entry is for test/docs/snippets.test.ts
    .flatMap((block) =>
      Array.isArray(block)
        ? block.flatMap((entry) => keysThatFit(fitsModule, entry))
        : keysThatFit(fitsSomeKeys, block),
    );
  expect(new Set(["modules", ...shown])).toEqual(new Set([...keysOf(schema), ...keysOf(ofModule)]));
});
