// A chain of modules behind one connection: who is asked, whose answer counts, and what each gets.
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { connect, errorOf, event, INVITE, moduleOf, type Rig, temporaryFolder } from "./rig.js";

const folder = temporaryFolder();
let rig: Rig;
beforeEach(() => {
  rig = connect();
});
afterEach(() => rig.hangUp());
afterAll(() => folder.remove());

let count = 0;
/** Modules `a`, `b`, ... that answer one callback with these function bodies. */
async function load(callback: string, ...bodies: string[]): Promise<string[]> {
  count++;
  const names = bodies.map((_, index) => String.fromCharCode(97 + index));
  await rig.load(
    bodies.map((body, index) => ({
      path: folder.write(`${count}/${names[index]}.ts`, moduleOf(callback, body)),
    })),
  );
  return names;
}

const asked = (answer: { asked: { module: string }[] }) => answer.asked.map(({ module }) => module);

describe("modules are asked in order", () => {
  test("until one objects", async () => {
    const names = await load(
      "user_may_invite",
      "return NOT_SPAM;",
      "return true;",
      "return Codes.FORBIDDEN;",
      "throw new Error('never');",
    );
    const answer = await rig.callback("user_may_invite", INVITE, names);
    expect(answer).toMatchObject({ answer: "M_FORBIDDEN", module: "c" });
    expect(asked(answer)).toEqual(["a", "b", "c"]);
    for (const { ms } of answer.asked) expect(ms).toBeGreaterThanOrEqual(0);
  });

  test("and when none does, the first passing value is the answer, of no module", async () => {
    const names = await load("user_may_invite", "return true;", "return NOT_SPAM;");
    expect(await rig.callback("user_may_invite", INVITE, names)).toMatchObject({
      answer: "NOT_SPAM",
      module: null,
    });
  });

  test("only those that the shim names", async () => {
    await load("user_may_invite", "return Codes.FORBIDDEN;", "return NOT_SPAM;");
    expect(await rig.callback("user_may_invite", INVITE, ["b"])).toMatchObject({
      answer: "NOT_SPAM",
      asked: [{ module: "b" }],
    });
  });

  test("until one replaces the event", async () => {
    const names = await load(
      "check_event_allowed",
      "return [true, null];",
      "return { content: { ...params.event.content, b: 1 } };",
      "return false;",
    );
    const answer = await rig.callback(
      "check_event_allowed",
      { event: event(), state_events: { events: [] } },
      names,
    );
    expect(answer).toMatchObject({
      answer: { content: { body: "hello", msgtype: "m.text", b: 1 } },
      module: "b",
    });
  });

  test("all of them for news, whatever becomes of one", async () => {
    const names = await load(
      "on_user_deactivation_status_changed",
      "throw new Error('oops');",
      "throw new SynapseError(400, 'no');",
      "return 7;",
    );
    const params = { user_id: "@a:b", deactivated: true, by_admin: false };
    const answer = await rig.callback("on_user_deactivation_status_changed", params, names);
    expect(answer).toMatchObject({ answer: null, module: null });
    expect(asked(answer)).toEqual(["a", "b", "c"]);
    const told = rig.lines.filter(({ level }) => level === 50).map(({ module, msg }) => `${module}: ${msg}`);
    expect(told).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^a: .*threw Error: oops/),
        expect.stringMatching(/^b: .*400 M_UNKNOWN: no/),
      ]),
    );
  });
});

