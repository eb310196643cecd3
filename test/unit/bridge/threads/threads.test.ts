// Modules in threads of their own: what one breaks, it breaks alone.
import { readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { LIMITS } from "../../../../bridge/catalogue/protocol.js";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import { observed } from "../../../support/observed.js";
import { ask, folder, host, initialize, inviting, load, logged, start, stop } from "../real-host.js";
import { errorOf, moduleOf } from "../rig.js";
import { INVITE } from "../samples.js";

const shadow = (name: string, body: string, before = "") => ({
  path: inviting(name, body, before),
  mode: "shadow" as const,
});
const isolated = (name: string, body: string, before = "") => ({
  path: inviting(name, body, before),
  isolated: true,
});
const plain = (name: string, body: string, before = "") => ({ path: inviting(name, body, before) });
const BAD = `if (params.room_id === "!bad")`;
const bad = { params: { ...INVITE, room_id: "!bad" } };
const THREAD = `import { isMainThread, threadId } from "node:worker_threads";`;

test("a shadow module and an isolated one run in threads, the shadow modules in one together", async () => {
  const where = "return String(threadId);";
  await load([
    plain("main", where, THREAD),
    shadow("a", where, THREAD),
    isolated("own", where, THREAD),
    shadow("b", where, THREAD),
    { ...shadow("c", where, THREAD), isolated: true },
  ]);
  const of = async (name: string) => (await ask([name])).answer;
  const [main, a, b, c, own] = [
    await of("main"),
    await of("a"),
    await of("b"),
    await of("c"),
    await of("own"),
  ];
  expect(main).toBe("0");
  expect(a).toBe(b);
  expect(new Set([main, a, c, own]).size).toBe(4);
});

const ENDS: [how: string, body: string, cause: string][] = [
  ["process.exit", "process.exit(7);", "it called process.exit(7)"],
  [
    "an error in a timer",
    "setTimeout(() => { throw new Error('stray'); }, 1); return new Promise(() => {});",
    "an error was not caught",
  ],
  [
    "a rejection",
    "Promise.reject(new Error('stray')); return new Promise(() => {});",
    "a rejected promise was not handled",
  ],
  ["a signal to itself", "process.kill(process.pid, 'SIGKILL');", "it sent itself SIGKILL"],
  ["memory", "const all = []; for (;;) all.push(new Array(200_000).fill(1.5));", "out of memory"],
];
test.each(ENDS)("%s ends the thread alone", async (_, body, cause) => {
  const told: object[] = [];
  host.shim.onNotification("thread_ended", (params) => void told.push(params));
  await load([
    plain("beside", "return NOT_SPAM;"),
    isolated("breaks", `${BAD} { ${body} } return Codes.FORBIDDEN;`),
  ]);
  expect(await errorOf(ask(["breaks"], bad))).toMatchObject({
    code: -32014,
    data: { module: "breaks", cause },
  });
  expect(await ask(["beside", "breaks"])).toMatchObject({ answer: "M_FORBIDDEN", module: "breaks" });
  await waitFor("word of the thread's end", () => told.length > 0);
  expect(told).toEqual([{ modules: ["breaks"], module: "breaks", cause }]);
  await logged(`the thread of breaks has ended (${cause}): another takes its place`);
  expect(host.child.exitCode).toBeNull();
  observed(70, { on: "real host", outcome: "module_ended; the others by the module" });
});

test.each([
  ["a large map", "const all = new Map(); for (let i = 0; ; i++) all.set(i, { i });"],
  ["a large list of buffers", "const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1));"],
  [
    "a leak of many calls",
    "for (let i = 0; i < 20_000; i++) kept.set(kept.size, { i, x: [i] }); return NOT_SPAM;",
    "const kept = new Map();",
  ],
  [
    "a leak of buffers",
    "for (let i = 0; i < 20; i++) kept.push(Buffer.alloc(1 << 20, 1)); return NOT_SPAM;",
    "const kept: Buffer[] = [];",
  ],
])("%s ends the thread alone", async (_, body, before = "") => {
  await stop();
  start(["--max-old-space-size=64"]);
  await load([plain("beside", "return NOT_SPAM;"), isolated("breaks", body, before)]);
  const error = await (async () => {
    for (;;) await ask(["breaks"]);
  })().catch((reason) => reason);
  expect(error).toMatchObject({ code: -32014, data: { module: "breaks", cause: "out of memory" } });
  expect(await ask(["beside"])).toMatchObject({ answer: "NOT_SPAM" });
  observed(72, { on: "real host", outcome: "module_ended; the others by the module" });
});

test.each([
  ["JavaScript", "for (;;);", true],
  ["native code", "execSync('sleep 20');", false],
])(
  "a loop that %s blocks is noticed after three seconds, and another thread takes over at once",
  async (_, body, hasStack) => {
    const module = shadow(
      "blocks",
      `${BAD} { ${body} } return String(threadId);`,
      `${THREAD} import { execSync } from "node:child_process";`,
    );
    await load([plain("beside", "return NOT_SPAM;"), module]);
    const first = await ask(["blocks"]);
    const error = errorOf(ask(["blocks"], bad));
    // Nobody else waits for it.
    for (let round = 0; round < 20; round++)
      expect(await ask(["beside"])).toMatchObject({ answer: "NOT_SPAM" });
    expect(await error).toMatchObject({
      code: -32014,
      data: { module: "blocks", cause: expect.stringMatching(/^event loop blocked for \d\.\d s$/) },
    });
    const second = await ask(["blocks"]);
    expect(second.answer).not.toBe(first.answer);
    const stack = host
      .records("log")
      .map(({ err }) => String((err as { stack?: string } | undefined)?.stack));
    expect(stack.some((text) => text.includes(`${module.path}:3`))).toBe(hasStack);
    host.closeInput();
    // The one that native code holds on to does not keep Node from ending.
    expect(await host.ended).toBe(hasStack ? 0 : "SIGKILL");
    observed(71, { on: "real host", outcome: "module_ended; the others by the module" });
  },
  20_000,
);

test("an isolated module that hangs gets half of the time that is left, and the next are asked in the rest", async () => {
  const hangs = "context.signal.onabort = () => context.log.info('aborted'); return new Promise(() => {});";
  await load([isolated("hangs", hangs), plain("next", "return Codes.FORBIDDEN;"), shadow("patient", hangs)]);
  const began = performance.now();
  const error = await errorOf(ask(["hangs", "next"], { time_left_ms: 600 }));
  expect(performance.now() - began).toBeGreaterThan(290);
  expect(error).toMatchObject({ code: -32003, data: { module: "hangs", reason: "deadline" } });
  await logged("aborted");
  expect(await ask(["next"], { time_left_ms: 300 })).toMatchObject({ module: "next" });
  // Nobody waits for a shadow module: it has all the time that the shim gives it.
  const { CancellationTokenSource } = await import("vscode-jsonrpc/node");
  const source = new CancellationTokenSource();
  const call = { call: 1, modules: ["patient"], params: INVITE, request: null, time_left_ms: 20 };
  const late = errorOf(host.shim.sendRequest("callback/user_may_invite", call, source.token));
  expect(await Promise.race([late, delay(100, "still asked")])).toBe("still asked");
  source.cancel();
  expect(await late).toMatchObject({ code: -32800, data: { module: "patient" } });
  observed(73, { on: "real host", outcome: "module_unavailable after half of the time" });
});

test("a loop that an isolated module blocks ends its thread before the time of the calls that wait for it is over", async () => {
  await load([isolated("blocks", `${BAD} { for (;;); } return NOT_SPAM;`)]);
  const blocked = errorOf(ask(["blocks"], { ...bad, time_left_ms: 5000 }));
  const waiting = errorOf(ask(["blocks"], { time_left_ms: 5000 }));
  // Not that it is late: what has ended is asked again.
  for (const error of [await blocked, await waiting])
    expect(error).toMatchObject({ code: -32014, data: { module: "blocks" } });
  expect(await ask(["blocks"])).toMatchObject({ answer: "NOT_SPAM" });
  observed(71, { on: "real host", outcome: "module_ended, also for what has waited" });
});

test("what was sent to a thread long after its loop was blocked is asked of the next one", async () => {
  await load([isolated("blocks", `${BAD} { for (;;); } return NOT_SPAM;`)]);
  let isOver = false;
  const blocked = errorOf(ask(["blocks"], { ...bad, time_left_ms: 20_000 })).finally(() => {
    isOver = true;
  });
  const sent: Promise<unknown>[] = [];
  while (!isOver) {
    sent.push(
      ask(["blocks"], { time_left_ms: 20_000 }).then(
        ({ answer }) => answer,
        (error) => error.code,
      ),
    );
    await delay(100);
  }
  expect(await blocked).toMatchObject({ code: -32014, data: { module: "blocks" } });
  // The first ones may have been read before, and the last ones were not.
  const answers = await Promise.all(sent);
  expect([answers[0], answers.at(-3)]).toEqual([-32014, "NOT_SPAM"]);
});

test("modules of all threads edit one object, in order", async () => {
  const edit = (name: string) =>
    folder.write(
      `edit/${name}.ts`,
      moduleOf("on_create_room", `params.request_content.list.push("${name}");`),
    );
  await load([{ path: edit("a") }, { path: edit("b"), isolated: true }, { path: edit("c") }]);
  const params = { requester: { user: "@a:b" }, request_content: { list: [] }, is_requester_admin: false };
  const call = { call: 1, modules: ["a", "b", "c"], params, request: null };
  expect(await host.shim.sendRequest("callback/on_create_room", call)).toMatchObject({
    module: "c",
    answer: { list: ["a", "b", "c"] },
  });
});

test("what is wrong is told at its place in the configuration, within threads and between them", async () => {
  const serves = (name: string, text = "") => ({
    path: folder.write(
      `serves/${name}.ts`,
      `export default { callbacks: {}, web_resources: { "/_synapse/client/x": () => ({}) }, ${text} };`,
    ),
  });
  const { modules, faults } = await initialize([
    serves("a"),
    { ...serves("b"), isolated: true },
    {
      ...serves("c", 'configSchema: { type: "object", properties: { word: {} }, required: ["word"] }'),
      mode: "shadow" as const,
    },
    { path: "/nowhere.ts", isolated: true },
    { ...shadow("exits", "", "process.exit(0);"), mode: "enforce", isolated: true },
  ]);
  expect(modules.map(({ name }) => name)).toEqual(["a", "b"]);
  const told = faults.map(({ path, message }) => [path.slice(1).join("."), message]);
  expect(told).toEqual([
    ["1.path", "b and a both have the web resource /_synapse/client/x: Synapse would serve one"],
    ["2.config.word", "is required"],
    ["3.path", expect.stringContaining("there is no file or folder /nowhere.ts")],
    [
      "4.path",
      expect.stringMatching(
        /exits\.ts: its thread ended while it loaded this module \(it called process\.exit\(0\)\)/,
      ),
    ],
  ]);
});

test("two modules of one name are told, whatever threads they have", async () => {
  const path = inviting("a", "");
  const { faults } = await initialize([
    { path, isolated: true },
    { path, name: "b" },
    { path, mode: "shadow" as const },
  ]);
  const message = "another module is called a already: give each a `name` of its own";
  expect(faults).toEqual([{ path: ["modules", 2, "path"], message }]);
});

test("a thread that ends while it sets up is tried again with growing pauses, and its calls fail at once", async () => {
  const text = `let failed = 0; export default {
    setup() { if (!fs.existsSync(${JSON.stringify(`${folder.root}/may-live`)})) process.exit(1); },
    callbacks: { user_may_invite: () => "alive" } };`;
  const path = folder.write("dies.ts", `import fs from "node:fs"; ${text}`);
  await load([{ path, isolated: true }, plain("beside", "return NOT_SPAM;")]);
  await logged("another takes its place in 1 s");
  expect(await errorOf(ask(["dies"]))).toMatchObject({ code: -32003, data: { module: "dies" } });
  expect(await ask(["beside"])).toMatchObject({ answer: "NOT_SPAM" });
  folder.write("may-live", "");
  await logged("the thread of dies is back");
  expect(await ask(["dies"])).toMatchObject({ answer: "alive" });
}, 15_000);

test("setups of threads are told with the others", async () => {
  const fails = folder.write(
    "fails.ts",
    'export default { setup() { throw new Error("no list"); }, callbacks: { user_may_invite() {} } };',
  );
  const pulses: { not_set_up: string[]; threads: { modules: string[] }[] }[] = [];
  host.shim.onNotification("pulse", (pulse) => void pulses.push(pulse));
  await load([
    { path: fails, mode: "shadow" as const },
    { path: fails, name: "too", isolated: true },
    shadow("fine", ""),
  ]);
  expect(await host.shim.sendRequest("set_up", {})).toEqual({
    failed: { fails: "Error: no list", too: "Error: no list" },
  });
  await waitFor("the setups", () => pulses.at(-1)?.not_set_up.join() === "too,fails");
  expect(pulses.at(-1)?.threads.map(({ modules }) => modules)).toEqual([["too"], ["fails", "fine"]]);
});

test("what a thread works on when the input ends is finished and answered", async () => {
  await load([
    isolated(
      "slow",
      "await new Promise((go) => setTimeout(go, 200)); context.log.info('done'); return Codes.FORBIDDEN;",
    ),
  ]);
  const answers = [ask(["slow"]), ask(["slow"])];
  host.closeInput();
  for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ answer: "M_FORBIDDEN" });
  expect(await host.ended).toBe(0);
  expect(host.records("log").filter(({ msg }) => msg === "done")).toHaveLength(2);
});

