// Calls that are asked apart: in a thread made for them, one at a time, watched for a while after the answer.
import { expect, test } from "@jest/globals";
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import { ask, folder, host, inviting, load, start, stop } from "../real-host.js";
import { errorOf } from "../rig.js";
import { INVITE } from "../samples.js";

const THREAD = `import { threadId } from "node:worker_threads";`;
const BAD = `if (params.room_id === "!bad")`;
const bad = { params: { ...INVITE, room_id: "!bad" } };
const apart = { apart: { linger_ms: 50 } };
const module = (name: string, body: string, before = "") => ({ path: inviting(name, body, before) });

test("the whole call is asked in one thread, in order, which is kept for the next", async () => {
  await load([
    module("a", "api.first ??= threadId; return NOT_SPAM;", `${THREAD} const api: any = {};`),
    module("b", "return String(threadId);", THREAD),
    { ...module("own", "return NOT_SPAM;"), isolated: true },
  ]);
  expect(await ask(["a", "b"])).toMatchObject({ answer: "0" });
  const first = await ask(["a", "own", "b"], apart);
  expect(first).toMatchObject({ module: "b", asked: [{ module: "a" }, { module: "own" }, { module: "b" }] });
  expect(first.answer).not.toBe("0");
  expect(await ask(["b"], apart)).toMatchObject({ answer: first.answer });
});

test("modules are set up in it, and use the api", async () => {
  host.shim.onRequest("api/check_user_exists", () => "@a:example.org");
  const text = `export default {
    setup: ({ api }) => api.check_user_exists({ user_id: "@b:c" }),
    callbacks: { user_may_invite: async (_, { data, api }) => data + (await api.check_user_exists({ user_id: "@a:b" })) },
  };`;
  await load([{ path: folder.write("setting.ts", text) }]);
  expect(await ask(["setting"], apart)).toMatchObject({ answer: "@a:example.org@a:example.org" });
});

test("a broadcast reaches the module in it and on the main thread, and ends no turn", async () => {
  const text = `export default {
    setup: () => ({ got: "nothing" }),
    broadcasts: { t(value, { data }) { data.got = value; } },
    callbacks: { user_may_invite: (_, { data }) => data.got },
  };`;
  await load([{ path: folder.write("told.ts", text) }]);
  expect(await ask(["told"], apart)).toMatchObject({ answer: "nothing" });
  const told = await host.shim.sendRequest("broadcast", { module: "told", topic: "t", value: "news" });
  expect(told).toEqual({ outcome: "done" });
  expect(await ask(["told"])).toMatchObject({ answer: "news" });
  expect(await ask(["told"], apart)).toMatchObject({ answer: "news" });
});

test.each([
  ["process.exit", `${BAD} process.exit(3);`, "it called process.exit(3)"],
  [
    "an error in a timer",
    `${BAD} { setTimeout(() => { throw new Error("stray"); }, 1); await new Promise(() => {}); }`,
    "an error was not caught",
  ],
  ["a blocked loop", `${BAD} for (;;);`, /^event loop blocked for [01]\.\d s$/],
  ["native code", `${BAD} execSync("sleep 3");`, /^event loop blocked for [01]\.\d s$/],
])("%s is told with the module that was running, and costs nobody else anything", async (_, body, cause) => {
  const before = `import { execSync } from "node:child_process"; ${THREAD}`;
  await load([module("a", "return NOT_SPAM;"), module("b", `${body} return String(threadId);`, before)]);
  const beside = ask(["a"]);
  const error = await errorOf(ask(["a", "b"], { ...apart, ...bad, time_left_ms: 2_000 }));
  expect(error).toMatchObject({
    code: -32014,
    data: {
      module: "b",
      began: true,
      cause: typeof cause === "string" ? cause : expect.stringMatching(cause),
    },
  });
  expect(await beside).toMatchObject({ answer: "NOT_SPAM" });
  const fresh = await ask(["a", "b"], apart);
  expect(fresh).toMatchObject({ module: "b" });
  expect(await ask(["b"])).toMatchObject({ answer: "0" });
});

test("a crash soon after the answer is told in its place", async () => {
  const body = `${BAD} setTimeout(() => { throw new Error("late"); }, 20); return NOT_SPAM;`;
  await load([module("a", "return NOT_SPAM;"), module("b", body)]);
  const late = { apart: { linger_ms: 500 }, ...bad };
  expect(await errorOf(ask(["a", "b"], late))).toMatchObject({ code: -32014, data: { module: "b" } });
  expect(await ask(["a", "b"], { ...apart })).toMatchObject({ answer: "NOT_SPAM" });
});

test("calls come one after the other, and who gives up does not let the next one go before", async () => {
  await load([
    module(
      "a",
      "running++; const seen = running; await new Promise((go) => setTimeout(go, 30)); running--; return String(seen);",
      "let running = 0;",
    ),
  ]);
  const source = new CancellationTokenSource();
  const first = ask(["a"], apart);
  const given = host.shim.sendRequest(
    "callback/user_may_invite",
    { call: 2, modules: ["a"], params: INVITE, request: null, ...apart },
    source.token,
  );
  const third = ask(["a"], apart);
  source.cancel();
  expect(await errorOf(given)).toMatchObject({ code: -32800 });
  expect(await first).toMatchObject({ answer: "1" });
  expect(await third).toMatchObject({ answer: "1" });
});

