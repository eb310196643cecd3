// What users and other servers can write reaches the handler: as it is, or without the fields of an event whose type is
// not the declared one.

import { expect, test } from "@jest/globals";
import { MAX_FRAME } from "../../../../bridge/transport/framing.js";
import { folder, renew, rig } from "../each-rig.js";
import { nested } from "../nested.js";
import { errorOf, moduleOf } from "../rig.js";
import { event, INVITE } from "../samples.js";

let count = 0;
async function load(callback: string, body: string, entry = ""): Promise<string[]> {
  const name = `odd-${count++}`;
  const text = entry
    ? `export default { callbacks: { ${callback}: { ${entry} async handler(params, context) { ${body} } } } };`
    : moduleOf(callback, body);
  await rig.load([{ path: folder.write(`${name}.ts`, text), grants: "all" }]);
  return [name];
}

/** Each field of an event that is not required, with values of other types. */
const MISFITS: [field: string, values: unknown[]][] = [
  ["redacts", [5, null, {}, true]],
  ["state_key", [5, null, []]],
  ["origin_server_ts", ["1", null]],
  ["depth", ["1", {}]],
  ["unsigned", [[], "x", null]],
  ["hashes", [[], 1]],
  ["signatures", ["x"]],
  ["auth_events", [{}, "x"]],
  ["prev_events", [null]],
];

test.each(MISFITS)(
  "an event without the type of its %s is judged without the field",
  async (field, values) => {
    const names = await load(
      "check_event_for_spam",
      `return [Codes.FORBIDDEN, { has: Object.hasOwn(params.event, ${JSON.stringify(field)}), body: params.event.content.body }];`,
    );
    for (const value of values) {
      const params = { event: event({ [field]: value }) };
      const { answer } = await rig.callback("check_event_for_spam", params, names);
      expect(answer).toEqual(["M_FORBIDDEN", { has: false, body: "hello" }]);
    }
  },
);

test("required fields of an event, and fields that nobody has declared, are passed as they are", async () => {
  const names = await load("check_event_for_spam", "return [Codes.FORBIDDEN, { event: params.event }];");
  const odd = event({
    type: 5,
    content: [1],
    sender: null,
    "org.example.x": { redacts: 5 },
    room_version: {},
  });
  expect(await rig.callback("check_event_for_spam", { event: odd }, names)).toMatchObject({
    answer: ["M_FORBIDDEN", { event: odd }],
  });
});

test.each([
  ["sent along", `room_state: [["m.room.member", null]],`],
  ["asked for", " "],
])("state is given without what does not fit: %s", async (_, entry) => {
  const member = event({ type: "m.room.member", state_key: "@a:b", redacts: 5, unsigned: null, depth: 7 });
  rig.shim.onRequest("state/get", () => [member]);
  const names = await load(
    "check_event_allowed",
    `const [found] = await params.state_events.getMany([["m.room.member", null]]); return { content: found };`,
    entry,
  );
  const events = entry.trim() ? [member] : [];
  const params = { event: event({ redacts: 7 }), state_events: { events } };
  const { answer } = await rig.callback("check_event_allowed", params, names);
  const { redacts, unsigned, ...fitting } = member as Record<string, unknown>;
  expect(answer).toEqual({ content: fitting });
});

test("events that the api gives lack what does not fit", async () => {
  rig.shim.onRequest("api/get_room_state", () => [event({ redacts: 5 })]);
  const names = await load(
    "user_may_invite",
    `const [found] = await context.api.get_room_state({ room_id: params.room_id });
     return [Codes.FORBIDDEN, { has: "redacts" in found, type: found.type }];`,
  );
  const { answer } = await rig.callback("user_may_invite", INVITE, names);
  expect(answer).toEqual(["M_FORBIDDEN", { has: false, type: "m.room.message" }]);
});

test.each([
  ["check_login_for_spam", { user_id: "@a:b", device_id: {}, initial_display_name: 5, request_info: 7 }],
  ["user_may_invite", { ...INVITE, invitee: 3 }],
  ["user_may_create_room", { user_id: "@a:b" }],
  ["check_username_for_spam", { user_profile: { user_id: "@a:b", display_name: [] }, requester_id: null }],
])("whatever else is not of its type is passed as it is: %s", async (callback, given) => {
  const body = "context.log.warn({ seen: params }); return false;";
  const names = await load(callback, body);
  await rig.callback(callback, given, names).catch(() => {});
  const { seen } = rig.lines.find((line) => "seen" in line) ?? {};
  expect(seen).toEqual(given);
});

test.each([
  ["check_event_for_spam", [], "params must be an object"],
  ["check_event_allowed", { event: event() }, "params.state_events must hold a list of events"],
  ["check_event_allowed", { event: event(), state_events: { events: [1] } }, "must hold a list of events"],
  ["check_media_file_for_spam", { file_wrapper: { path: 5 }, file_info: {} }, "must be a FileWrapper"],
])("only what no shim sends is refused: %s %j", async (callback, params, message) => {
  const names = await load(callback, "return false;");
  expect(await errorOf(rig.callback(callback, params, names))).toMatchObject({
    code: -32602,
    message: expect.stringContaining(message),
  });
});

