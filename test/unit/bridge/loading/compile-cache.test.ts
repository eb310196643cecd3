// Where compiled TypeScript is kept: only where nobody else can put code.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { compileCache } from "../../../../bridge/loading/compile-cache.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "cache-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("the first folder that can be made is taken, and is private", () => {
  writeFileSync(path.join(folder, "file"), "");
  const wanted = path.join(folder, "home", "cache");
  expect(compileCache([path.join(folder, "file", "below"), wanted, path.join(folder, "second")])).toBe(
    wanted,
  );
  expect(statSync(wanted).mode & 0o777).toBe(0o700);
  expect(compileCache([wanted])).toBe(wanted);
});

test.each([0o770, 0o702, 0o755])("a folder with mode %o is not taken", (mode) => {
  const open = path.join(folder, "open");
  mkdirSync(open);
  chmodSync(open, mode);
  expect(compileCache([open])).toBeUndefined();
});

test("a folder whose parent others can write to is not taken", () => {
  const shared = path.join(folder, "shared");
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  expect(compileCache([path.join(shared, "cache")])).toBeUndefined();
  chmodSync(shared, 0o1777);
  expect(compileCache([path.join(shared, "cache")])).toBeDefined();
});

test("a link is not taken", () => {
  mkdirSync(path.join(folder, "real"), { mode: 0o700 });
  symlinkSync(path.join(folder, "real"), path.join(folder, "link"));
  expect(compileCache([path.join(folder, "link")])).toBeUndefined();
});

test("of very many files the older go", () => {
  mkdirSync(path.join(folder, "full"), { mode: 0o700 });
  const files = Array.from({ length: 501 }, (_, number) => path.join(folder, "full", `${number}.mjs`));
  for (const [age, file] of files.entries()) {
    writeFileSync(file, "");
    utimesSync(file, 10_000 - age, 10_000 - age);
  }
  compileCache([path.join(folder, "full")]);
  expect(files.map((file) => existsSync(file))).toEqual(files.map((_, age) => age < 250));
});

test("there is a usual place", () => {
  expect(compileCache()).toContain("synapse-module-bridge");
});
