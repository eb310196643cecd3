// A module that runs in a thread: what its thread is asked, and what becomes of the thread's reply.
import { performance } from "node:perf_hooks";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { CancellationTokenSource, ResponseError } from "vscode-jsonrpc/node";
import { type AskThread, dispatch } from "../../../../bridge/calls/dispatch.js";
import { FollowUps } from "../../../../bridge/calls/follow-ups.js";
import { type Callback, catalogue } from "../../../../bridge/catalogue/catalogue.js";
import type { Call, Reply } from "../../../../bridge/catalogue/protocol.js";
import { CallError } from "../../../../bridge/transport/call-error.js";
import { Cancellation } from "../../../../bridge/transport/cancellation.js";
import { INVITE } from "../samples.js";

let source: CancellationTokenSource;
let cancellation: Cancellation;
/** Errors that nobody waits for. */
let unseen: CallError[];
beforeEach(() => {
  unseen = [];
  source = new CancellationTokenSource();
  cancellation = new Cancellation(source.token);
});
afterEach(() => void jest.restoreAllMocks());

/** Asks modules of which each has a thread that replies in this way. No thread has a module that is not listed. */
function ask(
  name: string,
  threads: Record<string, (call: Call) => Promise<unknown>>,
  call: Partial<Call> & { params: Call["params"] },
  askThread: AskThread | undefined = (module, _, asked) => threads[module]?.(asked) as Promise<Reply>,
): Promise<Reply> {
  const callback = catalogue().callbacks.get(name) as Callback;
  const whole = { call: 7, modules: Object.keys(threads), request: "REQ-1", ...call };
  return dispatch(callback, whole, cancellation, {
    catalogue: catalogue(),
    modules: new Map(),
    stateOf: () => ({ get: async () => [], keys: async () => [] }),
    handles: new WeakMap(),
    followUps: new FollowUps(),
    askThread,
    onNotifyError: (error) => unseen.push(error),
  });
}

/** A thread whose module answers with this. */
const answering = (answer: unknown) => async (): Promise<Reply> => ({ answer, module: "m", asked: [] });

describe("a thread is asked", () => {
  test("for its own module alone, with all else that the call has", async () => {
    const asked: unknown[] = [];
    const askThread: AskThread = async (...question) => {
      asked.push(question);
      return { answer: "NOT_SPAM", module: null, asked: [] };
    };
    const call = { params: INVITE, modules: ["a", "b"], entry: 3 };
    await ask("user_may_invite", {}, call, askThread);
    const question = { call: 7, params: INVITE, request: "REQ-1", entry: 3 };
    expect(asked).toStrictEqual([
      ["a", "user_may_invite", { ...question, modules: ["a"] }, cancellation],
      ["b", "user_may_invite", { ...question, modules: ["b"] }, cancellation],
    ]);
  });

  test("with the time that the modules before it have left", async () => {
    let now = 1_000;
    jest.spyOn(performance, "now").mockImplementation(() => now);
    const left: unknown[] = [];
    const taking = (ms: number) => async (call: Call) => {
      left.push(call.time_left_ms);
      now += ms;
      return { answer: "NOT_SPAM", module: null, asked: [] };
    };
    const threads = { a: taking(20.0004), b: taking(30.5), c: taking(0) };
    const { asked } = await ask("user_may_invite", threads, { params: INVITE, time_left_ms: 100 });
    expect(left).toEqual([100, 80, 49.5]);
    expect(asked).toEqual([
      { module: "a", ms: 20 },
      { module: "b", ms: 30.5 },
      { module: "c", ms: 0 },
    ]);
  });
});

test("the answer of a thread counts as that of a module without one", async () => {
  const threads = { a: answering("NOT_SPAM"), b: answering("M_FORBIDDEN"), c: answering("M_UNKNOWN") };
  const reply = await ask("user_may_invite", threads, { params: INVITE });
  const asked = ["a", "b"].map((module) => ({ module, ms: expect.any(Number) }));
  expect(reply).toStrictEqual({ answer: "M_FORBIDDEN", module: "b", asked });
});

