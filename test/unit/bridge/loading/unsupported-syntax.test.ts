// TypeScript that the loader would run as something else than it means is refused, with its place.
import { describe, expect, test } from "@jest/globals";
import { faultsOf, folder, load } from "../loading.js";

const DECORATORS =
  "decorators are not supported: the loader would leave them out. Call the decorator as a function instead";
const ACCESSOR = "`accessor` is not supported. Write `get` and `set`, or a plain property";
const IN_PARTS = (name: string, line: number) =>
  `${name} is declared in parts, here and in line ${line}, which is not supported if one of them is a namespace. Write it in one part`;
const MUTABLE =
  "a namespace that exports something other than `const` is not supported. Export functions that get and set it, or write a module";
const DECORATOR = "const d: any = (value: any) => value;\n";
const SOUND = "\nexport default { callbacks: {} };\n";

let counter = 0;
/** A name of its own for each text, since what a process has loaded once it does not load again. */
const fresh = (ending: string) => `refused-${counter++}${ending}`;

describe("is refused:", () => {
  test.each([
    ["a decorator of a method", `${DECORATOR}class A {\n  @d m() {}\n}`, "3:2", DECORATORS],
    ["a decorator of a class", `${DECORATOR}@d class A {}`, "2:0", DECORATORS],
    ["a decorator before an export", `${DECORATOR}@d export class A {}`, "2:0", DECORATORS],
    ["a decorator of a class expression", `${DECORATOR}const A = @d class {};`, "2:10", DECORATORS],
    ["a decorator with arguments", `${DECORATOR}class A {\n  @d({ a: 1 })\n  m() {}\n}`, "3:2", DECORATORS],
    ["a decorator of a property", `${DECORATOR}class A { @d x = 1; }`, "2:10", DECORATORS],
    ["a decorator of a static method", `${DECORATOR}class A { @d static x() {} }`, "2:10", DECORATORS],
    ["a decorator of a getter", `${DECORATOR}class A { @d get x() { return 1; } }`, "2:10", DECORATORS],
    ["a decorator of a parameter", `${DECORATOR}class A { m(@d x: any) {} }`, "2:12", DECORATORS],
    [
      "a decorator of a parameter property",
      `${DECORATOR}class A { constructor(@d private x: any) {} }`,
      "2:22",
      DECORATORS,
    ],
    [
      "a decorator deep within functions",
      `${DECORATOR}const f = () => { if (1) { return [class { @d m() {} }]; } };`,
      "2:43",
      DECORATORS,
    ],
    ["an accessor", "class A {\n  accessor z = 4;\n}", "2:2", ACCESSOR],
    ["a static accessor", "class A { static accessor z = 4; }", "1:10", ACCESSOR],
    ["a private accessor", "class A { accessor #z = 4; }", "1:10", ACCESSOR],
    ["an accessor with a decorator", `${DECORATOR}class A { @d accessor z = 4; }`, "2:10", DECORATORS],
    [
      "a namespace in two parts",
      "namespace N { export const a = 1; }\nnamespace N { export const b = 2; }",
      "2:0",
      IN_PARTS("N", 1),
    ],
    [
      "an exported namespace in two parts",
      "export namespace N { export const a = 1; }\nexport namespace N { export const b = 2; }",
      "2:7",
      IN_PARTS("N", 1),
    ],
    [
      "a namespace with an enum",
      "enum N { A }\nnamespace N { export const b = 2; }",
      "2:0",
      IN_PARTS("N", 1),
    ],
    ["a namespace with a class", "class N {}\nnamespace N { export const b = 2; }", "2:0", IN_PARTS("N", 1)],
    [
      "a namespace with a function",
      "function N() {}\nnamespace N { export const b = 2; }",
      "2:0",
      IN_PARTS("N", 1),
    ],
    [
      "namespaces with dots",
      "namespace A.B { export const b = 1; }\nnamespace A.C { export const c = 2; }",
      "2:0",
      IN_PARTS("A", 1),
    ],
    [
      "a namespace in two parts within another",
      "namespace A {\n  export namespace B { export const b = 1; }\n  export namespace B { export const c = 2; }\n}",
      "3:9",
      IN_PARTS("B", 2),
    ],
    ["a namespace with a variable", "namespace N { export let a = 1; }", "1:21", MUTABLE],
    ["a namespace with an old variable", "namespace N { export var a = 1; }", "1:21", MUTABLE],
  ])("%s", async (_title, text, place, message) => {
    const name = fresh(".ts");
    expect(await faultsOf(name, text + SOUND)).toEqual([`modules.0.path: ${name}:${place}: ${message}`]);
  });

  test("a decorator in JavaScript", async () => {
    const name = fresh(".mjs");
    const text = `const d = (value) => value;\n@d class A {}${SOUND}`;
    expect(await faultsOf(name, text)).toEqual([`modules.0.path: ${name}:2:0: ${DECORATORS}`]);
  });

  test("an accessor in JavaScript", async () => {
    const name = fresh(".mjs");
    expect(await faultsOf(name, `class A { accessor z = 1; }${SOUND}`)).toEqual([
      `modules.0.path: ${name}:1:10: ${ACCESSOR}`,
    ]);
  });

  test("a decorator in a file that is imported", async () => {
    const imported = fresh(".ts");
    folder.write(imported, `${DECORATOR}export class A { @d m() {} }`);
    const text = `import { A } from "./${imported}";\nexport default { callbacks: {}, ...(A ? {} : {}) };`;
    expect(await faultsOf(fresh(".ts"), text)).toEqual([`modules.0.path: ${imported}:2:17: ${DECORATORS}`]);
  });

  test("again at the next load: what is refused is not kept", async () => {
    const name = fresh(".ts");
    const file = folder.write(name, `${DECORATOR}@d class A {}${SOUND}`);
    const first = await load({ path: file });
    expect(first.faults).toHaveLength(1);
    expect((await load({ path: file })).faults).toEqual(first.faults);
  });
});