test("with `debug`, a thread may stand still, as at a breakpoint, and then goes on", async () => {
  const still = `for (const end = Date.now() + ${LIMITS.thread_blocked_ms + 1_000}; Date.now() < end; ); return NOT_SPAM;`;
  await load([isolated("paused", still)], { debug: true });
  expect(await ask(["paused"], { time_left_ms: 60_000 })).toMatchObject({ answer: "NOT_SPAM" });
});

test("a handler that hangs in a thread, and one that blocks it, do not keep the process from ending", async () => {
  await load([
    isolated("hangs", "context.log.info('hanging'); return new Promise(() => {});"),
    isolated("blocks", "context.log.info('blocking'); for (;;);"),
  ]);
  for (const name of ["hangs", "blocks"]) void ask([name]).catch(() => {});
  await logged("hanging");
  await logged("blocking");
  const began = performance.now();
  host.closeInput();
  await host.ended;
  expect(performance.now() - began).toBeLessThan(4_000);
});

test("what is printed and logged in a thread carries the module's name, and a flood is dropped, counted and bounded", async () => {
  const print =
    "console.log('out'); process.stderr.write('err\\n'); context.log.info({ a: 1 }, 'logged'); return NOT_SPAM;";
  const flood = "for (let i = 0; i < 20_000; i++) context.log.info('x'.repeat(1_000)); return NOT_SPAM;";
  await load([
    isolated("prints", print),
    shadow("floods", flood),
    shadow("other", "context.log.info('heard'); return NOT_SPAM;"),
  ]);
  await ask(["prints"]);
  await waitFor("what was printed", () => host.records("printed").length === 2);
  expect(host.records("printed")).toEqual(
    [
      { module: "prints", request: "REQ-1", text: "out" },
      { module: "prints", request: null, text: "err" },
    ].map((record) => expect.objectContaining({ module: record.module, text: record.text })),
  );
  expect(await logged("logged")).toMatchObject({ module: "prints", request: "REQ-1", a: 1 });
  await ask(["floods"]);
  await ask(["other"]);
  expect(await logged("heard")).toMatchObject({ module: "other" });
  await waitFor("word of dropped lines", () => host.records("dropped").length > 0);
  const lost = host.records("dropped").reduce((sum, { lines }) => sum + Number(lines), 0);
  expect(lost).toBeGreaterThan(0);
  await waitFor(
    "each line, or word of it",
    () =>
      host.records("log").filter(({ module }) => module === "floods").length +
        host.records("dropped").reduce((sum, { lines }) => sum + Number(lines), 0) ===
      20_000,
  );
  observed(74, { on: "real host", outcome: "in the log, under the module's name" });
});

