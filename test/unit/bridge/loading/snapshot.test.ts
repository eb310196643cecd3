// What was loaded once is loaded again from what was kept of it, in a process of its own, whatever lies on disk by then.
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";
import type { ModuleSettings } from "../../../../bridge/declarations/module.js";
import { Snapshot } from "../../../../bridge/loading/snapshot.js";
import { partsOf, withinLimit } from "../../../../bridge/loading/snapshot-parts.js";
import { folder, type Loaded, loadApart } from "../loading.js";

const manifest = (name: string, more: object = {}) => JSON.stringify({ name, ...more });

/** Writes a module that answers with an expression. */
function write(file: string, imports: string, expression: string): string {
  return folder.write(
    file,
    `${imports}\nexport default { callbacks: { async user_may_invite() { return ${expression}; } } };`,
  );
}

const OWN_FILES = {
  "tsconfig.json": `{ "compilerOptions": { "paths": { "#own/*": ["./lib/*"] } } }`,
  "lib/words.json": `{ "word": "one" }`,
  "lib/kinds.ts": `export enum Kind { A = "one" }`,
  "lib/plain.js": `export const plain = "one";`,
  "lib/native.mjs": `export const native = "one";`,
  "lib/common.cjs": `exports.common = "one";`,
};

const PACKAGES = {
  "node_modules/old/package.json": manifest("old", { main: "lib" }),
  "node_modules/old/lib/index.js": `
    const { other } = require("other"); const data = require("./data"); const cycle = require("./cycle");
    module.exports = { other, data: data.word, own: require("./own"), cycle: cycle(), fs: typeof require("fs").statSync };`,
  "node_modules/old/lib/own.js": `module.exports = __filename.slice(-6) + "one";`,
  "node_modules/old/lib/cycle.js": `module.exports = () => typeof whole; const whole = require("./index");`,
  "node_modules/old/lib/data.json": `{ "word": "one" }`,
  "node_modules/other/package.json": manifest("other"),
  "node_modules/other/index.js": `Object.defineProperty(exports, "__esModule", { value: true }); exports.other = "one";`,
  "node_modules/esm/package.json": manifest("esm", {
    ...{ type: "module", exports: { import: "./main.js" }, imports: { "#sub": "./sub.js" } },
  }),
  "node_modules/esm/main.js": `
    import old, { own } from "old"; import { readFileSync } from "node:fs"; import sub from "#sub"; import { other } from "other";
    export * from "./more.mjs";
    export default [own, old.data, other, sub, typeof readFileSync, import.meta.url.slice(-7)];`,
  "node_modules/esm/more.mjs": `export const more = (await import("./late.mjs")).late;`,
  "node_modules/esm/late.mjs": `export const late = "one";`,
  "node_modules/esm/sub.js": `export default "one";`,
  // Node alone does not find this package in it.
  "node_modules/lists/package.json": manifest("lists", { type: "module", exports: "./main.js" }),
  "node_modules/lists/main.js": `import { NOT_SPAM } from "synapse-module-bridge"; export const no = [NOT_SPAM, "one"];`,
};

const OLD = { other: "one", data: "one", own: "own.jsone", cycle: "object", fs: "function" };
const ESM = ["own.jsone", "one", "one", "one", "function", "main.js"];