test("where all pass, the first value that passes is the answer, of no module", async () => {
  const threads = { a: answering(true), b: answering("NOT_SPAM") };
  expect(await ask("user_may_invite", threads, { params: INVITE })).toMatchObject({
    answer: "NOT_SPAM",
    module: null,
  });
  expect(await ask("on_legacy_renew", {}, { params: {} })).toStrictEqual({
    answer: null,
    module: null,
    asked: [],
  });
});

test("the reason of a thread is that of the module that decides", async () => {
  const given = (answer: string, text: string) => async (): Promise<Reply> => ({
    ...{ answer, module: "m", asked: [], given_reason: { text } },
  });
  const threads = { a: given("NOT_SPAM", "one"), b: given("M_FORBIDDEN", "two") };
  const { given_reason } = await ask("user_may_invite", threads, { params: INVITE });
  expect(given_reason).toEqual({ text: "two" });
});

test("a notification goes on to the module after the one that has failed in its thread", async () => {
  const failing = async (): Promise<Reply> => ({
    ...{ answer: null, module: null },
    asked: [{ module: "a", ms: 1, failed: true }],
  });
  const threads = { a: failing, b: answering(null) };
  const { asked } = await ask("on_profile_update", threads, { params: {} });
  expect(asked).toEqual([
    { module: "a", ms: expect.any(Number), failed: true },
    { module: "b", ms: expect.any(Number) },
  ]);
  const message = "a: on_profile_update failed in its thread";
  expect(unseen).toMatchObject([{ kind: "module_fault", message, data: { module: "a", kind: "threw" } }]);
});

describe("edits of a module in a thread", () => {
  const edit = (...threads: ((call: Call) => Promise<unknown>)[]) => {
    const request_content = JSON.parse('{ "name": "den", "topic": "tea" }');
    const named = Object.fromEntries(
      threads.map((thread, index) => [String.fromCharCode(97 + index), thread]),
    );
    return ask("on_create_room", named, { params: { request_content } });
  };

  test("replace all that the modules edit, whatever the keys are", async () => {
    const edited = JSON.parse('{ "topic": "tea", "__proto__": { "x": 1 }, "seen": [1] }');
    const reply = await edit(answering(edited));
    expect(JSON.stringify(reply.answer)).toBe(JSON.stringify(edited));
    expect(reply.module).toBe("a");
    // A module after it may go on.
    Object.assign(reply.answer as object, { topic: "milk" });
    expect(reply.answer).toMatchObject({ topic: "milk" });
  });

  test("are seen, changed and removed by the module after it", async () => {
    const seen: unknown[] = [];
    const { answer, module } = await edit(answering({ name: "cave", topic: "milk" }), async ({ params }) => {
      seen.push(JSON.stringify(params.request_content));
      const { name } = params.request_content as { name: string };
      return { answer: { name: `${name}!` }, module: "b", asked: [] };
    });
    expect(seen).toEqual(['{"name":"cave","topic":"milk"}']);
    expect([answer, module]).toEqual([{ name: "cave!" }, "b"]);
  });

  test("are none where the module has edited nothing", async () => {
    const nothing = async () => ({ answer: null, module: null, asked: [] });
    const unnamed = async () => ({ answer: { name: "cave" }, module: null, asked: [] });
    expect(await edit(unnamed)).toMatchObject({ answer: null, module: null });
    expect(await edit(nothing)).toMatchObject({ answer: null, module: null });
    const reply = await edit(nothing, answering({ name: "cave" }), nothing);
    expect(reply).toMatchObject({ answer: { name: "cave" }, module: "b" });
  });

  test.each([[["den"]], ["den"], [null], [5]])(
    "are ignored where there is no object to edit: %j",
    async (value) => {
      const params = { request_content: structuredClone(value) };
      const reply = await ask("on_create_room", { a: answering({ name: "cave" }) }, { params });
      expect(reply).toMatchObject({ answer: null, module: null });
      expect(params.request_content).toEqual(value);
    },
  );

  test("are ignored where they are no object", async () => {
    for (const answer of [["cave"], "cave", null, undefined])
      expect(await edit(answering(answer))).toMatchObject({ answer: null, module: null });
  });
});

