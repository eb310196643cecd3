// Worker threads of modules, in TypeScript and in JavaScript, in a host as a process.
import path from "node:path";
import { expect, test } from "@jest/globals";
import { call, folder, initialize, inviting, load, logged } from "../real-host.js";

const PARTS = {
  "add.ts": "export const add = (a: number, b: number): number => a + b;",
  "work.ts": `import { parentPort, workerData, isMainThread } from "node:worker_threads";
import { add } from "./add.ts";
enum Step { One = 1 }
parentPort!.postMessage([isMainThread, add(workerData.n, Step.One)]);`,
  "old.cts": `const { parentPort, workerData } = require("worker_threads"); parentPort.postMessage(["old", workerData]);`,
  "throws.ts": "interface Gone {\n  a: 1;\n}\nthrow new TypeError('of the worker');",
  "broken.ts": "const a = {;",
  "plain.mjs": `import { parentPort, workerData } from "node:worker_threads"; parentPort.postMessage(["plain", workerData]);`,
};

const WITH_DATA = "{ workerData: { n: 20 } }";
const IMPORTED = `import { Worker } from "node:worker_threads";`;

let count = 0;

/** Writes a module that starts a worker thread, and logs the first message or error of it. */
function starting(worker: string, options = WITH_DATA, imports = IMPORTED): string {
  const name = `starter-${count++}`;
  const file = inviting(
    name,
    `const worker: any = new Worker(${worker}, ${options});
     const told = await new Promise<unknown>((resolve) => {
       worker.on("message", resolve);
       worker.on("error", (error: Error) => resolve(error.message));
     });
     await worker.terminate();
     context.log.info(JSON.stringify(["told", told]));
     return NOT_SPAM;`,
    imports,
  );
  for (const [part, text] of Object.entries(PARTS))
    folder.write(path.relative(folder.root, path.join(path.dirname(file), part)), text);
  return file;
}

/** What the worker thread of a module has told. */
async function toldBy(file: string, more: object = {}): Promise<unknown> {
  await load([{ path: file, ...more }]);
  await call(path.basename(file, ".ts"));
  const { msg } = await logged(/^\["told",/);
  return JSON.parse(String(msg))[1];
}

test.each([
  ["TypeScript, by URL", `new URL("./work.ts", import.meta.url)`, WITH_DATA, IMPORTED, [false, 21]],
  ["TypeScript, by path", `__dirname + "/work.ts"`, WITH_DATA, IMPORTED, [false, 21]],
  [
    "TypeScript, from CommonJS",
    `__dirname + "/old.cts"`,
    WITH_DATA,
    `const { Worker } = require("worker_threads");`,
    ["old", { n: 20 }],
  ],
  ["JavaScript", `new URL("./plain.mjs", import.meta.url)`, WITH_DATA, IMPORTED, ["plain", { n: 20 }]],
  ["text", `"require('worker_threads').parentPort.postMessage('text')"`, "{ eval: true }", IMPORTED, "text"],
  [
    "a data: URL, whatever its text ends with",
    `new URL("data:text/javascript,import { parentPort } from 'node:worker_threads'; parentPort.postMessage('data')//.ts")`,
    WITH_DATA,
    IMPORTED,
    "data",
  ],
])("a module starts a worker thread in %s", async (_title, worker, options, imports, told) => {
  expect(await toldBy(starting(worker, options, imports))).toEqual(told);
});

test("a module in a thread of its own starts one, too", async () => {
  const file = starting(`new URL("./work.ts", import.meta.url)`);
  expect(await toldBy(file, { isolated: true })).toEqual([false, 21]);
});

test.each([
  ["throws.ts", /throws\.ts:4: threw when it was loaded: TypeError: of the worker$/],
  ["broken.ts", /broken\.ts:1:12: syntax error: Property assignment expected$/],
  ["gone.ts", /gone\.ts/],
])("a module gets the error of a worker thread whose file is %s, with its place", async (name, message) => {
  expect(await toldBy(starting(`new URL("./${name}", import.meta.url)`))).toMatch(message);
});

test("what is no file is an error of Node's own", async () => {
  const body = `let told: unknown;
    try {
      new Worker(7 as never);
    } catch (error) {
      told = (error as { code: string }).code;
    }
    context.log.info(JSON.stringify(["told", told]));
    return NOT_SPAM;`;
  expect(await toldBy(inviting("no-file", body, IMPORTED))).toBe("ERR_INVALID_ARG_TYPE");
});

test("a restart takes from disk what worker threads run, and tells so", async () => {
  const { modules } = await initialize([{ path: starting(`new URL("./work.ts", import.meta.url)`) }]);
  expect(modules[0]?.not_kept).toEqual(["what its worker threads run"]);
});
