// What the parameters of a call become for its modules, and which of them are refused.
import { describe, expect, test } from "@jest/globals";
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import type { RunningModule } from "../../../../bridge/calls/context.js";
import { Lifetime } from "../../../../bridge/calls/lifetime.js";
import { findParamProblems, prepareParams, UnfitParams } from "../../../../bridge/calls/params.js";
import { type Callback, catalogue } from "../../../../bridge/catalogue/catalogue.js";
import type { Entry } from "../../../../bridge/declarations/module.js";
import type { FileWrapper, StateEvents } from "../../../../bridge/sdk/objects.js";
import type { StateKey } from "../../../../bridge/sdk/wire-types.js";
import { Cancellation } from "../../../../bridge/transport/cancellation.js";
import { event, INVITE } from "../samples.js";

const callbackOf = (name: string) => catalogue().callbacks.get(name) as Callback;

function prepare(name: string, params: unknown, room_state: Record<string, StateKey[]> = {}) {
  const source = new CancellationTokenSource();
  const cancellation = new Cancellation(source.token);
  const asked: unknown[] = [];
  const handles = new WeakMap<object, number>();
  // Each module has another callback, too: the state that it wants does not count here.
  const modules = Object.entries(room_state).map(([module, wanted]): [string, RunningModule] => {
    const callbacks = new Map<string, Entry>([
      [name, { room_state: wanted } as Entry],
      ["another", { room_state: [["m.room.other", ""]] } as Entry],
    ]);
    return [module, { module: { callbacks } } as unknown as RunningModule];
  });
  const without = { module: { callbacks: new Map() } } as unknown as RunningModule;
  const prepared = prepareParams(
    callbackOf(name),
    {
      call: 9,
      params: params as Record<string, unknown>,
      modules: [...Object.keys(room_state), "in a thread", "without it"],
    },
    cancellation,
    {
      catalogue: catalogue(),
      modules: new Map([...modules, ["without it", without]]),
      stateOf: () => ({
        get: async (keys) => {
          asked.push(keys);
          return [];
        },
        keys: async () => [],
      }),
      handles,
    },
  );
  const forModule = <Params>() => prepared.forModule(new Lifetime(name, cancellation)) as Params;
  return { ...prepared, forModule, asked, handles, cancel: () => source.cancel() };
}

function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen);
}

describe("each module gets", () => {
  test("an object that it cannot change", () => {
    const { forModule } = prepare("user_may_invite", { ...INVITE, more: 1 });
    const [one, other] = [forModule(), forModule()];
    expect(one).toEqual(INVITE);
    expect(Object.isFrozen(one)).toBe(true);
    expect(other).not.toBe(one);
  });

  test("the same values as the others, frozen", () => {
    const params = { user_profile: { user_id: "@a:b", display_name: null, avatar_url: null, list: [{}] } };
    const { forModule } = prepare("check_username_for_spam", params);
    const { user_profile } = forModule<typeof params>();
    expect(user_profile).toBe(params.user_profile);
    expect(forModule<typeof params>().user_profile).toBe(user_profile);
    expect(isDeepFrozen(user_profile)).toBe(true);
  });

  test("a copy of its own of what Python lets modules change", () => {
    const params = { user_id: "@a:b", room_config: { list: [1] } };
    const { forModule } = prepare("user_may_create_room", params);
    const [one, other] = [forModule<typeof params>(), forModule<typeof params>()];
    one.room_config.list.push(2);
    expect([one, other, params].map(({ room_config }) => room_config)).toEqual([
      { list: [1, 2] },
      { list: [1] },
      { list: [1] },
    ]);
  });

  test("the one object that all of them edit", () => {
    const params = { requester: { user_id: "@a:b" }, request_content: { list: [1] } };
    const { forModule } = prepare("on_create_room", params);
    const [one, other] = [forModule<typeof params>(), forModule<typeof params>()];
    one.request_content.list.push(2);
    expect(other.request_content).toEqual({ list: [1, 2] });
    expect(params.request_content).toEqual({ list: [1, 2] });
    expect(isDeepFrozen(one.requester)).toBe(true);
  });

  test("a file of its own", () => {
    const params = { file_wrapper: { path: "/media/a" }, file_info: {} };
    const prepared = prepare("check_media_file_for_spam", params);
    const [one, other] = [1, 2].map(() => prepared.forModule<{ file_wrapper: FileWrapper }>().file_wrapper);
    expect([one?.path, other?.path]).toEqual(["/media/a", "/media/a"]);
    expect(one).not.toBe(other);
  });
});

describe("a request of a client", () => {
  const request = { method: "POST", url: "http://localhost/a", headers: [["X-B", "2"]], body: "aGk=" };

  test("is a Request for each module, by which the api knows the call, and which ends with the call", async () => {
    const { forModule, handles, cancel } = prepare("on_legacy_admin_request", { request });
    const [one, other] = [1, 2].map(() => forModule<{ request: Request }>().request) as [Request, Request];
    expect([one.method, one.headers.get("x-b"), await one.text()]).toEqual(["POST", "2", "hi"]);
    expect(await other.text()).toBe("hi");
    expect([handles.get(one), handles.get(other)]).toEqual([9, 9]);
    expect(one.signal.aborted).toBe(false);
    cancel();
    expect(one.signal.aborted).toBe(true);
  });

  test.each([{ method: "TRACE" }, { url: "http://a b/" }])("that cannot be one is undefined: %j", (more) => {
    const { forModule } = prepare("on_legacy_admin_request", { request: { ...request, ...more } });
    expect(forModule()).toStrictEqual({ request: undefined });
  });
});

