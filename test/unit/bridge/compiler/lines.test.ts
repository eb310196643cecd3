// Compiled code keeps the lines of its source.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { expect, test } from "@jest/globals";
import ts from "typescript-js";
import { compile } from "../../../../bridge/compiler/compile.js";
import { projectRoot } from "../../../support/paths.js";

const require = createRequire(import.meta.url);
const babel = require(path.join(projectRoot, "node_modules/jiti/dist/babel.cjs"));

/** The lines of all texts and numbers that stand in the code once, but for the names in imports. */
function linesOf(code: string, name: string): Map<string, number> {
  const lines = new Map<string, number>();
  const repeated = new Set<string>();
  const file = ts.createSourceFile(name, code, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isStringLiteral(node) || ts.isNumericLiteral(node)) {
      if (lines.has(node.text)) repeated.add(node.text);
      lines.set(node.text, file.getLineAndCharacterOfPosition(node.getStart()).line + 1);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  for (const text of repeated) lines.delete(text);
  return lines;
}

const folders = ["examples", "bridge/calls"];
const sources = folders.flatMap((folder) =>
  readdirSync(path.join(projectRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.ts$/.test(name) && !name.includes("node_modules"))
    .map((name) => path.join(folder, name)),
);

test.each(sources)("all of %s stays in its line", (name) => {
  const source = readFileSync(path.join(projectRoot, name), "utf8");
  for (const async of [true, false]) {
    const request = { filename: `/m/${name}`, source, async, interopDefault: true, options: {} };
    const compiled = compile(request, babel);
    if ("fault" in compiled) throw new Error(compiled.fault.message);
    const after = linesOf(compiled.code, "compiled.js");
    const before = [...linesOf(source, name)].filter(([text]) => after.has(text));
    expect(before.map(([text]) => [text, after.get(text)])).toEqual(before);
  }
});
