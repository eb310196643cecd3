/** The examples are what README and the porting guide show, and the example configuration has every key that there is. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { Ajv } from "ajv";
import { parse } from "yaml";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const schema = JSON.parse(read("schemas/config.schema.json"));
const config = parse(read("examples/homeserver.yaml")).modules[0].config;

test("the example configuration fits the configuration's schema", () => {
  const validate = new Ajv({ strict: false }).compile(schema);
  validate(config);
  expect(validate.errors ?? []).toEqual([]);
});

const keys = ({ properties }: { properties: object }) => Object.keys(properties).sort();

test("the example configuration shows every key", () => {
  expect(Object.keys(config).sort()).toEqual(keys(schema));
  const used = (entries: object[]) => [...new Set(entries.flatMap((entry) => Object.keys(entry)))].sort();
  expect(used(config.modules)).toEqual(keys(schema.definitions.module));
  expect(used(Object.values(config.callbacks))).toEqual(keys(schema.definitions.callback));
});

test.each([
  ["README.md", "quiet-hours"],
  ["docs/author/storage.md", "invite-limit"],
  ["docs/author/background.md", "told-once"],
  ["docs/author/modules.md", "block-invites"],
])("the module that %s shows is %s in examples/", (page, example) => {
  expect(read(page)).toContain(`\`\`\`ts\n${read(`examples/${example}.ts`)}\`\`\``);
});

test("each port of the porting guide is an example, and is compared with its original", () => {
  const names = [...read("docs/author/porting.md").matchAll(/\.\.\/examples\/([\w-]+)\.ts/g)].map(
    ([, name]) => name,
  );
  expect(new Set(names).size).toBe(7);
  for (const name of names) {
    for (const path of [`examples/${name}.ts`, `test/synapse/ports/${name}.test.ts`])
      expect([path, existsSync(new URL(`../../${path}`, import.meta.url))]).toEqual([path, true]);
  }
});