describe("the room's state", () => {
  const member = event({ type: "m.room.member", state_key: "@a:b", event_id: "$member" });
  const params = (more: object = {}) => ({ event: event(), state_events: { events: [member], ...more } });
  const wanted: Record<string, StateKey[]> = {
    a: [["m.room.member", null]],
    b: [["m.room.name", ""]],
  };
  const keys: StateKey[] = [
    ["m.room.member", "@a:b"],
    ["m.room.name", ""],
    ["m.room.other", ""],
  ];

  test("is taken from what came along for the modules of the call, and asked for otherwise", async () => {
    const { forModule, asked } = prepare("check_event_allowed", params(), wanted);
    const { state_events } = forModule<{ state_events: StateEvents }>();
    const found = await state_events.getMany(keys);
    expect(found).toEqual([member]);
    expect(isDeepFrozen(found[0])).toBe(true);
    expect(asked).toEqual([[["m.room.other", ""]]]);
  });

  test("is asked for where it was too large to come along", async () => {
    const { forModule, asked } = prepare("check_event_allowed", params({ left_out: true }), wanted);
    await forModule<{ state_events: StateEvents }>().state_events.getMany(keys);
    expect(asked).toEqual([keys]);
  });
});

describe("a rare number in an answer is accepted", () => {
  test.each([
    ["check_event_for_spam", { event: event({ content: { n: [Number.POSITIVE_INFINITY] } }) }, true],
    ["check_event_for_spam", { event: event() }, false],
    ["on_create_room", { requester: {}, request_content: { n: -0 } }, true],
    ["on_create_room", { requester: { n: -0 }, request_content: { n: 0 } }, false],
  ])(
    "where the question has one, as what modules edit if they edit something: %s, %#",
    (name, params, isRare) => {
      expect(prepare(name, params).isRare()).toBe(isRare);
    },
  );

  test("and not because a module has written one", () => {
    const request_content: Record<string, unknown> = { n: 1 };
    const { isRare } = prepare("on_create_room", { request_content });
    request_content.n = Number.NEGATIVE_INFINITY;
    expect(isRare()).toBe(false);
  });
});

describe("values of another type", () => {
  test("are passed as they are, but for the optional fields of events", () => {
    const odd = event({ redacts: 5, depth: 7 });
    const state = event({ type: "m.room.member", state_key: 5, unsigned: null });
    const params = { event: odd, state_events: { events: [state] } };
    prepare("check_event_allowed", params);
    expect(params.event).toStrictEqual(event({ depth: 7 }));
    expect(params.state_events.events).toStrictEqual([event({ type: "m.room.member" })]);
  });

  test("are not looked for in values that are no events", () => {
    const given = { user_id: 5, device_id: { redacts: 5 }, initial_display_name: [], request_info: 7 };
    expect(prepare("check_login_for_spam", given).forModule()).toStrictEqual({
      ...given,
      auth_provider_id: undefined,
    });
  });

  test.each([
    ["check_event_for_spam", null, "params must be an object"],
    ["check_event_for_spam", [], "params must be an object"],
    ...[undefined, [], {}, { events: {} }, { events: [1] }, { events: [{}, null] }].map(
      (state_events): [string, unknown, string] => [
        "check_event_allowed",
        { event: event(), state_events },
        "params.state_events must hold a list of events",
      ],
    ),
    [
      "check_media_file_for_spam",
      { file_wrapper: {}, file_info: {} },
      "params.file_wrapper must be a FileWrapper",
    ],
    ["on_legacy_admin_request", { request: { method: "GET" } }, "params.request must be a HttpRequest"],
  ])("are refused where no shim sends them: %s, %#", (name, params, message) => {
    expect(() => prepare(name, params)).toThrow(new UnfitParams(`${name}: ${message}`));
  });

  test("are passed beside a file", () => {
    const file = { file_wrapper: { path: "/a" }, file_info: 5 };
    expect(prepare("check_media_file_for_spam", file).forModule()).toMatchObject({ file_info: 5 });
  });
});

describe("by the command `call`, a person is told", () => {
  const problems = (name: string, params: Record<string, unknown>) =>
    findParamProblems(callbackOf(name), params, catalogue());

  test("nothing where all fits, and where an older Synapse would leave out the same", () => {
    expect(problems("user_may_invite", INVITE)).toEqual([]);
    expect(problems("user_may_create_room", { user_id: "@a:b" })).toEqual([]);
    expect(problems("user_may_create_room", { user_id: "@a:b", room_config: {} })).toEqual([]);
  });

  test("of all that is missing or has another type, with its place", () => {
    expect(problems("user_may_invite", { inviter: 1, room_id: null })).toEqual([
      "params.inviter must be string",
      "params must have required property 'invitee'",
      "params.room_id must be string",
    ]);
    expect(problems("user_may_create_room", { user_id: "@a:b", room_config: 5 })).toEqual([
      "params.room_config must be object",
    ]);
    expect(problems("check_event_for_spam", { event: event({ internal_metadata: { outlier: 5 } }) })).toEqual(
      ["params.event.internal_metadata.outlier must be boolean"],
    );
  });
});
