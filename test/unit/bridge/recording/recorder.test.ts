// What the host records of its modules: odd values, faults, deadlines, secrets, and what belongs to no call.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, expect, test } from "@jest/globals";
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import { catalogue } from "../../../../bridge/catalogue/catalogue.js";
import { whyUnrecorded } from "../../../../bridge/recording/format.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";
import { connect, moduleOf, type Rig } from "../rig.js";
import { event, INVITE } from "../samples.js";

// biome-ignore lint/suspicious/noExplicitAny: lines of JSON that each test looks at.
type Line = any;

const folder = temporaryFolder();
const recordings = folder.path("recordings");
afterAll(() => folder.remove());
let rig: Rig;
afterEach(() => {
  rig.hangUp();
  rmSync(recordings, { recursive: true, force: true });
});

const recordable = [...catalogue().callbacks.values()]
  .filter((one) => whyUnrecorded(one) === undefined)
  .map(({ name }) => name);

/** Answers requests of the api from a table. */
async function start(
  code: string,
  { answers = {}, callbacks = recordable }: { answers?: Record<string, unknown>; callbacks?: string[] } = {},
) {
  rig = connect();
  for (const [method, answer] of Object.entries(answers)) {
    rig.shim.onRequest(method, () => {
      if (answer instanceof Error) throw answer;
      return answer;
    });
  }
  const file = folder.write("policy.ts", code);
  const record = { folder: recordings, callbacks, keep_ms: 1e9, limit_bytes: 1 << 30 };
  const { faults } = await rig.initialize([{ path: file, config: { key: "secret-config" }, grants: "all" }], {
    record,
  });
  expect(faults).toEqual([]);
  await rig.shim.sendNotification("start", {});
}

async function recorded(): Promise<Line[]> {
  rig.hangUpGently();
  await rig.host.finish(1_000);
  return texts().flatMap((text) =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  );
}

const texts = () => readdirSync(recordings).map((name) => readFileSync(path.join(recordings, name), "utf8"));

test("a call has its parameters as the module saw them, its verdict, its time and the versions", async () => {
  await start(moduleOf("user_may_invite", "return [Codes.FORBIDDEN, { why: 'x' }];"));
  await rig.callback("user_may_invite", INVITE, ["policy"]);
  const [line] = await recorded();
  expect(line).toEqual({
    recording: 1,
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    module: "policy",
    callback: "user_may_invite",
    request: "REQ-1",
    params: INVITE,
    verdict: { answer: ["M_FORBIDDEN", { why: "x" }] },
    ms: expect.any(Number),
    versions: expect.objectContaining({ node: process.version, config: expect.stringMatching(/^\w{64}$/) }),
    synapse: expect.objectContaining({ server_name: "example.org", version: "1.163.2" }),
  });
  expect(texts().join()).not.toContain("secret-config");
});

test.each([
  [
    "throws",
    "throw new Error('oops')",
    { fault: "threw", message: "policy: user_may_invite threw Error: oops" },
  ],
  [
    "answers what does not fit",
    "return 7",
    { fault: "answer", message: expect.stringMatching(/^policy: user_may_invite answered 7; expected/) },
  ],
  [
    "answers with a getter that throws",
    "return ['M_FORBIDDEN', { get x() { throw new Error('oops'); } }]",
    { fault: "answer", message: expect.stringMatching(/x is a getter$/) },
  ],
  [
    "throws a SynapseError",
    "throw new SynapseError(429, 'slow', 'M_LIMIT_EXCEEDED')",
    { error: { code: 429, errcode: "M_LIMIT_EXCEEDED", msg: "slow" } },
  ],
  [
    "throws a SynapseError that Synapse could not send",
    "const error = new SynapseError(429, 'slow', 'M_LIMIT_EXCEEDED'); error.code = 200; throw error",
    { fault: "threw", message: expect.stringMatching(/whose code, msg or errcode is not valid$/) },
  ],
  [
    "throws a SynapseError with fields that are not JSON",
    "throw new SynapseError(429, 'slow', 'M_LIMIT_EXCEEDED', { at: 1n })",
    { fault: "threw", message: expect.stringContaining("additional_fields") },
  ],
])("a module that %s has as its verdict what the shim is told", async (_, body, verdict) => {
  await start(moduleOf("user_may_invite", body));
  const asked = rig.callback("user_may_invite", INVITE, ["policy"]);
  const told = await asked.catch(({ data, message }) =>
    data.kind === undefined ? { error: data } : { fault: data.kind, message },
  );
  expect(told).toMatchObject(verdict);
  expect((await recorded()).map((line) => line.verdict)).toEqual([verdict]);
});

