// Files that are no UTF-8 text are named for what they are, wherever a module brings them.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { answerOf, faultsOf, folder, load } from "../loading.js";
import { moduleOf } from "../rig.js";

const GOOD = moduleOf("user_may_invite", "return NOT_SPAM;");
const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le");

const unfit: [what: string, bytes: (text: string) => Buffer, problem: string][] = [
  ["empty", () => Buffer.alloc(0), "is empty"],
  ["gzip", (text) => gzipSync(text), "is compressed (gzip): unpack it"],
  ["UTF-16", utf16, "is UTF-16, not UTF-8: save it as UTF-8"],
  ["UTF-16 without a mark", (text) => Buffer.from(text, "utf16le"), "is UTF-16, not UTF-8: save it as UTF-8"],
  ["UTF-16 of the other order", (text) => utf16(text).swap16(), "is UTF-16, not UTF-8: save it as UTF-8"],
  [
    "HTML",
    (text) => Buffer.from(`\n<!DOCTYPE html>\n<html><body><pre>${text}</pre></body></html>`),
    "is a page of HTML or XML: was the page around the file saved, instead of the file itself?",
  ],
  [
    "Latin-1",
    (text) => Buffer.from(`\n${text.replace("{", '{"Grüße":1,')}`, "latin1"),
    "is not UTF-8 (the first wrong byte is in line 2; Latin-1?): save it as UTF-8",
  ],
];

let counter = 0;
/** A folder of its own, since what a process has loaded once it does not load again. */
function place(name: string, bytes: Buffer): string {
  const file = path.join(folder.root, `encoding-${counter}`, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
}

async function faults(settings: { path: string; config_file?: string }): Promise<string[]> {
  const { faults: found } = await load(settings);
  return found.map(({ path: at, message }) => `${at.join(".")}: ${message.replaceAll(folder.root, "")}`);
}

// First: with the end of a load that has imported CommonJS, a process stops to note what Node itself imports.
describe.each(unfit)("%s", (_what, bytes, problem) => {
  test("an ES module that one imports, natively", async () => {
    counter++;
    place("words.mjs", bytes("export const words = {};"));
    const text =
      'import * as words from "./words.mjs";\nexport default { callbacks: {}, ...(words ? {} : {}) };';
    const main = place("module.mjs", Buffer.from(text));
    expect(await faults({ path: main })).toEqual([
      `modules.0.path: /encoding-${counter}/words.mjs ${problem}`,
    ]);
  });
});

describe.each(unfit)("%s", (_what, bytes, problem) => {
  test.each([
    ["a module's file", "module.ts"],
    ["a module's file of JavaScript", "module.mjs"],
  ])("%s", async (_title, name) => {
    counter++;
    const file = place(name, bytes("export default { callbacks: {} };"));
    expect(await faults({ path: file })).toEqual([`modules.0.path: /encoding-${counter}/${name} ${problem}`]);
  });

  test.each([
    ["TypeScript that it imports", "words.ts", "export const words = {};\nexport default words;"],
    ["JSON that it imports", "words.json", "{}"],
    ["CommonJS that it imports", "words.cjs", "module.exports = {};"],
  ])("%s", async (_title, name, text) => {
    counter++;
    place(name, bytes(text));
    const main = place(
      "module.ts",
      Buffer.from(`import words from "./${name}";\nexport default { callbacks: {}, ...(words ? {} : {}) };`),
    );
    expect(await faults({ path: main })).toEqual([`modules.0.path: /encoding-${counter}/${name} ${problem}`]);
  });

  test("its config_file", async () => {
    counter++;
    const main = place("module.ts", Buffer.from("export default { callbacks: {} };"));
    const config_file = place("config.yaml", bytes("{}"));
    expect(await faults({ path: main, config_file })).toEqual([
      `modules.0.config_file: /encoding-${counter}/config.yaml ${problem}`,
    ]);
  });

  test("its package.json", async () => {
    counter++;
    place("module.ts", Buffer.from("export default { callbacks: {} };"));
    const manifest = place("package.json", bytes('{"main":"module.ts"}'));
    expect(await faults({ path: path.dirname(manifest) })).toEqual([
      `modules.0.path: /encoding-${counter}/package.json ${problem}`,
    ]);
  });
});

test("a folder in the place of a config_file is named", async () => {
  const main = folder.write("sound.ts", GOOD);
  mkdirSync(path.join(folder.root, "folder.yaml"));
  expect(await faults({ path: main, config_file: path.join(folder.root, "folder.yaml") })).toEqual([
    "modules.0.config_file: /folder.yaml is a folder, not a file",
  ]);
});

test("a folder in the place of what a package.json names is named", async () => {
  folder.write("package/lib/x.ts", GOOD);
  folder.write("package/package.json", '{"main":"lib"}');
  expect(await faults({ path: path.join(folder.root, "package") })).toEqual([
    "modules.0.path: /package/package.json names lib, which is a folder",
  ]);
});

test("a byte order mark is no fault, wherever it stands", async () => {
  const mark = "\uFEFF";
  folder.write("marked/words.json", `${mark}{"word":"Grüße"}`);
  folder.write("marked/more.ts", `${mark}export const more = "ß";`);
  folder.write("marked/package.json", `${mark}{"main":"index.ts"}`);
  folder.write("marked/config.yaml", `${mark}a: 1\n`);
  folder.write(
    "marked/index.ts",
    `${mark}import words from "./words.json";\nimport { more } from "./more.ts";\nexport default { callbacks: { user_may_invite: () => words.word + more } };`,
  );
  expect(await answerOf(path.join(folder.root, "marked"))).toBe("Grüßeß");
  expect(
    await faults({
      path: path.join(folder.root, "marked"),
      config_file: path.join(folder.root, "marked/config.yaml"),
    }),
  ).toEqual([]);
});

test("a replacement character that the author wrote is no fault", async () => {
  expect(await faultsOf("replacement.ts", 'export default { callbacks: {} }; // "\uFFFD"')).toEqual([]);
});

test.each(["~/policy.ts", "/home/$USER/policy.ts"])(
  "a missing file %s says what is not expanded",
  async (name) => {
    expect((await faults({ path: name }))[0]).toBe(
      `modules.0.path: there is no file or folder ${name} (\`~\` and \`$\` stand for themselves here: write the whole path)`,
    );
  },
);