/** `n` lists, one in the other. */
test.each([1, 900, 20_000])("a parameter that modules get copies of may be nested %i deep", async (depth) => {
  const body = `let depth = 0; for (let at = params.room_config.x; Array.isArray(at); at = at[0]) depth++;
    params.room_config.x = 1;
    return [Codes.FORBIDDEN, { depth }];`;
  const names = await load("user_may_create_room", body);
  const params = { user_id: "@a:b", room_config: { x: nested(depth) } };
  // As the shim writes it: the test's own writer is that of the host.
  expect(await rig.callback("user_may_create_room", params, names)).toMatchObject({
    answer: ["M_FORBIDDEN", { depth }],
  });
});

const REQUESTER = { user_id: "@a:b" };

test("an edit beside something nested at any depth arrives", async () => {
  const names = await load("on_create_room", `params.request_content.name = "den";`);
  const request_content = { x: nested(20_000) };
  const { answer } = await rig.callback("on_create_room", { requester: REQUESTER, request_content }, names);
  let depth = 0;
  for (let at = (answer as { x: unknown }).x; Array.isArray(at); at = at[0]) depth++;
  expect([depth, (answer as { name: string }).name]).toEqual([20_000, "den"]);
});

test("an answer that is too large to be sent is a fault of the module", async () => {
  const text = `"x".repeat(${MAX_FRAME})`;
  const names = await load("user_may_invite", `return [Codes.FORBIDDEN, { text: ${text} }];`);
  const fault = {
    code: -32002,
    message: expect.stringContaining("over the limit"),
    data: { module: names[0] },
  };
  expect(await errorOf(rig.callback("user_may_invite", INVITE, names))).toMatchObject(fault);
  renew();
  const others = await load(
    "user_may_invite",
    `throw new SynapseError(403, "no", "M_X", { text: ${text} });`,
  );
  expect(await errorOf(rig.callback("user_may_invite", INVITE, others))).toMatchObject({
    ...fault,
    data: { module: others[0] },
  });
});

const RARE = JSON.parse('{ "infinite": 1e400, "list": [-1e400, -0.0, 1], "__proto__": { "x": 1e400 } }');

test("numbers that JSON.stringify loses stay what they were beside an edit", async () => {
  const names = await load("on_create_room", `params.request_content.list[2] = 5;`);
  const request_content = structuredClone(RARE);
  const { answer } = await rig.callback("on_create_room", { requester: REQUESTER, request_content }, names);
  expect(answer).toStrictEqual(
    JSON.parse('{ "infinite": 1e400, "list": [-1e400, -0.0, 5], "__proto__": { "x": 1e400 } }'),
  );
  expect(Object.is((answer as { list: number[] }).list[1], -0)).toBe(true);
});

test.each(["params.request_content.infinite = null;", "params.request_content.list[1] = 0;", ""])(
  "an edit of such a number is one, and none is none: %s",
  async (body) => {
    const names = await load("on_create_room", body);
    const request_content = structuredClone(RARE);
    const { module } = await rig.callback("on_create_room", { requester: REQUESTER, request_content }, names);
    expect(module).toBe(body ? names[0] : null);
  },
);

test("a replacement may hold such a number where the event does", async () => {
  const names = await load(
    "check_event_allowed",
    "return { content: { ...params.event.content, checked: true } };",
  );
  const params = { event: event({ content: RARE }), state_events: { events: [] } };
  const { answer } = await rig.callback("check_event_allowed", params, names);
  expect(answer).toStrictEqual({ content: { ...RARE, checked: true } });
});

test.each([
  ["check_event_allowed", "return { content: { n: 1 / 0 } };", "content.n is Infinity"],
  ["check_event_allowed", "return { content: { n: [-0] } };", "content.n[0] is -0"],
  ["check_event_for_spam", "return [Codes.FORBIDDEN, { n: 1 / 0 }];", "[1].n is Infinity"],
  ["on_create_room", "params.request_content.n = -0;", "n is -0"],
  ["on_create_room", "params.request_content.n = 1 / 0;", "n is Infinity"],
  [
    "on_create_room",
    "params.request_content.list.events = { a: 150 };",
    "list.events is a named property of a list",
  ],
  ["on_create_room", "params.request_content.list[4] = 1;", "list[3] is undefined"],
  ["on_create_room", "params.request_content.long.name = 1;", "long.name is a named property of a list"],
  ["on_create_room", "params.request_content[Symbol('x')] = 1;", "it is an object with a symbol for a key"],
  [
    "on_create_room",
    "Object.defineProperty(params.request_content.object, 'a', { value: 1 });",
    "object.a is not enumerable",
  ],
  [
    "on_create_room",
    "Object.defineProperty(params.request_content.object, 'a', { get: () => 1, enumerable: true });",
    "object.a is a getter",
  ],
  ["on_create_room", "params.request_content.object = new (class Own { a = 1 })();", "object is a Own"],
  ["on_create_room", "params.request_content.list = new (class Own extends Array {})();", "list is a Own"],
])("what JSON cannot carry is a fault of the module, and named: %s, %s", async (callback, body, message) => {
  const names = await load(callback, body);
  const params = {
    event: event(),
    state_events: { events: [] },
    requester: REQUESTER,
    request_content: { list: [1, 2, 3], object: {}, long: Array.from({ length: 5_000 }, () => 0) },
  };
  expect(await errorOf(rig.callback(callback, params, names))).toMatchObject({
    code: -32002,
    message: expect.stringContaining(message),
    data: { module: names[0], kind: "answer" },
  });
});