test.each([
  ["what is not JSON", "params.request_content.at = 1n"],
  [
    "a getter that throws",
    "Object.defineProperty(params.request_content, 'at', { enumerable: true, get() { throw new Error('oops'); } })",
  ],
])("edits with %s are the fault of the module, and recorded as what they are", async (_, body) => {
  await start(moduleOf("on_create_room", body));
  const params = {
    requester: { user: "@a:example.org" },
    request_content: { name: "old" },
    is_requester_admin: false,
  };
  const asked = rig.callback("on_create_room", params, ["policy"]);
  await expect(asked).rejects.toMatchObject({ data: { kind: "answer" } });
  expect((await recorded()).map((line) => line.verdict)).toEqual([
    { fault: "answer", message: expect.stringContaining("left something in request_content") },
  ]);
});

test("a call that is cancelled at its deadline is recorded once, as one without an answer", async () => {
  const body =
    "const aborted = new Promise((resolve) => context.signal.addEventListener('abort', resolve));" +
    "await context.api.is_user_admin({ user_id: '@a:b' }); await aborted; return NOT_SPAM;";
  await start(moduleOf("user_may_invite", body));
  const deadline = new CancellationTokenSource();
  rig.shim.onRequest("api/is_user_admin", () => {
    deadline.cancel();
    return true;
  });
  const params = { call: 1, modules: ["policy"], params: INVITE, request: null };
  const asked = rig.shim.sendRequest("callback/user_may_invite", params, deadline.token);
  await expect(asked).rejects.toThrow();
  expect((await recorded()).map((line) => line.verdict)).toEqual([{ unavailable: "deadline" }]);
});

test.each([
  ["Infinity and -0", '{"a":1e400,"b":-0.0}', '"content":{"a":1e400,"b":-0.0}'],
  ["__proto__", '{"__proto__":{"x":1},"constructor":{}}', '"content":{"__proto__":{"x":1},"constructor":{}}'],
  [
    "ends of lines",
    JSON.stringify({ body: "a\n\u2028\r\u0085" }),
    '"content":{"body":"a\\n\u2028\\r\u0085"}',
  ],
  ["a lone surrogate", '{"body":"\\ud800"}', '"content":{"body":"\\ud800"}'],
  ["a list in place of an object", "[1]", '"content":[1]'],
])("an event with %s is recorded as it is, in one line", async (_, content, expected) => {
  await start(moduleOf("check_event_for_spam", "return NOT_SPAM;"));
  await rig.callback("check_event_for_spam", { event: event({ content: JSON.parse(content) }) }, ["policy"]);
  await recorded();
  expect(texts()).toEqual([expect.stringContaining(expected)]);
  expect(texts()[0]?.split("\n")).toHaveLength(2);
});

test("parameters that the module changes are recorded as they were, with its edits as the answer", async () => {
  await start(
    moduleOf("on_create_room", "params.request_content.name = 'new'; delete params.request_content.topic;"),
  );
  const params = {
    requester: { user: "@a:example.org" },
    request_content: { name: "old", topic: "t" },
    is_requester_admin: false,
  };
  await rig.callback("on_create_room", params, ["policy"]);
  expect(await recorded()).toMatchObject([
    { params: { request_content: { name: "old", topic: "t" } }, verdict: { answer: { name: "new" } } },
  ]);
});

test("a call whose parameters or answers are too long is left out, and counted in the log", async () => {
  await start(
    moduleOf(
      "check_event_for_spam",
      "if (params.event.content.ask) await context.api.get_room_state({ room_id: params.event.room_id }); return NOT_SPAM;",
    ),
    {
      answers: {
        "api/get_room_state": Array.from({ length: 3000 }, (_, i) =>
          event({ state_key: `${i}`, content: { x: "x".repeat(400) } }),
        ),
      },
    },
  );
  for (const content of [{ body: "x".repeat(2_000_000) }, { ask: true }, { body: "short" }])
    await rig.callback("check_event_for_spam", { event: event({ content }) }, ["policy"]);
  expect((await recorded()).map((line) => line.params.event.content)).toEqual([{ body: "short" }]);
  expect(rig.lines.map((line) => line.msg)).toContain(
    "some calls were not recorded: 2: longer than a recording takes",
  );
});