test("what Node refuses in a thread is an error of the module's", async () => {
  await load([
    isolated(
      "tries",
      `try { ${BAD} process.abort(); process.chdir("/"); } catch (error) { return error.code; }`,
    ),
  ]);
  expect(await ask(["tries"])).toMatchObject({ answer: "ERR_WORKER_UNSUPPORTED_OPERATION" });
  expect(await ask(["tries"], bad)).toMatchObject({ answer: "ERR_WORKER_UNSUPPORTED_OPERATION" });
});

test("nothing of a password is told where a thread dies that is asked with some", async () => {
  const path = folder.write(
    "login.ts",
    `export default { callbacks: { check_3pid_auth({ password }) { Promise.reject(new Error(password)); return new Promise(() => {}); } } };`,
  );
  await load([{ path, isolated: true }]);
  const params = { medium: "email", address: "a@b", password: "canary7f3a" };
  const asked = { call: 1, modules: ["login"], params, request: null };
  const error = await errorOf(host.shim.sendRequest("callback/check_3pid_auth", asked));
  expect(error).toMatchObject({ data: { cause: "a rejected promise was not handled" } });
  await logged("the thread of login has ended");
  expect(JSON.stringify([error, host.records("log"), host.stderr()])).not.toContain("canary7f3a");
  expect(host.records("log")).toContainEqual(
    expect.objectContaining({
      module: "login",
      err: expect.objectContaining({ stack: expect.stringContaining("login.ts:1") }),
    }),
  );
});