describe("on_create_room", () => {
  const params = () => ({
    requester: {
      ...{
        user_id: "@alice:example.org",
        access_token_id: 1,
        is_guest: false,
        scope: [],
        shadow_banned: false,
      },
      ...{ device_id: null, app_service_id: null, authenticated_entity: "@alice:example.org" },
    },
    request_content: JSON.parse('{ "name": "den", "nested": { "list": [1] }, "__proto__": { "x": 1 } }'),
    is_requester_admin: false,
  });

  test("lets all modules edit one object", async () => {
    const names = await load(
      "on_create_room",
      "params.request_content.nested.list.push(2);",
      "params.request_content.seen = params.request_content.nested.list.length; delete params.request_content.name;",
    );
    const answer = await rig.callback("on_create_room", params(), names);
    expect(JSON.stringify(answer.answer)).toBe('{"nested":{"list":[1,2]},"__proto__":{"x":1},"seen":2}');
    expect(answer.module).toBe("b");
  });

  test("answers null where nothing was edited", async () => {
    const names = await load("on_create_room", "return { name: 'ignored' };");
    expect(await rig.callback("on_create_room", params(), names)).toMatchObject({
      answer: null,
      module: null,
    });
  });

  test("is refused by a SynapseError, after which nobody is asked", async () => {
    const names = await load(
      "on_create_room",
      "throw new SynapseError(403, 'no rooms', Codes.FORBIDDEN, { a: 1, msg: 'x' });",
      "return;",
    );
    expect(await errorOf(rig.callback("on_create_room", params(), names))).toMatchObject({
      code: -32001,
      data: {
        module: "a",
        code: 403,
        msg: "no rooms",
        errcode: "M_FORBIDDEN",
        additional_fields: { a: 1 },
        asked: [{ module: "a" }],
      },
    });
  });

  test("fails where a module left something that is not JSON", async () => {
    const names = await load("on_create_room", "params.request_content.when = new Date();");
    expect(await errorOf(rig.callback("on_create_room", params(), names))).toMatchObject({
      code: -32002,
      message: "a: on_create_room left something in request_content that is not JSON: when is a Date",
    });
  });
});

describe("a failure names the module", () => {
  test("that threw, with its stack in the log", async () => {
    const names = await load("user_may_invite", "return NOT_SPAM;", "throw new TypeError('oops');");
    expect(await errorOf(rig.callback("user_may_invite", INVITE, names))).toMatchObject({
      code: -32002,
      message: "b: user_may_invite threw TypeError: oops",
      data: { module: "b", kind: "threw", asked: [{ module: "a" }, { module: "b" }] },
    });
    expect(rig.lines).toContainEqual(
      expect.objectContaining({
        level: 50,
        module: "b",
        request: "REQ-1",
        err: expect.objectContaining({ message: "oops", stack: expect.stringContaining("b.ts") }),
      }),
    );
  });

  test.each([
    ["undefined", "throw undefined;", "a: user_may_invite threw undefined"],
    ["a string", "throw 'words';", "a: user_may_invite threw words"],
    ["null", "throw null;", "a: user_may_invite threw null"],
  ])("that threw %s", async (_, body, message) => {
    const names = await load("user_may_invite", body);
    expect(await errorOf(rig.callback("user_may_invite", INVITE, names))).toMatchObject({
      code: -32002,
      message,
    });
  });

  test("that gave an answer which does not fit", async () => {
    const names = await load("user_may_invite", "return 42;");
    expect(await errorOf(rig.callback("user_may_invite", INVITE, names))).toMatchObject({
      code: -32002,
      message: expect.stringMatching(/^a: user_may_invite answered 42; expected NOT_SPAM, Codes or/),
      data: { module: "a", kind: "answer" },
    });
  });

  test("that the host does not have", async () => {
    await load("user_may_invite", "return NOT_SPAM;");
    expect(await errorOf(rig.callback("user_may_invite", INVITE, ["gone"]))).toMatchObject({
      code: -32003,
      data: { module: "gone" },
    });
  });

  test("and parameters that do not fit are the shim's fault", async () => {
    const names = await load("user_may_invite", "return NOT_SPAM;");
    expect(await errorOf(rig.callback("user_may_invite", { ...INVITE, invitee: 3 }, names))).toMatchObject({
      code: -32602,
      message: "user_may_invite: params.invitee must be string",
    });
  });
});