test("answers and errors of the api belong to the call that asked, also after an await and with other calls between", async () => {
  await start(
    moduleOf(
      "user_may_invite",
      `
      await null;
      const user = await context.api.get_userinfo_by_id({ user_id: params.inviter });
      user.changed = true;
      await context.api.is_user_admin({ user_id: params.inviter }).catch(() => {});
      return NOT_SPAM;`,
    ),
    { answers: { "api/get_userinfo_by_id": { is_admin: false }, "api/is_user_admin": new Error("no") } },
  );
  const inviters = ["@a:example.org", "@b:example.org", "@c:example.org"];
  await Promise.all(
    inviters.map((inviter, i) => rig.callback("user_may_invite", { ...INVITE, inviter }, ["policy"], i + 1)),
  );
  const lines = await recorded();
  expect(lines.map((line) => line.params.inviter).sort()).toEqual(inviters);
  for (const { params, api } of lines)
    expect(api).toEqual([
      { method: "get_userinfo_by_id", params: { user_id: params.inviter }, answer: { is_admin: false } },
      {
        method: "is_user_admin",
        params: { user_id: params.inviter },
        error: expect.objectContaining({ kind: null }),
      },
    ]);
});

test("what a module asks in its setup, and later in a timer of a call, is recorded apart from calls", async () => {
  await start(
    `import { NOT_SPAM, defineModule } from "synapse-module-bridge";
    let later;
    export const asked = new Promise((resolve) => { later = resolve; });
    export default defineModule({
      async setup({ api }) { await api.is_user_admin({ user_id: "@setup:example.org" }); },
      callbacks: {
        user_may_invite(_, { api }) { setTimeout(() => api.is_user_admin({ user_id: "@later:example.org" }).then(later), 1); return NOT_SPAM; },
        async user_may_join_room() { await asked; return NOT_SPAM; },
      },
    });`,
    { answers: { "api/is_user_admin": true } },
  );
  await rig.callback("user_may_invite", INVITE, ["policy"]);
  await rig.callback("user_may_join_room", { user: "@a:example.org", room: "!r:x", is_invited: false }, [
    "policy",
  ]);
  const lines = await recorded();
  expect(lines.filter(({ during }) => during)).toEqual([
    expect.objectContaining({
      during: "setup",
      api: [{ method: "is_user_admin", params: { user_id: "@setup:example.org" }, answer: true }],
    }),
    expect.objectContaining({
      during: "later",
      api: [{ method: "is_user_admin", params: { user_id: "@later:example.org" }, answer: true }],
    }),
  ]);
  expect(
    lines
      .map(({ callback }) => callback)
      .filter(Boolean)
      .sort(),
  ).toEqual(["user_may_invite", "user_may_join_room"]);
});

test("secret callbacks and methods leave no trace, not even what is asked while they run", async () => {
  await start(
    `import { defineModule, NOT_SPAM } from "synapse-module-bridge";
    export default defineModule({
      callbacks: {
        auth_checkers: [{ login_type: "m.login.password", fields: ["password"], async handler({ login_dict }, { api }) {
          await api.store.set({ key: login_dict.password, value: "hunter2" });
          return null;
        } }],
        async check_registration_for_spam({ username }, { api }) {
          await api.get_profile_for_user({ localpart: username });
          return "ALLOW";
        },
        async user_may_invite(_, { api }) {
          await api.http_client.get_json({ uri: "https://x/", headers: { Authorization: ["Bearer hunter2"] } });
          await api.run_db_interaction({ desc: "d", func: (txn) => txn.execute("SELECT 'hunter2'") });
          await api.create_login_token({ user_id: "@hunter2:example.org" });
          await api.send_mail({ recipient: "a@b.c", subject: "Renew", html: "https://x/?token=hunter2", text: "hunter2" });
          return NOT_SPAM;
        },
      },
    });`,
    {
      answers: {
        "api/store.set": null,
        "api/get_profile_for_user": { displayname: "hunter2" },
        "api/http_client.get_json": { token: "hunter2" },
        "api/run_db_interaction/begin": { transaction: 1 },
        "api/run_db_interaction/execute": { columns: ["x"], rows: [["hunter2"]], rowcount: 1 },
        "api/run_db_interaction/commit": null,
        "api/create_login_token": "hunter2",
        "api/send_mail": null,
      },
      callbacks: [...recordable, "auth_checkers", "check_registration_for_spam"],
    },
  );
  await rig.checker(
    0,
    { username: "hunter2", login_type: "m.login.password", login_dict: { password: "hunter2" } },
    "policy",
  );
  const registration = {
    email_threepid: null,
    username: "hunter2",
    request_info: [["a", "hunter2"]],
    auth_provider_id: null,
  };
  await rig.callback("check_registration_for_spam", registration, ["policy"]).catch(() => {});
  await rig.callback("user_may_invite", INVITE, ["policy"]);
  const lines = await recorded();
  expect(lines.map(({ callback }) => callback)).toEqual(["user_may_invite"]);
  expect(texts().join()).not.toContain("hunter2");
});

