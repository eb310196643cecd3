// The pages for contributors name the folders, their layers and the classes as they are.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const folders = (path: string) =>
  readdirSync(new URL(path, root), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("_"))
    .map(({ name }) => name)
    .sort();

/** The rows of a page's table, cell by cell, by the heading above it. */
function rows(page: string, heading: string): string[][] {
  const [, section = ""] = read(page).split(`\n## ${heading}\n`);
  const lines = section.split("\n## ")[0]?.split("\n") ?? [];
  return lines
    .filter((line) => line.startsWith("| ") && !line.startsWith("|---"))
    .slice(1)
    .map((line) => line.slice(2, -2).split(" | "));
}

const architecture = "docs/internals/architecture.md";
const shim = "python-shim/synapse_module_bridge/";

test("the folders of the shim are listed by layer, each with what it is and why it is in Python", () => {
  const [, list = ""] = read("python-shim/pyproject.toml").split(/^layers = \[$/m);
  const layers = [...(list.split("]")[0] ?? "").matchAll(/"(\w+)"/g)].map(([, name]) => name ?? "");
  const told = rows(architecture, "The folders of the shim");
  expect(told.map(([name]) => name)).toEqual(
    layers.filter((name) => folders(shim).includes(name)).map((name) => `\`${name}\``),
  );
  for (const name of folders(shim)) {
    const [, what, why] = /^"""(.+)\n\n(.+)\n"""\n$/s.exec(read(`${shim}${name}/__init__.py`)) ?? [];
    expect(told).toContainEqual([`\`${name}\``, what, why?.replaceAll("\n", " ")]);
  }
});

test("the folders of the host are told in the order of their layers", () => {
  const layers = [...read("biome.jsonc").matchAll(/"includes": \["bridge\/([\w-]+)\/\*\*"\]/g)];
  expect(rows(architecture, "The folders of the host").map(([name]) => name)).toEqual(
    layers.map(([, name]) => `\`${name}\``).reverse(),
  );
  expect(layers.map(([, name]) => name).sort()).toEqual(folders("bridge"));
});

test("the glossary names the classes of the files that it links to", () => {
  const words = read("docs/internals/glossary.md").match(/^\| \*\*.*$/gm) ?? [];
  const named = words.flatMap((row) => {
    const [word = "", , where = ""] = row.split(" | ");
    const text = [...where.matchAll(/\(\.\.\/\.\.\/(.*?)\)/g)].map(([, path]) => read(path ?? "")).join("\n");
    return [...word.matchAll(/`(\w+)`/g)].map(([, name]) => [name, text] as const);
  });
  expect(named.length).toBeGreaterThan(0);
  const absent = named.filter(([name, text]) => !new RegExp(`^(export )?class ${name}\\b`, "m").test(text));
  expect(absent.map(([name]) => name)).toEqual([]);
});
