// Which files load: in a real Node, by its own rules of resolution.
import { describe, expect, test } from "@jest/globals";
import { answerOf, folder, load } from "../loading.js";

describe("a module loads", () => {
  test.each(["a.ts", "a.mts", "a.js", "a.mjs"])(
    "as %s, with top-level await and the host's own SDK",
    async (name) => {
      const text = `import { Codes, isSynapseError, NOT_SPAM, SynapseError, defineModule } from "synapse-module-bridge";
      import { readFile } from "node:fs/promises";
      const own = (await readFile(new URL(import.meta.url), "utf8")).length;
      export default defineModule({ callbacks: { user_may_invite: () =>
        [NOT_SPAM, Codes.FORBIDDEN, own > 10, isSynapseError(new SynapseError(400, ""))] } });`;
      expect(await answerOf(folder.write(name, text))).toEqual(["NOT_SPAM", "M_FORBIDDEN", true, true]);
    },
  );

  test.each(["c.js", "c.cjs"])("as CommonJS in %s", async (name) => {
    const text = `const { NOT_SPAM, defineModule } = require("synapse-module-bridge");
      module.exports = defineModule({ callbacks: { user_may_invite: () => NOT_SPAM } });`;
    expect(await answerOf(folder.write(name, text))).toBe("NOT_SPAM");
  });

  test("with enums, namespaces, types imported without the keyword, and .js that means .ts", async () => {
    folder.write(
      "parts/kinds.ts",
      `export enum Kind { A = "a", B = "b" }\nexport interface Thing { kind: Kind }`,
    );
    const file = folder.write(
      "parts/main.ts",
      `import { Kind, Thing } from "./kinds.js";
       namespace Own { export const thing: Thing = { kind: Kind.B }; }
       class Point { constructor(readonly x: number) {} }
       export default { callbacks: { user_may_invite: () => [Own.thing.kind, new Point(3).x] } };`,
    );
    expect(await answerOf(file)).toEqual(["b", 3]);
  });

  test("with dependencies of its own, CommonJS, ESM only, and one that needs the SDK", async () => {
    folder.write("deps/node_modules/old/package.json", `{ "name": "old", "main": "main.js" }`);
    folder.write("deps/node_modules/old/main.js", "module.exports = { old: 1 };");
    folder.write(
      "deps/node_modules/esm/package.json",
      `{ "name": "esm", "type": "module", "exports": "./main.js" }`,
    );
    folder.write("deps/node_modules/esm/main.js", "export const esm = 2; export default 3;");
    folder.write(
      "deps/node_modules/lists/package.json",
      `{ "name": "lists", "type": "module", "exports": "./main.js" }`,
    );
    folder.write(
      "deps/node_modules/lists/main.js",
      `import { NOT_SPAM } from "synapse-module-bridge"; export const no = NOT_SPAM;`,
    );
    const text = `import old from "old"; import three, { esm } from "esm"; import { no } from "lists";
      export default { callbacks: { user_may_invite: () => [old.old, esm, three, no] } };`;
    for (const name of ["deps/main.ts", "deps/main.js"]) {
      expect(await answerOf(folder.write(name, text))).toEqual([1, 2, 3, "NOT_SPAM"]);
    }
  });

  test("with the paths of its own tsconfig.json", async () => {
    folder.write("paths/tsconfig.json", `{ "compilerOptions": { "paths": { "#own/*": ["./lib/*"] } } }`);
    folder.write("paths/lib/word.ts", `export const word: string = "mapped";`);
    const text = `import { word } from "#own/word"; export default { callbacks: { user_may_invite: () => word } };`;
    expect(await answerOf(folder.write("paths/main.ts", text))).toBe("mapped");
  });

  test("with the host's SDK even where a tsconfig.json or a node_modules has another", async () => {
    folder.write(
      "own-sdk/tsconfig.json",
      `{ "compilerOptions": { "paths": { "synapse-module-bridge": ["./stub.ts"] } } }`,
    );
    folder.write("own-sdk/stub.ts", `export const NOT_SPAM = "the stub's";`);
    folder.write(
      "own-sdk/node_modules/synapse-module-bridge/package.json",
      `{ "name": "synapse-module-bridge", "main": "main.js" }`,
    );
    folder.write("own-sdk/node_modules/synapse-module-bridge/main.js", `exports.NOT_SPAM = "the copy's";`);
    const text = `import { NOT_SPAM } from "synapse-module-bridge"; export default { callbacks: { user_may_invite: () => NOT_SPAM } };`;
    for (const name of ["own-sdk/main.ts", "own-sdk/main.js"]) {
      expect(await answerOf(folder.write(name, text))).toBe("NOT_SPAM");
    }
  });

  const entry = "export default { callbacks: { user_may_invite: () => 'entry' } };";
  test.each([
    ["exports", `{ "exports": "./src/entry.ts" }`, "src/entry.ts"],
    [
      "exports with conditions",
      `{ "exports": { ".": { "types": "./x.d.ts", "import": "./src/entry.ts" } } }`,
      "src/entry.ts",
    ],
    ["main", `{ "main": "src/entry.ts" }`, "src/entry.ts"],
    ["nothing, by its index", "{}", "index.ts"],
  ])("from a folder whose package.json has %s", async (title, manifest, file) => {
    const name = title.replace(/\W+/g, "-");
    folder.write(`${name}/package.json`, manifest);
    folder.write(`${name}/${file}`, entry);
    expect(await answerOf(`${folder.root}/${name}`)).toBe("entry");
  });

  test("under the name of its file, or of its folder, or the one given", async () => {
    const { modules } = await load(
      { path: folder.write("no-links.mts", entry) },
      { path: `${folder.root}/main` },
      { path: folder.write("view.tsx", entry) },
      { path: folder.write("x.y.ts", entry), name: "given" },
    );
    expect(modules.map(({ name }) => name)).toEqual(["no-links", "main", "view", "given"]);
  });
});
