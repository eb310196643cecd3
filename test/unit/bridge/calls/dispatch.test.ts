// A chain of modules: who is asked, whose answer counts, and how a failure is told.
import { describe, expect, test } from "@jest/globals";
import { rig } from "../each-rig.js";
import { errorOf } from "../rig.js";
import { event, INVITE } from "../samples.js";
import { asked, load } from "./chain.js";

/** What modules had logged for them at a level: the module, the request and the message. */
const logged = (level: number) =>
  rig.lines.filter((line) => line.level === level).map(({ module, request, msg }) => [module, request, msg]);

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

  test("and where nobody is asked, the answer is null if no answer passes", async () => {
    await load("on_legacy_renew", "return [true, false, 5];");
    expect(await rig.callback("on_legacy_renew", { renewal_token: "x" }, [])).toEqual({
      answer: null,
      module: null,
      asked: [],
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
    expect(answer.asked).toMatchObject([{ failed: true }, { failed: true }, { module: "c" }]);
    expect(answer.asked[2]).not.toHaveProperty("failed");
    const name = "on_user_deactivation_status_changed";
    expect(logged(50)).toEqual([
      ["a", "REQ-1", `a: ${name} threw Error: oops`],
      ["b", "REQ-1", `${name}: b: 400 M_UNKNOWN: no`],
    ]);
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
    expect(logged(40)).toEqual([
      ["a", "REQ-1", "a: SynapseError: additional_fields may not hold msg: left out"],
    ]);
    expect(logged(50)).toEqual([]);
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
    const message = expect.stringMatching(/^a: user_may_invite answered 42; /);
    expect(logged(50)).toEqual([["a", "REQ-1", message]]);
  });

  test("that threw a SynapseError which is none", async () => {
    const names = await load(
      "user_may_invite",
      "throw Object.assign(new SynapseError(403, 'no'), { code: 7 });",
    );
    const message = "a: user_may_invite threw a SynapseError whose code, msg or errcode is not valid";
    expect(await errorOf(rig.callback("user_may_invite", INVITE, names))).toMatchObject({
      code: -32002,
      message,
      data: { module: "a", kind: "threw" },
    });
    expect(logged(50)).toEqual([["a", "REQ-1", message]]);
  });

  test("that answered a login with what is no user", async () => {
    const names = await load("check_3pid_auth", "return 'alice';");
    const params = { medium: "email", address: "a@b", password: "p" };
    expect(await errorOf(rig.callback("check_3pid_auth", params, names))).toMatchObject({
      code: -32002,
      message: expect.stringContaining("is not the full id of a user of this server"),
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

  test("that has not declared the callback", async () => {
    const names = await load("user_may_invite", "return NOT_SPAM;");
    const params = { user: "@a:b", room: "!r", is_invited: false };
    expect(await errorOf(rig.callback("user_may_join_room", params, names))).toMatchObject({
      code: -32003,
      message: "a: the host has no module that answers user_may_join_room",
    });
  });
});

test("a call for an entry of a callback that has no list is answered by no module", async () => {
  const modules = await load("user_may_invite", "return NOT_SPAM;");
  const call = { call: 1, modules, params: INVITE, request: null, entry: 0 };
  expect(await errorOf(rig.shim.sendRequest("callback/user_may_invite", call))).toMatchObject({
    code: -32003,
    message: "a: the host has no module that answers user_may_invite",
  });
});

test("a function in an answer is a fault where nothing is run later", async () => {
  const names = await load("on_legacy_admin_request", "return [1, () => {}];");
  const request = { method: "GET", url: "http://localhost/a", headers: [], body: "" };
  expect(await errorOf(rig.callback("on_legacy_admin_request", { request }, names))).toMatchObject({
    code: -32002,
    data: { module: "a", kind: "answer" },
  });
});

test("a warning about an answer names the module and the request", async () => {
  const names = await load("user_may_invite", "return [Codes.FORBIDDEN, { msg: 1 }];");
  await rig.callback("user_may_invite", INVITE, names);
  expect(logged(40)).toEqual([
    ["a", "REQ-1", "a: user_may_invite: the fields beside a code may not hold msg: left out"],
  ]);
});
