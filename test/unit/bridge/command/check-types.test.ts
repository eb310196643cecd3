// The command `check`, and the tsc that is installed near a module.
import { symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { moduleOf } from "../rig.js";
import { folder, run, runWheel } from "./command-line.js";

describe("check with the author's own tsc", () => {
  // Stands for TypeScript: what matters is which is run, with what, and how its output is read.
  const tsc = (body: string) => `const args = process.argv.slice(2); ${body}`;
  const install = (name: string, body: string) => {
    folder.write(
      `${name}/node_modules/typescript/package.json`,
      `{ "version": "7.0.2", "bin": { "tsc": "bin/tsc" } }`,
    );
    folder.write(`${name}/node_modules/typescript/bin/tsc`, tsc(body));
    return folder.write(`${name}/module.ts`, moduleOf("user_may_invite", "return NOT_SPAM;"));
  };

  test("tells its errors as faults", async () => {
    const file = install(
      "wrong",
      "console.log('module.ts(3,5): error TS2322: Type A is not B.'); process.exit(2);",
    );
    const { code: status, out } = await run(["check", file]);
    expect(out).toContain(`One fault:\n  ${file}(3,5): error TS2322: Type A is not B.\n`);
    expect(status).toBe(1);
  });

  test("tells each module the errors in its own files, once and in full, and runs once for a project", async () => {
    const real = fileURLToPath(new URL("../../../../node_modules/typescript", import.meta.url));
    folder.write("whole/node_modules/.keep", "");
    symlinkSync(real, `${folder.root}/whole/node_modules/typescript`);
    folder.write("whole/tsconfig.json", '{ "compilerOptions": { "strict": true, "types": [] } }');
    folder.write("whole/shared.ts", "export const limit: number = 'many';");
    folder.write("whole/unrelated.ts", "export const wrong: string = 1;");
    const text = (body: string) => `import { limit } from "./shared";
interface Module { callbacks: { user_may_invite(): Promise<string> | string } }
const module: Module = { callbacks: { user_may_invite: async () => ${body} } };
export default module; limit;`;
    const first = folder.write("whole/first.ts", text("true"));
    const second = folder.write("whole/second.ts", text("'NOT_SPAM'"));
    const block = `{ modules: [{ path: ${first} }, { path: ${second} }] }`;
    folder.write("whole.yaml", `modules: [{ module: synapse_module_bridge.ModuleBridge, config: ${block} }]`);
    const { out } = await runWheel(["check", "whole.yaml"]);
    expect(out.match(/error TS/g)).toHaveLength(3);
    expect(out).toMatch(
      /first\.ts: types checked .* it tells an error elsewhere in the project, the first .*unrelated/,
    );
    expect(out).toContain(`modules[0].config.modules[0].path: ${first}(3,`);
    expect(out).toMatch(/\n {4}.*Type 'boolean' is not assignable to type 'string'/);
    expect(out).toContain(`modules[0].config.modules[0].path: ${folder.root}/whole/shared.ts(1,14)`);
    expect(out).toContain("2 faults:");
  });

  test.each<[string, Record<string, string>]>([
    ["without a package.json and a tsconfig.json", {}],
    [
      "whose tsconfig.json takes its files for CommonJS",
      {
        "tsconfig.json": JSON.stringify({ compilerOptions: { strict: true, module: "nodenext", types: [] } }),
        "package.json": "{}",
      },
    ],
  ])(
    "takes for sound what the bridge runs, in a folder %s, and finds its type errors",
    async (title, files) => {
      const real = fileURLToPath(new URL("../../../../node_modules/typescript", import.meta.url));
      const own = title.replace(/\W+/g, "-");
      folder.write(`${own}/node_modules/.keep`, "");
      symlinkSync(real, `${folder.root}/${own}/node_modules/typescript`);
      for (const [name, text] of Object.entries(files)) folder.write(`${own}/${name}`, text);
      folder.write(`${own}/word.ts`, "export const word: string = await Promise.resolve('word');");
      const text = `import { word } from "./word.ts";
declare global { interface ImportMeta { url: string } }
const late = await import("./word.ts");
export default { callbacks: { user_may_invite: async () => [word, late.word, import.meta.url] } };`;
      const sound = folder.write(`${own}/sound.ts`, text);
      const { out, code } = await run(["check", sound]);
      expect(out).toMatch(/types checked by tsc 7[\s\S]*No faults\.\n/);
      expect(code).toBe(0);
      const wrong = folder.write(`${own}/wrong.ts`, `${text}\nconst x: number = word; void x;`);
      expect(await run(["check", wrong])).toMatchObject({
        code: 1,
        out: expect.stringContaining("error TS2322"),
      });
    },
  );

  test("uses the tsconfig.json that includes the module, else strict defaults", async () => {
    const file = install(
      "project",
      `if (args.includes("-p")) console.log(${JSON.stringify(folder.root)} + "/project/module.ts");`,
    );
    folder.write("project/tsconfig.json", "{}");
    expect((await run(["check", file])).out).toMatch(
      /types checked by tsc 7\.0\.2 with .*project\/tsconfig\.json/,
    );
    const other = install(
      "aside",
      `if (!args.includes("-p") && !args.includes("--ignoreConfig")) process.exit(3);`,
    );
    folder.write("aside/tsconfig.json", "{}");
    const { code: status, out } = await run(["check", other]);
    expect(out).toContain("types checked by tsc 7.0.2 with strict defaults: no tsconfig.json includes it");
    expect(status).toBe(0);
  });

  test("says last what a file is that is no text, after the errors that tsc finds in it", async () => {
    const file = install(
      "page",
      "console.log('module.ts(1,1): error TS1109: Expression expected.'); process.exit(2);",
    );
    folder.write("page/module.ts", "<!doctype html><html>");
    const { code: status, out } = await run(["check", file]);
    expect(out).toContain("2 faults:\n");
    expect(out.trimEnd().split("\n").at(-1)).toContain("module.ts is a page of HTML or XML");
    expect(status).toBe(1);
  });

  test.each([
    ["there is none", undefined, "types not checked: there is no typescript in a node_modules above it"],
    [
      "the types of the bridge are missing",
      "console.log(\"module.ts(1,1): error TS2307: Cannot find module 'synapse-module-bridge'.\"); process.exit(2);",
      "types not checked: the types of the bridge are missing beside it (npm install --save-dev synapse-module-bridge)",
    ],
  ])("says that types were not checked where %s", async (name, body, note) => {
    const file = body
      ? install(name.replaceAll(" ", "-"), body)
      : folder.write("alone/module.ts", moduleOf("user_may_invite", ""));
    const { code: status, out } = await run(["check", file]);
    expect(out).toContain(note);
    expect(status).toBe(0);
  });
});
