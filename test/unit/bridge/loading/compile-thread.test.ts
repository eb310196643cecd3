// The compiler works in a thread that ends soon after, and starts faster when V8's form of it is kept.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { compileInThread } from "../../../../bridge/loading/compile-thread.js";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import { folder, loadApart } from "../loading.js";
import { call, code, host, folder as hostFolder, inviting, load } from "../real-host.js";

let count = 0;
/** A module that no cache knows. */
const unknown = () =>
  folder.write(
    `unknown-${count++}.ts`,
    `enum E { A = ${Date.now()} }\nexport default { callbacks: { user_may_invite: () => E[E.A] } };`,
  );

describe("V8's form of the compiler", () => {
  const home = folder.path("home");
  const cache = path.join(home, ".cache/synapse-module-bridge");
  const kept = () =>
    readdirSync(cache, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".v8"))
      .map((name) => path.join(cache, name));
  const loadAlone = () => loadApart([{ path: unknown() }], undefined, { HOME: home });

  test("is kept where only this user can write, also by a process that ends at once", () => {
    mkdirSync(home);
    expect(loadAlone().modules).toMatchObject([{ answer: "A" }]);
    expect(
      kept()
        .map((file) => path.basename(file))
        .sort(),
    ).toEqual(["babel.cjs.v8", "compiler.cjs.v8"]);
    for (const file of kept()) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test.each<[string, (text: Buffer) => Buffer]>([
    ["of another compiler or another Node", (text) => Buffer.concat([Buffer.alloc(32), text.subarray(32)])],
    ["cut off", (text) => text.subarray(0, text.length >> 1)],
    // V8 would take it, and crash.
    ["damaged", (text) => text.fill(0, text.length >> 1)],
    ["empty", () => Buffer.alloc(0)],
  ])("is replaced if it is %s", (_title, change) => {
    const before = kept().map((file) => {
      const { length } = readFileSync(file);
      writeFileSync(file, change(readFileSync(file)));
      return [file, length] as const;
    });
    expect(before).toHaveLength(2);
    expect(loadAlone().modules).toMatchObject([{ answer: "A" }]);
    for (const [file, length] of before) expect(readFileSync(file).length).toBeGreaterThan(length / 2 + 100);
  });
});

const threadsOf = (pid: number | undefined) => readdirSync(`/proc/${pid}/task`).length;

test("a host that has compiled keeps no thread for it", async () => {
  await load([{ path: inviting("plain", "return NOT_SPAM;", `// ${Date.now()}`) }]);
  const after = threadsOf(host.child.pid);
  await call("plain");
  await waitFor("the end of the compiler's thread", () => threadsOf(host.child.pid) < after);
});

test("an import while the module runs is compiled, though the compiler's file is gone", async () => {
  const body = `const later = await import(${JSON.stringify(hostFolder.path("later.ts"))}); return later.answer;`;
  await load([{ path: inviting("late", body) }]);
  hostFolder.write(
    "later.ts",
    `enum E { A = "${Date.now()}" }\nexport const answer: string = E.A ? "NOT_SPAM" : "";`,
  );
  rmSync(path.join(path.dirname(code.file), "compiler.cjs"));
  expect(await call("late")).toMatchObject({ answer: "NOT_SPAM" });
});

test("a compiler without enough memory fails at once, and the next one is a new one", () => {
  const request = {
    ...{ filename: "big.ts", source: "export const a: number = 1;", async: false, interopDefault: false },
    options: {},
  };
  const before = performance.now();
  expect(() => compileInThread(request, undefined, 8)).toThrow(
    "big.ts could not be compiled: the compiler needs more memory than its 8 MB",
  );
  expect(performance.now() - before).toBeLessThan(15_000);
  expect(compileInThread(request, undefined)).toMatchObject({ code: expect.stringContaining("a = 1") });
});