describe("a handler gets", () => {
  test("frozen parameters", async () => {
    const names = await load(
      "check_event_for_spam",
      "'use strict'; try { params.event.content.deep.list.push(1); } catch (e) { return e.name; } return 'changed';",
    );
    const params = { event: event({ content: { deep: { list: [] } } }) };
    expect(await rig.callback("check_event_for_spam", params, names)).toMatchObject({ answer: "TypeError" });
  });

  test("a copy of its own of what Python lets modules change", async () => {
    const body =
      'const seen = JSON.stringify(params.room_config); params.room_config.list.push(1); return seen === \'{"list":[],"__proto__":{"a":1}}\' ? NOT_SPAM : seen;';
    const names = await load("user_may_create_room", body, body);
    const params = { user_id: "@a:b", room_config: JSON.parse('{ "list": [], "__proto__": { "a": 1 } }') };
    expect(await rig.callback("user_may_create_room", params, names)).toMatchObject({
      answer: "NOT_SPAM",
      module: null,
    });
  });

  test("a media file to read, while its callback runs", async () => {
    const file = folder.write("file.bin", "bytes");
    const body = `
      let streamed = "";
      for await (const chunk of params.file_wrapper.stream()) streamed += Buffer.from(chunk).toString();
      const read = Buffer.from(await params.file_wrapper.read()).toString();
      globalThis.keptFile = params.file_wrapper;
      return [params.file_wrapper.path, read, streamed].join(" ");`;
    const names = await load(
      "check_media_file_for_spam",
      body,
      "await globalThis.keptFile.read(); return NOT_SPAM;",
    );
    const params = {
      file_wrapper: { path: file },
      file_info: { server_name: null, file_id: "x", url_cache: false, thumbnail: null },
    };
    expect(await rig.callback("check_media_file_for_spam", params, ["a"])).toMatchObject({
      answer: `${file} bytes bytes`,
    });
    expect(await errorOf(rig.callback("check_media_file_for_spam", params, names.slice(1)))).toMatchObject({
      message: expect.stringContaining(
        "file_wrapper of check_media_file_for_spam was used after its handler had settled",
      ),
    });
  });

  test("its config, and a log with its name and the request's id", async () => {
    const path = folder.write(
      "context.ts",
      moduleOf(
        "user_may_invite",
        "context.log.info('from ' + Object.keys(context).join()); return context.config.word;",
      ),
    );
    await rig.load([{ path, config: { word: "configured" } }]);
    expect(await rig.callback("user_may_invite", INVITE, ["context"])).toMatchObject({
      answer: "configured",
    });
    expect(rig.lines).toContainEqual(
      expect.objectContaining({
        level: 30,
        module: "context",
        request: "REQ-1",
        msg: "from config,data,api,signal,log",
      }),
    );
  });
});

describe("a cancelled call", () => {
  test("aborts the signal and is over, though its handler hangs", async () => {
    const names = await load(
      "user_may_invite",
      "context.signal.onabort = () => context.log.info('aborted'); return new Promise(() => {});",
    );
    const { CancellationTokenSource } = await import("vscode-jsonrpc/node");
    const source = new CancellationTokenSource();
    const params = { call: 1, modules: names, params: INVITE, request: null };
    const answer = errorOf(rig.shim.sendRequest("callback/user_may_invite", params, source.token));
    await rig.callback("user_may_invite", INVITE, []);
    source.cancel();
    expect(await answer).toMatchObject({ code: -32800 });
    expect(rig.lines).toContainEqual(expect.objectContaining({ msg: "aborted" }));
  });

  test("asks nobody else", async () => {
    const names = await load(
      "user_may_invite",
      "await new Promise((go) => { context.signal.onabort = go; }); return NOT_SPAM;",
      "context.log.info('asked'); return NOT_SPAM;",
    );
    const { CancellationTokenSource } = await import("vscode-jsonrpc/node");
    const source = new CancellationTokenSource();
    const params = { call: 1, modules: names, params: INVITE, request: null };
    const answer = errorOf(rig.shim.sendRequest("callback/user_may_invite", params, source.token));
    await rig.callback("user_may_invite", INVITE, []);
    source.cancel();
    expect(await answer).toMatchObject({ code: -32800, data: { asked: [{ module: "a" }] } });
    await rig.callback("user_may_invite", INVITE, []);
    expect(rig.lines).not.toContainEqual(expect.objectContaining({ msg: "asked" }));
  });
});
