// What authors write in TypeScript means what TypeScript says, and stacks name the lines that they wrote.
import { symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import ts from "typescript-js";
import { answerOf, faultsOf, folder, loadApart } from "../loading.js";

let counter = 0;

/** Writes a module into a folder of its own, and returns its file. */
function write(
  text: string,
  expression: string,
  others: Record<string, string> = {},
  name = "main.ts",
): string {
  const own = `authors-${counter++}`;
  for (const [other, content] of Object.entries(others)) folder.write(`${own}/${other}`, content);
  const whole = `${text}\nexport default { callbacks: { async user_may_invite() { return ${expression}; } } };`;
  return folder.write(`${own}/${name}`, whole);
}

/** Rows of one length: jest would pass its `done` for what a row lacks. */
function padded<Row extends unknown[]>(rows: Row[], length: number): Row[] {
  return rows.map((row) => [...row, ...Array(length - row.length).fill(undefined)] as Row);
}

const LEGACY = { "tsconfig.json": `{ "compilerOptions": { "experimentalDecorators": true } }` };
const METADATA = {
  "base.json": `{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }`,
  "tsconfig.json": `{ // with comments\n "extends": "./base.json", }`,
};
const LOUD = `function loud(method: (...args: any[]) => string, { name, kind }: ClassMethodDecoratorContext) {
  return function (this: unknown, ...args: any[]) { return kind + " " + name.toString() + ": " + method.apply(this, args); };
}`;

describe("a module runs with", () => {
  test.each(
    padded<[string, string, string, unknown, Record<string, string>?]>(
      [
        [
          "a decorator of a method",
          `${LOUD}\nclass A { @loud m() { return "m"; } }`,
          "new A().m()",
          "method m: m",
        ],
        [
          "a decorator of a static private method",
          `${LOUD}\nclass A { @loud static #m() { return "m"; } static n() { return A.#m(); } }`,
          "A.n()",
          "method #m: m",
        ],
        [
          "a decorator of a class, before and after `export`",
          `const seen: unknown[] = []; const note = (_: unknown, { name }: ClassDecoratorContext) => void seen.push(name);
       @note export class A {}\nexport @note class B {}\nconst C = @note class Named {};`,
          "seen",
          ["A", "B", "Named"],
        ],
        [
          "decorators of fields, getters and accessors, with arguments",
          `const add = (n: number) => (_: unknown, __: ClassFieldDecoratorContext) => (value: number) => value + n;
       const double = (get: () => number, _: ClassGetterDecoratorContext) => function (this: any) { return 2 * get.call(this); };
       const start = (of: any, _: ClassAccessorDecoratorContext) => ({ ...of, init: (value: number) => value * 10 });
       class A { @add(1) @add(10) x = 100; @double get y() { return this.x; } @start accessor z = 7; }
       const a = new A();`,
          "[a.x, a.y, a.z]",
          [111, 222, 70],
        ],
        [
          "initializers of a decorator",
          `const bound = (_: unknown, { name, addInitializer }: ClassMethodDecoratorContext) =>
         addInitializer(function (this: any) { this[name] = this[name].bind(this); });
       class A { word = "bound"; @bound m() { return this.word; } }
       const { m } = new A();`,
          "m()",
          "bound",
        ],
        [
          "legacy decorators, if tsconfig.json says so",
          `const seen: unknown[] = [];
       const on = (of: any, name?: any, third?: any) => void seen.push([typeof of, name ?? null, typeof third]);
       function twice(_: any, __: string, d: PropertyDescriptor) { const { value } = d; d.value = () => value() + value(); }
       @on class A { @on x = 1; @on m(@on p: number) {} @twice n() { return "n"; } }
       const answer = [...seen, new A().n(), new A().x];`,
          "answer",
          [
            ["object", "x", "undefined"],
            ["object", "m", "number"],
            ["object", "m", "object"],
            ["function", null, "undefined"],
            "nn",
            1,
          ],
          LEGACY,
        ],
        [
          "the types of legacy decorators, as a file that tsconfig.json extends says",
          `const types: string[] = [];
       (Reflect as any).metadata = (key: string, value: any) => () => void types.push(key + " " + (value?.name ?? "none"));
       const on = (..._: any[]) => {};
       class A { @on x: string = ""; @on m(): Promise<void> { return Promise.resolve(); } }
       void A;`,
          "types.filter((one) => !one.includes('paramtypes')).sort()",
          ["design:returntype Promise", "design:type Function", "design:type String"],
          METADATA,
        ],
        [
          "`accessor`, also static and private",
          "class A { accessor z = 4; static accessor s = 5; accessor #p = 6; get p() { return this.#p; } }\nconst a = new A(); a.z++;",
          "[a.z, A.s, a.p, Object.hasOwn(a, 'z')]",
          [5, 5, 6, false],
        ],
        [
          "merged namespaces, which see what the other exports",
          "namespace N { export const a = 1; export let n = 0; }\nnamespace N { export const b = a + 1; n++; }\nN.n++;",
          "[N.a, N.b, N.n]",
          [1, 2, 2],
        ],
        [
          "namespaces beside a class, a function and an enum, with dots, and nested",
          `class C {} namespace C { export const c = 1; }
       function f() { return f.g; } namespace f { export const g = 2; }
       enum E { A = 3 } namespace E { export const b = () => E.A; }
       namespace X.Y { export const y = 4; } namespace X.Z { export const z = Y.y + 1; }
       export namespace O { export namespace I { export const i = 6; } export namespace I { export var j = i + 1; } }`,
          "[C.c, f(), E.b(), X.Z.z, O.I.j]",
          [1, 2, 3, 5, 7],
        ],
        [
          "enums: of numbers, of texts, constant, in parts and computed",
          `enum N { A, B = 5, C } enum T { A = "a" } const enum K { A = 1 << 3 } enum P { A = 1 } enum P { B = 2 }
       enum L { A = "abc".length }`,
          "[N.C, N[6], T.A, K.A, P.A + P.B, L.A]",
          [6, "C", "a", 8, 3, 3],
        ],
        [
          "parameter properties, with which fields are set before the constructor's body",
          `class B { constructor(protected readonly one = 1) {} }
       class A extends B { sum = 0; constructor(private two: number, public three?: number) { super(); this.sum = this.one + this.two; } }`,
          "new A(2).sum",
          3,
        ],
        [
          "fields that are declared only, and fields that are defined",
          `class B { x?: number; constructor() { this.x = 1; } } class A extends B { declare x?: number; } class D extends B { x?: number; }`,
          "[new A().x, new D().x ?? null]",
          [1, null],
        ],
        [
          "fields that are set by assignment, under an old target",
          "class B { x?: number; constructor() { this.x = 1; } } class D extends B { x?: number; }",
          "new D().x",
          1,
          { "tsconfig.json": `{ "compilerOptions": { "target": "ES2020" } }` },
        ],
        [
          "`using`, `satisfies`, generics with const, and assertions",
          `const ended: string[] = [];
       (Symbol as any).dispose ??= Symbol("dispose");
       { using a = { [Symbol.dispose]: () => void ended.push("a") } satisfies Disposable; void a; }
       const same = <const T,>(value: T): T => value;`,
          "[ended, same(<number>(1 as unknown)!)]",
          [["a"], 1],
        ],
        [
          "top-level await, import.meta, and .ts in an import, without a package.json",
          `import { word } from "./word.ts";\nconst late = await import("./late.ts");\nconst here = import.meta.url.endsWith("main.ts") && import.meta.filename === new URL(import.meta.url).pathname;`,
          "[word, late.default, here]",
          ["word", "late", true],
          {
            "word.ts": `export const word: string = await Promise.resolve("word");`,
            "late.ts": `export default "late" as string;`,
          },
        ],
        [
          "types that are imported without the keyword, and imports for their effects",
          `import { Shape } from "./shape.js";\nimport "./effect.js";\nimport type Other from "./nowhere.js";\nconst shape: Shape = { x: 1 }; export type { Other };`,
          "[shape.x, (globalThis as any).effect]",
          [1, "seen"],
          {
            "shape.ts": "export interface Shape { x: number }",
            "effect.ts": `(globalThis as any).effect = "seen";`,
          },
        ],
        [
          "files that import each other, and exports that change",
          `import { count, add } from "./a.js";\nadd(); add();`,
          "count",
          2,
          {
            "a.ts": `import { step } from "./b.js";\nexport let count = 0;\nexport function add(): void { count += step(); }`,
            "b.ts": `import { count } from "./a.js";\nexport const step = () => (count < 5 ? 1 : 0);`,
          },
        ],
        [
          "`import = require`, `require` and __dirname",
          `import old = require("./old.cjs");\nconst again = require("./old.cjs");`,
          `[old.old, again.old, __dirname.includes("authors-")]`,
          [1, 1, true],
          { "old.cjs": "exports.old = 1;" },
        ],
        [
          "JSX, by the factory of tsconfig.json",
          `import { page } from "./page.tsx";`,
          "page",
          ["b", { id: 1 }, "text"],
          {
            "tsconfig.json": `{ "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }`,
            "page.tsx": `const h = (...all: unknown[]) => all;\nexport const page = <b id={1}>text</b>;`,
          },
        ],
      ],
      5,
    ),
  )("%s", async (_title, text, expression, answer, others) => {
    expect(await answerOf(write(text, expression, others))).toEqual(answer);
  });

  test("decorators and `accessor` in JavaScript", async () => {
    const text = `const ten = () => () => 10;\nclass A { @ten x = 1; accessor z = 4; }\nconst a = new A();`;
    expect(await answerOf(write(text, "[a.x, a.z]", {}, "main.mjs"))).toEqual([10, 4]);
  });

  test("imports of its neighbours, though a link names its file", async () => {
    const real = write(`import { near } from "./near.js";`, "near", {
      "near.ts": `export const near = "near";`,
    });
    const link = path.join(folder.root, `link-${counter++}.ts`);
    symlinkSync(real, link);
    const { modules, faults } = loadApart([{ path: link }]);
    expect(faults).toEqual([]);
    expect(modules).toMatchObject([{ name: path.basename(link, ".ts"), answer: "near" }]);
  });
});

describe("a fault in the source is told as TypeScript tells it, at its line and column:", () => {
  test.each([
    ["a missing brace", "const a = {;", "1:12: syntax error: Property assignment expected."],
    ["a text without an end", 'const a: string =\n  "b;', "2:6: syntax error: Unterminated string literal."],
    // TypeScript finds these only when it checks types.
    [
      "two declarations of one name",
      "interface A {\n  b: 1;\n}\nlet a: A;\nlet a = 1;",
      "5:5: syntax error: Identifier 'a' has already been declared",
    ],
    [
      "an await outside of an async function",
      "type A = 1;\nfunction f(): void {\n  await 1;\n}",
      "3:3: syntax error:",
    ],
  ])("%s", async (_title, text, message) => {
    const [fault = ""] = await faultsOf(`fault-${counter++}.ts`, text);
    expect(fault.replace(/fault-\d+\.ts/, "main.ts")).toMatch(
      `modules.0.path: main.ts:${message.replace(/\.$/, "")}`,
    );
  });
});

test("a tsconfig.json that extends what is not there is named", async () => {
  folder.write("extends/tsconfig.json", `{ "extends": "./gone.json" }`);
  expect(await faultsOf("extends/main.ts", "export default {};")).toEqual([
    "modules.0.path: extends/tsconfig.json, which says how extends/main.ts is compiled: File './gone.json' not found.",
  ]);
});

describe("stacks name the lines that the author wrote", () => {
  const THROWS = `throw new Error("here"); // throws`;
  const before = `
/** A comment
 *  of several lines. */
interface Gone {
  x: number;
}
enum Kept {
  A,
}
const text = \`a
b\`;`;
  test.each(
    padded<[string, string, Record<string, string>?]>(
      [
        ["a function", `${before}\nfunction f(): Gone {\n\n  ${THROWS}\n}`],
        [
          "a method behind one with a decorator",
          `${before}
${LOUD}
class A {
  constructor(
    private one: number,
    readonly two = 2,
  ) {}

  first() {
    return this.one + this.two;
  }

  @loud
  second() {
    ${THROWS}
  }

  accessor third = 3;
}
const f = () => new A(1).second();`,
        ],
        [
          "a constructor before a decorator",
          `${before}\n${LOUD}\nclass A {\n  constructor() {\n    ${THROWS}\n  }\n  @loud\n  m() {\n    return "";\n  }\n}\nconst f = () => new A();`,
        ],
        [
          "a class with a decorator, and what is behind it",
          `${before}\nconst d = (_: any, __: any) => {};\n@d\nclass A {\n  m() {}\n}\nfunction f() {\n  ${THROWS}\n}\nvoid A;`,
        ],
        [
          "a class with legacy decorators",
          `${before}\nconst d: any = () => {};\n@d\nclass A {\n  @d x = 1;\n  @d\n  m(@d p: number) {\n    ${THROWS}\n  }\n}\nfunction f() {\n  new A().m(1);\n}`,
          LEGACY,
        ],
        [
          "a namespace in its second part",
          `${before}\nnamespace N {\n  export const a = 1;\n}\nnamespace N {\n  export function f() {\n    ${THROWS}\n  }\n}\nconst { f } = N;`,
        ],
        [
          "code behind types and overloads",
          `${before}\ntype T<A> = A extends string\n  ? 1\n  : 2;\nfunction f(): void;\nfunction f(a?: T<string>): void {\n  const g = (\n    b: number,\n  ): void => {\n    ${THROWS}\n  };\n  g(1);\n}`,
        ],
      ],
      3,
    ),
  )("of %s", async (_title, text, others) => {
    const stack = `(() => { try { f(); return "did not throw"; } catch (error: any) { return error.stack; } })()`;
    const file = write(text, stack, others);
    const line = text.split("\n").findIndex((one) => one.includes("// throws")) + 1;
    const [, first] = String(await answerOf(file)).split("\n");
    expect(first).toContain(`${file}:${line}:`);
  });

  test.each([
    ["an ES module, with its map in the file", "module", { inlineSourceMap: true }],
    ["an ES module, with its map beside it", "module", { sourceMap: true }],
    ["an ES module in a folder that says nothing of it", undefined, { sourceMap: true }],
    ["CommonJS", "commonjs", { sourceMap: true }],
  ])(
    "of JavaScript that its author has compiled, as %s, after a restart as well",
    (_title, type, options) => {
      const own = `authors-${counter++}`;
      const text = `${before}\nexport function f(): void {\n  ${THROWS}\n}`;
      const main = `import { f } from "./thrower.js";
interface Gone { x: 1 }
const stack = () => { try { f(); return "did not throw"; } catch (error: any) { return error.stack; } };
export default { callbacks: { user_may_invite: stack } };`;
      folder.write(`${own}/package.json`, JSON.stringify({ type }));
      for (const [name, source] of Object.entries({ main, thrower: text })) {
        folder.write(`${own}/src/${name}.ts`, source);
        const { outputText, sourceMapText } = ts.transpileModule(source, {
          fileName: `../src/${name}.ts`,
          compilerOptions: {
            ...options,
            ...{ target: ts.ScriptTarget.ES2022, sourceRoot: "../src" },
            module: type === "commonjs" ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext,
          },
        });
        folder.write(`${own}/out/${name}.js`, outputText);
        if (sourceMapText !== undefined) folder.write(`${own}/out/${name}.js.map`, sourceMapText);
      }
      const path = `${folder.root}/${own}/out/main.js`;
      const line = text.split("\n").findIndex((one) => one.includes("// throws")) + 1;
      const first = loadApart([{ path }]);
      expect(first.faults).toEqual([]);
      for (const { modules } of [first, loadApart([{ path }], first.snapshot)]) {
        expect(modules[0]?.answer).toContain(`${own}/src/thrower.ts:${line}:`);
        expect(Object.keys(modules[0]?.digests ?? {})).toContain(`${folder.root}/${own}/src/thrower.ts`);
      }
    },
  );
});

test.each([
  ["lines that no source has", { sources: ["main.ts"], mappings: "AAgggggggggB;AAAA" }],
  ["lines before the first", { sources: ["main.ts"], mappings: "AADD;AADDDD" }],
  ["mappings that are none", { sources: ["main.ts"], mappings: "!!!!;;%" }],
  ["a folder as its source", { sources: [""], mappings: "AAAA" }],
  ["sources that are none", { sources: [5, null, {}], mappings: "AAAA" }],
])("JavaScript with a source map of %s runs all the same", async (_title, map) => {
  const own = `authors-${counter++}`;
  folder.write(`${own}/main.ts`, "source");
  folder.write(`${own}/main.js.map`, JSON.stringify({ version: 3, ...map }));
  const code =
    "export default { callbacks: { user_may_invite: () => 'runs' } };\n//# sourceMappingURL=main.js.map";
  expect(await answerOf(folder.write(`${own}/main.js`, code))).toBe("runs");
});