/** By file: imports, an expression, and what it gives. Without an expression, it is all there. */
const MODULES: Record<string, [string, string, unknown]> = {
  "files.ts": [
    `import words from "#own/words.json";
     import { Kind } from "./lib/kinds.js";
     import { plain } from "./lib/plain.js";
     import { native } from "./lib/native.mjs";
     import common from "./lib/common.cjs";
     const here: string = import.meta.url.slice(-8);`,
    "[words.word, Kind.A, plain, native, common.common, here]",
    ["one", "one", "one", "one", "one", "files.ts"],
  ],
  "imports.ts": [`import old from "old"; import { other } from "other";`, "[old, other]", [OLD, "one"]],
  "requires.ts": [
    `const old = require("old"); const { other } = require("other");`,
    "[old, other]",
    [OLD, "one"],
  ],
  "esm.ts": [`import list, { more } from "esm";`, "[list, more]", [ESM, "one"]],
  "native.mjs": [`import list, { more } from "esm";`, "[list, more]", [ESM, "one"]],
  "common.cjs": [
    `const old = require("old"); module.exports = { callbacks: { user_may_invite: () => old } };`,
    "",
    OLD,
  ],
  "sdk.ts": [`import { no } from "lists";`, "no", ["NOT_SPAM", "one"]],
};

/** Loads all of them in a process, lets something happen to their files, and loads them again in another. */
function loadTwice(root: string, happens: (root: string) => void): [Loaded, Loaded] {
  for (const [name, text] of Object.entries({ ...OWN_FILES, ...PACKAGES }))
    folder.write(`${root}/${name}`, text);
  const settings: ModuleSettings[] = Object.entries(MODULES).map(([name, [imports, expression]]) => {
    const file = `${root}/${name}`;
    return { path: expression ? write(file, imports, expression) : folder.write(file, imports) };
  });
  folder.write(`${root}/whole/package.json`, manifest("policy", { exports: { ".": "./src/entry.ts" } }));
  write(`${root}/whole/src/entry.ts`, "", '"one"');
  settings.push({ path: path.join(folder.root, root, "whole") });
  const first = loadApart(settings);
  happens(path.join(folder.root, root));
  return [first, loadApart(settings, first.snapshot)];
}

function filesBelow(root: string): string[] {
  const names = readdirSync(root, { recursive: true, encoding: "utf8" });
  return names.map((name) => path.join(root, name)).filter((file) => statSync(file).isFile());
}

function replaceAll(root: string, make: (text: string) => string): void {
  for (const file of filesBelow(root)) writeFileSync(file, make(readFileSync(file, "utf8")));
}

test.each<[string, (root: string) => void]>([
  ["is as it was", () => {}],
  ["is gone", (root) => rmSync(root, { recursive: true })],
  ["is half-written", (root) => replaceAll(root, () => "import {")],
  ["is empty", (root) => replaceAll(root, () => "")],
  [
    "is another version",
    (root) => replaceAll(root, (text) => text.replaceAll("one", "two").replaceAll("callbacks", "nothing")),
  ],
  // What was compiled is kept, and not what it was compiled from: what would be compiled again would be empty.
])("modules of all kinds, with their packages, from a folder that %s", (title, happens) => {
  const [first, again] = loadTwice(title.replaceAll(" ", "-"), happens);
  expect(first.faults).toEqual([]);
  const answers = Object.values(MODULES).map(([, , answer]) => answer);
  expect(first.modules.map(({ answer }) => answer)).toEqual([...answers, "one"]);
  expect(again.faults).toEqual([]);
  expect(again.modules).toEqual(first.modules);
});

test("each file that was loaded is told, with the digest of what was loaded", () => {
  const words = folder.write("digests/words.json", `{ "a": 1 }`);
  const shared = folder.write("shared/list.ts", `export const list: string[] = ["a"];`);
  // Not all of it is text for Node.
  const bytes = Buffer.concat([Buffer.from("exports.old = 1; // "), Buffer.from([0xfc, 0xdf])]);
  const inside = folder.write("digests/node_modules/old/index.js", bytes);
  folder.write("digests/node_modules/old/package.json", manifest("old"));
  const file = write("digests/main.ts", `import "./words.json"; import "../shared/list"; import "old";`, "1");
  const other = write("digests/other.ts", `import "../shared/list";`, "2");
  const { modules } = loadApart([{ path: file }, { path: other }]);
  const digests = Object.assign({}, ...modules.map((module) => module.digests));
  for (const one of [words, shared, inside, file, other]) {
    expect(digests[one]).toBe(createHash("sha256").update(readFileSync(one)).digest("hex"));
  }
  // Also of the second that needs it.
  expect(Object.keys(modules[1]?.digests ?? {})).toEqual(expect.arrayContaining([other, shared]));
  expect(modules[1]?.digests).not.toHaveProperty([words]);
});