test("passwords and tokens that Matrix has by these names are left out of all that is recorded", async () => {
  await start(
    `import { defineModule, NOT_SPAM } from "synapse-module-bridge";
    export default defineModule({
      grants: ["create_room"],
      callbacks: {
        async user_may_create_room({ user_id, room_config }, { api }) {
          await api.create_room({ user_id, config: { invite_3pid: room_config.invite_3pid } });
          return NOT_SPAM;
        },
        on_create_room({ request_content }) { if (request_content.name === "old") request_content.name = "new"; },
        check_event_for_spam: () => NOT_SPAM,
      },
    });`,
    { answers: { "api/create_room": ["!r:example.org", null] } },
  );
  const invite_3pid = [
    { id_server: "id.example.org", id_access_token: "hunter2", medium: "email", address: "b@c.d" },
  ];
  const requester = { user: "@a:example.org" };
  const create = (name: string) =>
    rig.callback(
      "on_create_room",
      { requester, request_content: { name, invite_3pid }, is_requester_admin: false },
      ["policy"],
    );
  await create("old");
  await create("other");
  await rig.callback("user_may_create_room", { user_id: "@a:example.org", room_config: { invite_3pid } }, [
    "policy",
  ]);
  const content = {
    password: "hunter2",
    deep: [[{ refresh_token: { a: "hunter2" } }]],
    "a password": "stays",
  };
  await rig.callback("check_event_for_spam", { event: event({ content }) }, ["policy"]);
  const [edited, left, asked, sent] = await recorded();
  expect(texts().join()).not.toContain("hunter2");
  expect(edited.verdict.answer).toMatchObject({ name: "new", invite_3pid: [{ medium: "email" }] });
  expect(left.verdict).toEqual({ answer: null });
  expect(asked.api[0].params.config.invite_3pid[0]).toMatchObject({ address: "b@c.d" });
  expect(sent.params.event.content).toMatchObject({ "a password": "stays" });
});

test("the reason that a module gives is recorded", async () => {
  await start(
    moduleOf("user_may_invite", "context.reason('first'); context.reason('second'); return NOT_SPAM;"),
  );
  await rig.callback("user_may_invite", INVITE, ["policy"]);
  expect((await recorded()).map(({ reason }) => reason)).toEqual(["second"]);
});

test("only the chosen callbacks are recorded", async () => {
  await start(moduleOf("user_may_invite", "return NOT_SPAM;"), { callbacks: ["check_event_for_spam"] });
  await rig.callback("user_may_invite", INVITE, ["policy"]);
  rig.hangUpGently();
  await rig.host.finish(1_000);
  expect(readdirSync(recordings)).toEqual([]);
});

test("the state that came with the call and the state that was asked for are recorded once each", async () => {
  await start(
    `import { defineModule } from "synapse-module-bridge";
    export default defineModule({ callbacks: { check_event_allowed: {
      room_state: [["m.room.create", ""], ["m.room.topic", ""]],
      async handler({ state_events }) {
        await state_events.get("m.room.create", "");
        await state_events.getMany([["m.room.member", null]]);
        await state_events.keys();
        return true;
      },
    } } });`,
    {},
  );
  const create = event({ type: "m.room.create", state_key: "", event_id: "$create" });
  const member = event({ type: "m.room.member", state_key: "@a:b", event_id: "$member" });
  rig.shim.onRequest("state/get", () => [member]);
  rig.shim.onRequest("state/keys", () => [
    ["m.room.create", ""],
    ["m.room.member", "@a:b"],
  ]);
  await rig.callback("check_event_allowed", { event: event(), state_events: { events: [create] } }, [
    "policy",
  ]);
  const [line] = await recorded();
  expect(line.params).not.toHaveProperty("state_events");
  expect(line.state).toEqual({
    keys: expect.arrayContaining([
      ["m.room.create", ""],
      ["m.room.topic", ""],
      ["m.room.member", null],
    ]),
    events: [create, member],
    names: [
      ["m.room.create", ""],
      ["m.room.member", "@a:b"],
    ],
  });
});

test("a folder that is open to others is a startup problem, and at a restart only a line in the log", async () => {
  folder.write("open/file", "");
  rig = connect();
  const file = folder.write("policy.ts", moduleOf("user_may_invite", "return NOT_SPAM;"));
  const record = { folder: folder.path("open"), callbacks: recordable, keep_ms: 1e9, limit_bytes: 1 << 30 };
  const { faults, snapshot } = await rig.initialize([{ path: file }], { record });
  expect(faults).toEqual([
    { path: ["record", "folder"], message: expect.stringContaining("is open to other users") },
  ]);
  rig.hangUp();
  expect(snapshot).toBeDefined();
  rig = connect();
  expect((await rig.initialize([{ path: file }], { record, snapshot })).faults).toEqual([]);
  expect(rig.lines.map(({ msg }) => msg)).toContainEqual(
    expect.stringMatching(/^nothing is recorded: .*open to other users/),
  );
});