describe("is run as before:", () => {
  test.each([
    ["a decorator's sign in a text and in a comment", '// @d class A {}\nconst a = "@d class A {}";'],
    ["a private name and an operator", "class A { #a = 1; static is(o: object) { return #a in o; } }"],
    ["a member that is called accessor", "class A { accessor = 1; }\nnew A().accessor;"],
    ["a method that is called accessor", "class A { accessor() {} }"],
    ["a namespace in one part", "namespace N { export const a = 1; export function f() { return a; } }"],
    ["a namespace with dots", "namespace A.B { export const b = 1; }"],
    [
      "a namespace of types beside one of values",
      "namespace N { export type X = number; }\nnamespace N { export const a: X = 1; }",
    ],
    ["a namespace beside an interface", "interface N {}\nnamespace N { export const a = 1; }"],
    ["a declared namespace", "declare namespace N { const q: number; }\nnamespace N { export const a = 1; }"],
    ["a namespace beside a declared class", "declare class N {}\nnamespace N { export const a = 1; }"],
    ["global declarations", "declare global { var zz: number; }\ndeclare global { var yy: number; }"],
    ["an enum in two parts", "enum E { A = 1 }\nenum E { B = 2 }"],
    [
      "a function with overloads",
      "function f(a: string): void;\nfunction f(a: number): void;\nfunction f(a: any) {}",
    ],
    [
      "namespaces of one name in two places",
      "namespace A { namespace B { export const b = 1; } }\nnamespace C { namespace B { export const b = 1; } }",
    ],
  ])("%s", async (_title, text) => {
    expect(await faultsOf(fresh(".ts"), text + SOUND)).toEqual([]);
  });
});

test("a very deep source is looked through", async () => {
  const deep = `const a = ${"[".repeat(300)}${"]".repeat(300)};`;
  expect(await faultsOf(fresh(".ts"), deep + SOUND)).toEqual([]);
});