describe("a thread that does not answer", () => {
  const failing = (code: number, data?: object) => async () => {
    // Of its own, as from a thread: what dispatch notes in it is compared with the test's.
    throw new ResponseError(code, "why", structuredClone(data));
  };
  const failure = async (asking: Promise<unknown>): Promise<unknown> =>
    asking.then(
      () => new Error("there was an answer"),
      (error) => error,
    );

  test.each([
    ["module_fault", -32002, { module: "b", kind: "threw" }],
    ["synapse_error", -32001, { module: "b", code: 403, msg: "no" }],
    ["module_ended", -32014, { module: "b", cause: "x", began: true }],
    ["module_ended", -32014, { module: null, cause: "x", began: true }],
    ["module_unavailable", -32003, { module: "b" }],
  ])("fails the call as its module does: %s", async (kind, code, data) => {
    const threads = { a: answering("NOT_SPAM"), b: failing(code, data), c: answering("NOT_SPAM") };
    const error = await failure(ask("user_may_invite", threads, { params: INVITE }));
    expect(error).toBeInstanceOf(CallError);
    expect(error).toMatchObject({
      kind,
      message: "why",
      data: { ...data, asked: [{ module: "a" }, { module: "b" }] },
    });
  });

  test("names the module that was running when the call was cancelled", async () => {
    const threads = { a: answering("NOT_SPAM"), b: failing(-32800) };
    const error = await failure(ask("user_may_invite", threads, { params: INVITE }));
    expect(error).toMatchObject({
      kind: "cancelled",
      data: { module: "b", asked: [{ module: "a" }, { module: "b" }] },
    });
  });

  test.each([new Error("broken"), null])(
    "fails the call with what the protocol does not know, as it is: %p",
    async (broken) => {
      const breaking = async () => {
        throw broken;
      };
      expect(await failure(ask("user_may_invite", { a: breaking }, { params: INVITE }))).toBe(broken);
      const news = ask("on_threepid_bind", { a: breaking, b: answering(null) }, { params: {} });
      expect(await failure(news)).toBe(broken);
    },
  );

  test("keeps news from no other module, but a cancelled call does", async () => {
    const params = { user_id: "@a:b" };
    const threads = {
      a: failing(-32002, { module: "a", kind: "threw" }),
      b: failing(-32003),
      c: answering(null),
    };
    const reply = await ask("on_threepid_bind", threads, { params });
    expect(reply).toMatchObject({ answer: null, module: null });
    expect(reply.asked.map(({ module }) => module)).toEqual(["a", "b", "c"]);
    const error = await failure(
      ask("on_threepid_bind", { a: failing(-32800), b: answering(null) }, { params }),
    );
    expect(error).toMatchObject({ kind: "cancelled", data: { module: "a", asked: [{ module: "a" }] } });
  });

  test("tells that the thread has ended, also of news, which may be what has ended it", async () => {
    const threads = { a: answering(null), b: failing(-32014, { module: "b" }), c: answering(null) };
    const error = await failure(ask("on_threepid_bind", threads, { params: { user_id: "@a:b" } }));
    const asked = [{ module: "a" }, { module: "b" }];
    expect(error).toMatchObject({ kind: "module_ended", data: { module: "b", asked } });
  });

  test("is missed where no thread has the module, or there are no threads", async () => {
    const call = { params: INVITE, modules: ["gone"] };
    for (const askThread of [() => undefined, null]) {
      const error = await failure(ask("user_may_invite", {}, call, askThread as AskThread));
      expect(error).toMatchObject({
        kind: "module_unavailable",
        message: "gone: the host has no module that answers user_may_invite",
        data: { module: "gone", asked: [{ module: "gone" }] },
      });
    }
  });
});

test("no thread is asked any more once the call is cancelled", async () => {
  const cancelling = async () => {
    source.cancel();
    return { answer: "NOT_SPAM", module: null, asked: [] };
  };
  const threads = { a: cancelling, b: answering("M_FORBIDDEN") };
  await expect(ask("user_may_invite", threads, { params: INVITE })).rejects.toMatchObject({
    kind: "cancelled",
    data: { asked: [{ module: "a" }] },
  });
});