test("many restarts leave nothing behind", async () => {
  const names = ["a", "b", "c", "d"];
  await load(names.map((name) => isolated(name, `${BAD} process.exit(1); return NOT_SPAM;`)));
  const round = async () => {
    for (const name of names) {
      await errorOf(ask([name], bad));
      expect(await ask([name])).toMatchObject({ answer: "NOT_SPAM" });
    }
  };
  const open = () => ["fd", "task"].map((kind) => readdirSync(`/proc/${host.child.pid}/${kind}`).length);
  for (let warmUp = 0; warmUp < 2; warmUp++) await round();
  const before = open();
  for (let more = 0; more < 6; more++) await round();
  await waitFor("all to be closed", () => open().every((count, kind) => count <= (before[kind] ?? 0)));
  expect(
    host
      .records("log")
      .filter(({ level }) => level === 40 || level === 60)
      .map(({ msg }) => msg),
  ).not.toContainEqual(expect.stringContaining("listeners"));
  expect(host.stderr()).not.toContain("Warning");
  observed(75, { on: "real host", outcome: "24 ends: descriptors and threads as before" });
}, 60_000);

test("a native addon works in several threads at once, and in each that comes after", async () => {
  const addon = createRequire(import.meta.url).resolve("unrs-resolver");
  const before = `import { createRequire } from "node:module"; const native = createRequire("/")(${JSON.stringify(addon)});`;
  const body = `${BAD} process.exit(1); return typeof native.ResolverFactory;`;
  await load([plain("main", body, before), isolated("own", body, before), shadow("shadow", body, before)]);
  for (const name of ["main", "own", "shadow"])
    expect(await ask([name])).toMatchObject({ answer: "function" });
  for (const name of ["own", "shadow"]) {
    await errorOf(ask([name], bad));
    expect(await ask([name])).toMatchObject({ answer: "function" });
  }
});

test("a thread that comes later, and one for suspects, run what was loaded, whatever lies on disk now", async () => {
  const text = (word: string) =>
    moduleOf(
      "user_may_invite",
      `${BAD} process.exit(1); return word + "${word}";`,
      'import { word } from "./word.ts";',
    );
  const write = (word: string) => {
    folder.write("kept/word.ts", `export const word = "${word}";`);
    return folder.write("kept/main.ts", text(word));
  };
  const path = write("old");
  await load([{ path }, { path, name: "own", isolated: true }]);
  write("new");
  await errorOf(ask(["own"], bad));
  expect(await ask(["own"])).toMatchObject({ answer: "oldold" });
  expect(await ask(["main"], { apart: { linger_ms: 0 } })).toMatchObject({ answer: "oldold" });
  rmSync(path);
  await errorOf(ask(["own"], bad));
  expect(await ask(["own"])).toMatchObject({ answer: "oldold" });
});