test("a restart tells the same files of each module, whatever Node asks for by then", () => {
  const snapshot = new Snapshot();
  snapshot.owner = "first";
  snapshot.recordRead("/m/first.ts", "1");
  snapshot.recordRead("/m/shared.ts", "1");
  snapshot.owner = "second";
  snapshot.recordRead("/m/second.ts", "2");
  snapshot.recordUse("/m/shared.ts");
  const again = Snapshot.from([{ text: snapshot.serialize(() => {}) }]);
  again.owner = "first";
  again.recordUse("/m/second.ts");
  for (const name of ["first", "second"]) expect(again.filesOf(name)).toEqual(snapshot.filesOf(name));
  expect(again.filesOf("second")).toEqual(["/m/shared.ts", "/m/second.ts"]);
});

test("a file that is a link is loaded again as what it was", () => {
  const real = write("links/real.ts", "", '"one"');
  const link = path.join(folder.root, "links/current");
  symlinkSync(real, link);
  const { snapshot } = loadApart([{ path: link }]);
  rmSync(link);
  symlinkSync(write("links/next.ts", "", '"two"'), link);
  expect(loadApart([{ path: link }], snapshot).modules).toMatchObject([{ answer: "one" }]);
});

test("of two modules, the one that cannot be loaded again is a fault, and the other runs", () => {
  const data = folder.write("pair/data.txt", "");
  const imports = `import { statSync } from "node:fs"; statSync(${JSON.stringify(data)});`;
  const settings = [
    { path: write("pair/fragile.ts", imports, "1") },
    { path: write("pair/sound.ts", "", "2") },
  ];
  const { snapshot } = loadApart(settings);
  rmSync(data);
  const again = loadApart(settings, snapshot);
  expect(again.faults).toMatchObject([{ path: ["modules", 0, "path"] }]);
  expect(again.modules).toMatchObject([{ name: "sound", answer: 2 }]);
});

test("what has to come from disk again is told for each module", () => {
  folder.write("disk/later.ts", "export const later = 1;");
  folder.write("disk/node_modules/addon/package.json", manifest("addon"));
  folder.write(
    "disk/node_modules/addon/index.js",
    `try { require("./build.node"); } catch {} exports.n = require("node:os").EOL;`,
  );
  folder.write("disk/node_modules/addon/build.node", "no addon");
  const imports = `import { n } from "addon"; import { readFileSync } from "node:fs"; import("./now.js");
    const lazy = () => import("./later.js"); const any = (name) => import("./" + name); const own = (name) => require(name);`;
  folder.write("disk/now.ts", "export {};");
  const file = write(
    "disk/main.ts",
    imports,
    "n + typeof readFileSync + typeof lazy + typeof any + typeof own",
  );
  const plain = write(
    "disk/plain.ts",
    `import { later } from "./later.js"; import path from "node:path";`,
    "later + path.sep",
  );
  const { modules, faults } = loadApart([{ path: file }, { path: plain }]);
  expect(faults).toEqual([]);
  expect(modules.map(({ notKept }) => notKept)).toEqual([
    [
      `the native addon ${path.join(folder.root, "disk/node_modules/addon/build.node")}`,
      "files that it reads",
      "./later.js, which it imports later",
      "what it imports by names that it computes",
    ],
    [],
  ]);
});

