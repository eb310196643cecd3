// Where compiled TypeScript is kept: only where nobody else can put code.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { compileCache, readCompiled, writeCompiled } from "../../../../bridge/loading/compile-cache.js";
import { type Folder, temporaryFolder } from "../../../support/temporary-folder.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

test("the first folder that can be made is taken, and is private", () => {
  writeFileSync(folder.path("file"), "");
  const wanted = folder.path("home/cache");
  expect(compileCache([folder.path("file/below"), wanted, folder.path("second")])).toBe(wanted);
  expect(statSync(wanted).mode & 0o777).toBe(0o700);
  expect(compileCache([wanted])).toBe(wanted);
});

test.each([0o770, 0o702, 0o755])("a folder with mode %o is not taken", (mode) => {
  const open = folder.path("open");
  mkdirSync(open);
  chmodSync(open, mode);
  expect(compileCache([open])).toBeUndefined();
});

test("a folder whose parent others can write to is not taken", () => {
  const shared = folder.path("shared");
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  expect(compileCache([path.join(shared, "cache")])).toBeUndefined();
  chmodSync(shared, 0o1777);
  expect(compileCache([path.join(shared, "cache")])).toBeDefined();
});

test("a link is not taken", () => {
  mkdirSync(folder.path("real"), { mode: 0o700 });
  symlinkSync(folder.path("real"), folder.path("link"));
  expect(compileCache([folder.path("link")])).toBeUndefined();
});

test("of very many files the older go", () => {
  mkdirSync(folder.path("full"), { mode: 0o700 });
  const files = Array.from({ length: 501 }, (_, number) => folder.path(`full/${number}.mjs`));
  for (const [age, file] of files.entries()) {
    writeFileSync(file, "");
    utimesSync(file, 10_000 - age, 10_000 - age);
  }
  compileCache([folder.path("full")]);
  expect(files.map((file) => existsSync(file))).toEqual(files.map((_, age) => age < 250));
});

test("there is a usual place", () => {
  expect(compileCache()).toContain("synapse-module-bridge");
});

const CODE = "exports.a = 'å';\nexports.b = 2;\n";

test("what is kept comes back", () => {
  mkdirSync(folder.path("kept"));
  writeCompiled(folder.path("kept"), "key", CODE);
  expect(readCompiled(folder.path("kept"), "key")).toBe(CODE);
  expect(readCompiled(folder.path("kept"), "other")).toBeUndefined();
});

test.each<[string, (text: string) => string]>([
  ["is empty", () => ""],
  ["is cut off after a line", (text) => text.slice(0, text.lastIndexOf("exports"))],
  ["has other code", (text) => text.replace("2", "3")],
  ["has zeros", (text) => "\0".repeat(text.length)],
  ["has no first line", () => CODE],
])("a file that %s is not taken", (_title, change) => {
  mkdirSync(folder.path("kept"));
  writeCompiled(folder.path("kept"), "key", CODE);
  const file = folder.path("kept/key.js");
  writeFileSync(file, change(readFileSync(file, "utf8")));
  expect(readCompiled(folder.path("kept"), "key")).toBeUndefined();
});