const setting = (name: string, setup: string, before = "") => ({
  path: folder.write(
    `setting/${name}.ts`,
    `${before}
    export default { async setup({ log }) { ${setup} }, callbacks: { user_may_invite: () => "M_FORBIDDEN" } };`,
  ),
});
const setUpApart = (modules: string[], linger_ms = 0) =>
  host.shim.sendRequest("set_up_apart", { modules, linger_ms });
const NOT_HERE = `import { isMainThread } from "node:worker_threads";`;

test.each([
  [
    "takes a socket for itself",
    `createServer().listen("${folder.root}/socket");`,
    "",
    "not caught) in setting",
  ],
  ["ends what it runs in", "if (!isMainThread) process.exit(3);", "", "it called process.exit(3)"],
  ["fails the second time", 'if (!isMainThread) throw new Error("one is enough");', "", "one is enough"],
  ["is loaded by a thread that ends of it", "", "if (!isMainThread) process.exit(4);", "process.exit(4)"],
  ["is loaded by a thread that fails", "", 'if (!isMainThread) throw new Error("no");', "no"],
])("nobody is told to have ended the thread where a module %s", async (_, setup, before, why) => {
  const imports = `${NOT_HERE} import { createServer } from "node:net";`;
  await load([module("a", "return NOT_SPAM;"), setting("setting", setup, `${imports} ${before}`)]);
  const unavailable = { code: -32003, message: expect.stringContaining(why) };
  expect(await errorOf(setUpApart(["a", "setting"]))).toMatchObject(unavailable);
  for (let round = 0; round < 2; round++)
    expect(await errorOf(ask(["a", "setting"], apart))).toMatchObject(unavailable);
  // Neither is anybody else concerned.
  expect(await setUpApart(["a"])).toEqual({ ended: null });
  expect(await ask(["a"], apart)).toMatchObject({ answer: "NOT_SPAM" });
  expect(await ask(["setting"])).toMatchObject({ answer: "M_FORBIDDEN" });
});

test("nobody is told to have ended a thread that runs out of memory while it loads", async () => {
  await stop();
  start(["--max-old-space-size=64"]);
  const fills = "if (!isMainThread) { const all = []; for (;;) all.push(new Array(1000).fill(1.5)); }";
  await load([setting("fills", "", `${NOT_HERE} ${fills}`)]);
  expect(await errorOf(ask(["fills"], apart))).toMatchObject({
    code: -32003,
    message: expect.stringContaining("out of memory"),
  });
});

test("a thread is watched for a while before it is of use, if that is wished", async () => {
  await load([setting("late", "if (!isMainThread) setTimeout(() => process.exit(5), 300);", NOT_HERE)]);
  expect(await setUpApart(["late"])).toEqual({ ended: null });
  expect(await errorOf(setUpApart(["late"], 1_000))).toMatchObject({ code: -32003 });
});

test("a thread that ends between two calls is told of with the next that is made, once", async () => {
  const body = `${BAD} setTimeout(() => { throw new Error("late"); }, 20); return NOT_SPAM;`;
  await load([module("a", body)]);
  expect(await ask(["a"], { apart: { linger_ms: 0 }, ...bad })).toMatchObject({ answer: "NOT_SPAM" });
  let told: unknown = null;
  for (let look = 0; look < 500 && told === null; look++)
    ({ ended: told } = (await setUpApart(["a"], 5)) as { ended: unknown });
  expect(told).toEqual({ module: "a", cause: "an error was not caught" });
  expect(await setUpApart(["a"])).toEqual({ ended: null });
  // What is told with the call is told.
  const late = { apart: { linger_ms: 500 }, ...bad };
  expect(await errorOf(ask(["a"], late))).toMatchObject({ code: -32014, data: { began: true } });
  expect(await setUpApart(["a"])).toEqual({ ended: null });
});

test("a setup that takes longer than those who wait for it goes on for the next", async () => {
  const setup = 'log.info("begun"); await new Promise((go) => setTimeout(go, 700));';
  await load([setting("patient", setup)]);
  const begun = () => host.records("log").filter(({ msg }) => msg === "begun").length;
  await ask(["patient"]);
  for (const method of ["callback/user_may_invite", "set_up_apart"]) {
    const source = new CancellationTokenSource();
    const call = { call: 2, modules: ["patient"], params: INVITE, request: null, linger_ms: 0, ...apart };
    const given = host.shim.sendRequest(method, call, source.token);
    setTimeout(() => source.cancel(), 100);
    expect(await errorOf(given)).toMatchObject({ code: -32800 });
  }
  expect(await setUpApart(["patient"])).toEqual({ ended: null });
  expect(await ask(["patient"], apart)).toMatchObject({ answer: "M_FORBIDDEN" });
  // Here, and in the one thread.
  expect(begun()).toBe(2);
});

test("what a module answers with is as ever: an error, a fault", async () => {
  await load([module("a", `${BAD} throw new SynapseError(418, "no"); throw new Error("oh");`)]);
  expect(await errorOf(ask(["a"], { ...apart, ...bad }))).toMatchObject({
    code: -32001,
    data: { code: 418 },
  });
  expect(await errorOf(ask(["a"], apart))).toMatchObject({
    code: -32002,
    data: { module: "a", kind: "threw" },
  });
});