test("packages that are too large come from disk again, and their module is named", () => {
  const snapshot = new Snapshot();
  const noise = (size: number) => randomBytes(size).toString("base64");
  snapshot.owner = "small";
  snapshot.recordRead("/m/small.ts", "export {}");
  snapshot.recordRead("/m/node_modules/a/index.js", noise(10_000), "commonjs");
  snapshot.owner = "large";
  snapshot.recordRead("/m/large.ts", "export {}");
  snapshot.recordRead("/m/node_modules/b/index.js", noise(3 * 2 ** 20), "commonjs");
  const warnings: string[] = [];
  const text = snapshot.serialize((message) => warnings.push(message), 2 ** 20);
  expect(warnings).toEqual([
    "large: its packages (4 MB) are too large to be kept: a restart of Node takes them from disk",
  ]);
  expect([snapshot.leftOutOf("small"), snapshot.leftOutOf("large")]).toEqual([[], ["its packages"]]);
  const again = Snapshot.from([{ text }]);
  expect(again.replayed("/m/node_modules/b/index.js")).toBeUndefined();
  for (const file of ["/m/small.ts", "/m/large.ts", "/m/node_modules/a/index.js"])
    expect(again.replayed(file)).toBeDefined();
  // It can still be told whether it has changed.
  expect(again.digestsOf(["/m/node_modules/b/index.js"])).toEqual(
    snapshot.digestsOf(["/m/node_modules/b/index.js"]),
  );
});

test("own files that are too large come from disk again, where there are no packages to leave out", () => {
  const file = write("huge/main.ts", "", JSON.stringify(randomBytes(3_000).toString("base64")));
  const snapshot = new Snapshot();
  snapshot.owner = "main";
  snapshot.recordRead(file, readFileSync(file));
  const warnings: string[] = [];
  const text = snapshot.serialize((message) => warnings.push(message), 2_000);
  expect(warnings).toEqual([
    "main: its files (0 MB) are too large to be kept: a restart of Node takes them from disk",
  ]);
  expect(snapshot.leftOutOf("main")).toEqual(["its files"]);
  const { modules, faults } = loadApart([{ path: file }], text);
  expect(faults).toEqual([]);
  expect(modules[0]?.digests).toEqual(snapshot.digestsOf([file]));
});

test("of several threads, what would be too much together is left out but for its digests, and its modules are named", () => {
  const parts = ["c", "a", "b"].map((name, index) => {
    const snapshot = new Snapshot();
    snapshot.owner = name;
    snapshot.recordRead(`/m/${name}.ts`, randomBytes(1_000 * (3 - index)).toString("base64"));
    snapshot.recordFound(`stat /m/${name}.ts`, "file");
    return {
      names: [name],
      text: snapshot.serialize(() => {}),
      digests: snapshot.digestsOf([`/m/${name}.ts`]),
    };
  });
  const warnings: string[] = [];
  const { parts: all, dropped } = withinLimit(parts, (message) => warnings.push(message), 6_000);
  expect(warnings).toEqual([
    "c: what it was loaded from is too large to be kept: a restart of Node takes it from disk",
  ]);
  expect(dropped).toEqual(["c"]);
  const snapshot = Snapshot.from(all);
  const files = parts.map(({ names: [name] }) => `/m/${name}.ts`);
  expect(files.map((file) => snapshot.replayed(file) !== undefined)).toEqual([false, true, true]);
  expect(files.map((file) => snapshot.found(`stat ${file}`))).toEqual([undefined, "file", "file"]);
  // A restart tells the same digests as the start: nothing seems to have changed.
  expect(snapshot.digestsOf(files)).toEqual(Object.assign({}, ...parts.map(({ digests }) => digests)));
});

test("modules get the parts that they were loaded from, and no others", () => {
  const parts = [["a", "b"], ["c"], []].map((names) => ({ names, text: names.join() }));
  const textsOf = (...names: string[]) => partsOf(parts, names).map(({ text }) => text);
  expect([textsOf("b"), textsOf("c"), textsOf("c", "a"), textsOf("d"), textsOf()]).toEqual([
    ["a,b"],
    ["c"],
    ["a,b", "c"],
    [],
    [],
  ]);
});
