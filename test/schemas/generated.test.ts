// The generated files are committed, and must be what the catalogue says now.
import { expect, test } from "@jest/globals";
import { renderAll, staleFiles } from "../../scripts/generate/generate.js";
import { readSources } from "../../scripts/generate/sources.js";

test("generated files are fresh; if not: run npm run generate", async () => {
  expect(staleFiles(await renderAll(readSources()))).toEqual([]);
});

test("a file that differs from what the catalogue says, or that is absent, is stale", () => {
  expect(
    staleFiles([
      ["bridge/sdk/codes.ts", "export enum Codes {}\n"],
      ["docs/absent.md", ""],
    ]),
  ).toEqual(["bridge/sdk/codes.ts", "docs/absent.md"]);
});

test("every member of the ModuleApi is documented: that it crosses, or why it does not", async () => {
  const { methods, properties, absent, ...sources } = readSources();
  const texts = new Map(await renderAll({ methods, properties, absent, ...sources }));
  for (const [name] of methods) expect(texts.get("docs/reference/api.md")).toContain(`### \`${name}\`\n`);
  for (const [name] of [...properties, ...absent]) {
    expect(texts.get("docs/reference/api.md")).toContain(`| \`${name}\` |`);
  }
  for (const [name] of [...methods, ...properties, ...absent, ...sources.callbacks.map((c) => [c.name])]) {
    expect(texts.get("docs/reference/coverage.md")).toMatch(new RegExp(`^\\| \\[?\`${name}\``, "m"));
  }
});

test("a callback that this version does not forward is documented, and a module cannot declare it", async () => {
  const sources = readSources();
  const texts = new Map(await renderAll(sources));
  for (const { name } of sources.callbacks) {
    expect(texts.get("docs/reference/callbacks.md")).toContain(`### \`${name}\``);
    expect(texts.get("bridge/sdk/callbacks.ts")).toContain(`readonly ${name}:`);
  }
});
