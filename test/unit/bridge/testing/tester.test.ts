// What a test in memory gets from createTester: the module goes through the host's own code, and the kit plays the shim.
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { Codes, defineModule, NOT_SPAM, SynapseError } from "synapse-module-bridge";
import { createTester, event, type Tester, type TesterOptions } from "synapse-module-bridge/testing";

const open: Tester[] = [];
afterEach(async () => {
  jest.useRealTimers();
  await Promise.all(open.splice(0).map((t) => t.close().catch(() => {})));
});

async function testerOf(module: object, options: TesterOptions = {}): Promise<Tester> {
  const t: Tester = await createTester(module, options);
  open.push(t);
  return t;
}

const invite = { inviter: "@a:example.org", invitee: "@b:x.org", room_id: "!r:example.org" };
const withHandler = (name: string, handler: unknown) => ({ callbacks: { [name]: handler } });

describe("broadcasts", () => {
  const module = defineModule({
    grants: ["broadcast"],
    setup: () => ({ got: [] as string[] }),
    broadcasts: {
      heard({ text }: { text: string }, { data }) {
        data.got.push(text);
      },
      async again(value: string, { api }) {
        await api.broadcast({ topic: "heard", value: { text: `${value} again` } });
      },
    },
    callbacks: {
      async user_may_create_room({ user_id }, { api, data }) {
        const [topic, value] =
          user_id === "@long:x" ? ["heard", { text: "x".repeat(4_096) }] : ["again", user_id];
        await api.broadcast({ topic, value });
        return data.got.length === 0 ? NOT_SPAM : Codes.FORBIDDEN;
      },
      user_may_invite: (_, { data }) => [Codes.FORBIDDEN, { got: [...data.got] }],
    },
  });

  test("reach the module that sends them, and nobody else", async () => {
    const t = await testerOf([
      { module, name: "one" },
      { module, name: "two" },
    ]);
    await t.ask("user_may_create_room", { user_id: "@a:x" });
    const sent = t.writes.map(({ method, params }) => JSON.stringify([method, params.topic, params.value]));
    const again = '["broadcast","again","@a:x"]';
    const heard = '["broadcast","heard",{"text":"@a:x again"}]';
    expect(sent.sort()).toEqual([again, again, heard, heard]);
    const { answer } = (await t.ask("user_may_invite", invite)) as { answer: unknown };
    expect(answer).toEqual([Codes.FORBIDDEN, { got: ["@a:x again"] }]);
  });

  test("fail as in production where they are too large", async () => {
    const t = await testerOf(module);
    await expect(t.ask("user_may_create_room", { user_id: "@long:x" })).rejects.toThrow(
      "a broadcast may have 4096 bytes of JSON, and this one has 4117: keep the value in api.store",
    );
  });
});

describe("notifications", () => {
  const told = { event: event.topic("tea", { sender: "@a:example.org", room_id: "!r:example.org" }) };
  const failing = (error: unknown) => withHandler("on_new_event", async () => Promise.reject(error));

  test.each([
    ["an error", new TypeError("no such list")],
    ["a SynapseError, which refuses nothing here", new SynapseError(403, "no", Codes.FORBIDDEN)],
  ])("ask rejects with what a handler throws: %s", async (_, fault) => {
    const t = await testerOf(failing(fault));
    await expect(t.ask("on_new_event", told)).rejects.toBe(fault);
  });

  test("all modules of a chain are told, also after one that throws", async () => {
    const got: string[] = [];
    const fault = new Error("first");
    const last = withHandler("on_new_event", () => void got.push("last"));
    const t = await testerOf([failing(fault), failing(new Error("second")), last]);
    await expect(t.ask("on_new_event", told)).rejects.toBe(fault);
    expect(got).toEqual(["last"]);
  });
});

describe("what never ends", () => {
  const never = () => new Promise<never>(() => {});

  test("under a runner's fake timers, close ends a module whose `close` hangs", async () => {
    const t = await testerOf({ close: never, callbacks: { user_may_invite: () => NOT_SPAM } });
    jest.useFakeTimers();
    await t.close();
  });

  test("under a runner's fake timers, ask ends beside a broadcast's handler that hangs", async () => {
    const t = await testerOf({
      grants: ["broadcast"],
      broadcasts: { heard: never },
      callbacks: {
        async user_may_invite(_: object, { api }: { api: { broadcast(params: object): Promise<void> } }) {
          await api.broadcast({ topic: "heard", value: 1 });
          return NOT_SPAM;
        },
      },
    });
    jest.useFakeTimers();
    expect(await t.ask("user_may_invite", invite)).toMatchObject({ outcome: "allowed" });
    expect(t.logs.map(({ msg }) => msg)).toContain(
      "module: broadcasts.heard has not ended within 5 s; the next one is delivered",
    );
  }, 15_000);
});

describe("ask", () => {
  test("tells what Synapse gets, in production's words", async () => {
    const answers: Record<string, [unknown, object]> = {
      user_may_invite: [NOT_SPAM, { outcome: "allowed", answer: NOT_SPAM }],
      user_may_create_room: [Codes.FORBIDDEN, { outcome: "refused", answer: "M_FORBIDDEN" }],
      check_event_for_spam: [
        [Codes.FORBIDDEN, { a: 1 }],
        { outcome: "refused", answer: ["M_FORBIDDEN", { a: 1 }] },
      ],
      check_event_allowed: [
        [true, { content: { b: 1 } }],
        { outcome: "replaced", answer: { content: { b: 1 } } },
      ],
      check_can_shutdown_room: [true, { outcome: "allowed", answer: true }],
      check_username_for_spam: [true, { outcome: "refused", answer: true }],
      check_registration_for_spam: ["shadow_ban", { outcome: "refused", answer: "shadow_ban" }],
      is_user_expired: [true, { outcome: "refused", answer: true }],
      get_media_config_for_user: [
        { "m.upload.size": 1 },
        { outcome: "answered", answer: { "m.upload.size": 1 } },
      ],
      get_ratelimit_override_for_user: [null, { outcome: "answered", answer: null }],
      on_user_registration: ["ignored", { outcome: "done" }],
      on_new_event: [undefined, { outcome: "done" }],
    };
    const params: Record<string, object> = {
      user_may_invite: invite,
      user_may_create_room: { user_id: "@a:example.org" },
      check_event_for_spam: { event: event.message("@a:example.org", "x") },
      check_event_allowed: { event: event.message("@a:example.org", "x") },
      check_can_shutdown_room: { user_id: null, room_id: "!r:x" },
      check_username_for_spam: { user_profile: "@a:x", requester_id: "@b:x" },
      check_registration_for_spam: {},
      is_user_expired: { user_id: "@a:x" },
      get_media_config_for_user: { user_id: "@a:x" },
      get_ratelimit_override_for_user: { user: "@a:x", limiter_name: "y" },
      on_user_registration: { user_id: "@a:x" },
      on_new_event: { event: event.message("@a:x", "x") },
    };
    const callbacks = Object.entries(answers).map(([name, [answer]]) => [name, () => answer]);
    const t = await testerOf({ callbacks: Object.fromEntries(callbacks) });
    for (const [name, [, expected]] of Object.entries(answers)) {
      const result = await t.ask(name as never, (params[name] ?? {}) as never);
      expect([name, { ...result }]).toEqual([name, { asked: true, ...expected }]);
    }
  });

  test("says why no module was asked", async () => {
    let asked = 0;
    const t = await testerOf({
      callbacks: {
        check_event_for_spam: { match: { local: true }, handler: () => NOT_SPAM },
        is_user_expired: { ttl: "10m", handler: () => ++asked > 1 },
        add_field_to_unsigned_callback: {
          fields: { by: { $event: "sender" }, none: { $event: "content.x" } },
        },
      },
    });
    const remote = { event: event.message("@x:remote.org", "hello") };
    expect(await t.ask("check_event_for_spam", remote)).toEqual({ asked: false, why: "match" });
    expect(await t.ask("user_may_invite", invite)).toEqual({ asked: false, why: "undeclared" });
    expect(await t.ask("add_field_to_unsigned_callback", remote)).toEqual({
      asked: false,
      why: "template",
      answer: { by: "@x:remote.org" },
    });
    const expired = () => t.ask("is_user_expired", { user_id: "@a:example.org" });
    expect(await expired()).toMatchObject({ asked: true, answer: false });
    t.advance("599s");
    expect(await expired()).toEqual({ asked: false, why: "cached", answer: false });
    t.advance("1s");
    expect(await expired()).toMatchObject({ asked: true, answer: true });
  });

  test("gives a SynapseError as the refusal that a client would get, and rejects with any other error", async () => {
    const refusal = new SynapseError(429, "slowly", Codes.LIMIT_EXCEEDED, { retry_after_ms: 5 });
    const fault = new (class Own extends RangeError {})("boom");
    const t = await testerOf({
      callbacks: {
        user_may_invite: async () => Promise.reject(refusal),
        user_may_create_room: () => {
          throw fault;
        },
        user_may_publish_room: () => "M_NO_CODE_AT_ALL".toLowerCase().length,
        check_can_deactivate_user: () => "yes",
      },
    });
    const refused = await t.ask("user_may_invite", invite);
    expect(refused).toEqual({ asked: true, outcome: "refused", error: refusal });
    expect(refused.error).toBe(refusal);
    await expect(t.ask("user_may_create_room", { user_id: "@a:x" })).rejects.toBe(fault);
    await expect(t.ask("check_can_deactivate_user", { user_id: "@a:x" })).rejects.toThrow(
      'module: check_can_deactivate_user answered "yes"; expected boolean',
    );
  });

  test("rejects at the deadline, and aborts the handler's signal", async () => {
    let aborted = false;
    const t = await testerOf(
      withHandler("user_may_invite", (_: object, { signal }: { signal: AbortSignal }) => {
        signal.addEventListener("abort", () => (aborted = true));
        return new Promise(() => {});
      }),
      { timeout: { local: 50 } },
    );
    await expect(t.ask("user_may_invite", invite)).rejects.toThrow("user_may_invite: no answer within 50ms");
    expect(aborted).toBe(true);
  });

  test("asks a chain in order until one module decides, as one bridge does", async () => {
    const asked: string[] = [];
    const of = (name: string, answer: unknown, more = {}) => ({
      name,
      module: {
        callbacks: {
          user_may_invite: {
            ...more,
            handler() {
              asked.push(name);
              return answer;
            },
          },
        },
      },
    });
    const t = await testerOf([
      of("first", NOT_SPAM, { ttl: "1m" }),
      of("other", "M_UNKNOWN", { match: { inviter: ["@nobody:*"] } }),
      of("second", Codes.FORBIDDEN),
      of("third", "M_UNKNOWN"),
    ]);
    expect(await t.ask("user_may_invite", invite)).toMatchObject({
      outcome: "refused",
      answer: "M_FORBIDDEN",
    });
    expect(await t.ask("user_may_invite", invite)).toMatchObject({ asked: true, answer: "M_FORBIDDEN" });
    expect(asked).toEqual(["first", "second", "second"]);
  });

  test("lets all modules of a chain edit the same request, and tells what they made of it", async () => {
    const edit = (key: string) =>
      withHandler("on_create_room", ({ request_content }: { request_content: Record<string, unknown> }) => {
        request_content[key] = Object.keys(request_content).length;
      });
    const t = await testerOf([edit("a"), withHandler("on_create_room", () => {}), edit("b")]);
    const result = await t.ask("on_create_room", {
      requester: "@a:example.org",
      request_content: { name: "x" },
    });
    expect(result).toEqual({ asked: true, outcome: "done", edits: { name: "x", a: 1, b: 2 } });
  });

  test("merges answers where Synapse does", async () => {
    const t = await testerOf([
      withHandler("add_field_to_unsigned_callback", { fields: { a: { $event: "type" } } }),
      withHandler("add_field_to_unsigned_callback", () => ({ b: 1 })),
    ]);
    const result = await t.ask("add_field_to_unsigned_callback", { event: event.message("@a:x", "x") });
    expect(result).toEqual({ asked: true, outcome: "answered", answer: { a: "m.room.message", b: 1 } });
  });

  test("tells the reason that a module gives, which is no part of what a client gets", async () => {
    const t = await testerOf(
      withHandler(
        "user_may_invite",
        (_: object, { reason }: { reason(text: string, details: object): void }) => {
          reason("a link", { host: "x.org" });
          return Codes.FORBIDDEN;
        },
      ),
    );
    const result = await t.ask("user_may_invite", invite);
    expect(Object.keys(result)).toEqual(["asked", "outcome", "answer"]);
    expect(result.reason).toEqual({ text: "a link", details: { host: "x.org" } });
  });

  test("freezes parameters, as in production", async () => {
    const t = await testerOf(
      withHandler("check_event_allowed", ({ event: given }: { event: { content: { body: string } } }) => {
        given.content.body = "changed";
        return true;
      }),
    );
    const asked = t.ask("check_event_allowed", { event: event.message("@a:x", "x") });
    await expect(asked).rejects.toThrow(/read only/);
  });
});

describe("parameters", () => {
  const seen: Record<string, unknown>[] = [];
  const state = async (params: { event?: unknown; state_events: { all(): Promise<{ type: string }[]> } }) => {
    seen.push({ event: params.event, types: (await params.state_events.all()).map(({ type }) => type) });
    return true;
  };
  afterEach(() => void seen.splice(0));

  test("setState changes the state of a room of the test", async () => {
    const module = { callbacks: { check_event_allowed: state } };
    const t = await testerOf(module, { rooms: { "!r:example.org": { state: [event.create()] } } });
    const asked = { event: event.message("@a:example.org", "x"), room: "!r:example.org" };
    t.setState("!r:example.org", "m.room.member", { membership: "join" }, "@a:example.org");
    await t.ask("check_event_allowed", asked);
    t.setState("!r:example.org", "m.room.topic", { topic: "tea" });
    t.setState("!r:example.org", "m.room.topic", { topic: "coffee" });
    await t.ask("check_event_allowed", asked);
    const before = ["m.room.create", "m.room.member"];
    expect(seen.map(({ types }) => types)).toEqual([before, [...before, "m.room.topic"]]);
    expect(() => t.setState("!s:example.org", "m.room.topic", {})).toThrow(
      "setState: there is no room !s:example.org in `rooms` (!r:example.org)",
    );
  });

  test("the room's state comes from rooms, or from what the call brings", async () => {
    const t = await testerOf(
      { callbacks: { check_event_allowed: state, check_threepid_can_be_invited: state } },
      {
        rooms: {
          "!r:example.org": { state: [event.create({ room_version: "11" }), event.topic("tea")] },
          "!s:example.org": { state: [event.create()] },
        },
      },
    );
    const message = event.message("@a:example.org", "x", { room_id: "!r:example.org" });
    await t.ask("check_event_allowed", { event: message });
    await t.ask("check_event_allowed", { event: event.message("@a:x", "x"), room: "!s:example.org" });
    await t.ask("check_threepid_can_be_invited", {
      medium: "email",
      address: "a@b.c",
      state_events: { room: { state: [{ type: "m.room.name", content: { name: "x" } }] } },
    });
    await t.ask("check_threepid_can_be_invited", { medium: "email", address: "a@b.c" });
    expect(seen.map(({ types }) => types)).toEqual([
      ["m.room.create", "m.room.topic"],
      ["m.room.create"],
      ["m.room.name"],
      [],
    ]);
    expect(seen[0]?.event).toMatchObject({ room_id: "!r:example.org", room_version: "11" });
    expect(seen[1]?.event).toMatchObject({ room_id: "!s:example.org", room_version: "12" });
    const elsewhere = t.ask("check_event_allowed", { event: message, room: "!t:example.org" });
    await expect(elsewhere).rejects.toThrow("there is no room !t:example.org in `rooms`");
  });

  test("an event as a client shows it fits", async () => {
    const t = await testerOf({ callbacks: { check_event_allowed: state } }, { now: 5 });
    const copied = { type: "m.room.message", sender: "@a:example.org", content: { body: "x" } };
    await t.ask("check_event_allowed", { event: copied });
    expect(seen[0]?.event).toMatchObject({
      ...copied,
      event_id: expect.stringMatching(/^\$[\w-]{43}$/),
      origin_server_ts: 5,
      internal_metadata: { outlier: false },
    });
  });

  test("a media file is bytes, which are gone afterwards", async () => {
    const t = await testerOf({
      callbacks: {
        check_media_file_for_spam: async ({ file_wrapper, file_info }: never) => {
          const { path, read } = file_wrapper as { path: string; read(): Promise<Uint8Array> };
          const bytes = await read.call(file_wrapper);
          seen.push({ path, info: file_info });
          return bytes[0] === 0x4d ? Codes.FORBIDDEN : NOT_SPAM;
        },
      },
    });
    const ask = (file: string | Uint8Array) => t.ask("check_media_file_for_spam", { file_wrapper: file });
    expect(await ask(new Uint8Array([0x4d, 0x5a]))).toMatchObject({ outcome: "refused" });
    expect(await ask("text")).toMatchObject({ outcome: "allowed" });
    const { existsSync } = await import("node:fs");
    expect(existsSync(String(seen[0]?.path))).toBe(false);
  });

  test.each([
    [
      "a misspelt one",
      { invitr: "@a:x", invitee: "@b:x", room_id: "!r:x" },
      "has no parameter invitr (did you mean",
    ],
    ["a missing one", { inviter: "@a:x", room_id: "!r:x" }, "must have required property 'invitee'"],
    ["one of another type", { ...invite, room_id: 7 }, "params.room_id must be string"],
  ])("%s is refused before any module is asked", async (_, params, message) => {
    const t = await testerOf(withHandler("user_may_invite", () => NOT_SPAM));
    await expect(t.ask("user_may_invite", params as never)).rejects.toThrow(message);
  });
});

describe("logins", () => {
  const module = {
    callbacks: {
      auth_checkers: [
        {
          login_type: "org.example.token",
          fields: ["token"],
          handler({ login_dict }: { login_dict: Record<string, string> }, { api }: never) {
            if (login_dict.token === "typo") return login_dict.tokn ?? null;
            if (login_dict.token !== "right") return null;
            const { get_qualified_user_id } = api as Record<string, (params: object) => string>;
            const user = get_qualified_user_id?.({ username: "a" });
            return [
              user,
              (response: Record<string, unknown>) => void Object.assign(response, { hint: "hi" }),
            ];
          },
        },
      ],
    },
  };
  const users = { "@a:example.org": {} };
  const login = { username: "a", login_type: "org.example.token" };

  test("a checker answers with the user, and what it leaves for later runs at followUp", async () => {
    const t = await testerOf(module, { users });
    const result = await t.ask("auth_checkers", { ...login, login_dict: { token: "right" } });
    expect(result).toEqual({ asked: true, outcome: "answered", answer: "@a:example.org" });
    expect(Object.keys(result)).toEqual(["asked", "outcome", "answer"]);
    expect(await result.followUp?.({ user_id: "@a:example.org" })).toEqual({
      user_id: "@a:example.org",
      hint: "hi",
    });
    expect(await t.ask("auth_checkers", { ...login, login_dict: { token: "x" } })).toMatchObject({
      answer: null,
    });
    const other = { ...login, login_type: "m.login.password", login_dict: { password: "x" } };
    expect(await t.ask("auth_checkers", other)).toEqual({ asked: false, why: "undeclared" });
  });

  test("a field that is not declared throws, whether the test gives it or the module reads it", async () => {
    const t = await testerOf(module, { users });
    const given = t.ask("auth_checkers", { ...login, login_dict: { token: "x", tokn: "x" } });
    await expect(given).rejects.toThrow("login_dict.tokn is not among the fields");
    const lacking = t.ask("auth_checkers", { ...login, login_dict: {} });
    await expect(lacking).rejects.toThrow("login_dict lacks token");
    const read = t.ask("auth_checkers", { ...login, login_dict: { token: "typo" } });
    await expect(read).rejects.toThrow("login_dict.tokn is not among the fields");
  });
});

describe("the api", () => {
  const call = (run: (api: never, params: never) => unknown, grants: readonly string[] = []) => ({
    grants,
    callbacks: {
      async get_media_config_for_user(params: object, { api }: { api: object }) {
        return { given: (await run(api as never, params as never)) ?? null };
      },
    },
  });
  const result = async (t: Tester) =>
    (
      (await t.ask("get_media_config_for_user", { user_id: "@a:example.org" })).answer as
        | { given: unknown }
        | undefined
    )?.given;

  // Every call of it, as a module that TypeScript has not checked makes it.
  // biome-ignore lint/suspicious/noExplicitAny: what a module gets is typed elsewhere
  type AnyApi = any;

  test("knows the users and rooms of the test", async () => {
    const t = await testerOf(
      call(async (api: AnyApi) => [
        ((await api.get_userinfo_by_id({ user_id: "@a:example.org" })) as { creation_ts: number })
          .creation_ts,
        await api.get_userinfo_by_id({ user_id: "@c:example.org" }),
        await api.is_user_admin({ user_id: "@b:example.org" }),
        await api.check_user_exists({ user_id: "@A:example.org" }),
        await api.get_canonical_room_alias({ room_id: "!r:example.org" }),
        ((await api.get_room_state({ room_id: "!r:example.org" })) as unknown[]).length,
        await api.public_room_list_manager.room_is_in_public_room_list({ room_id: "!r:example.org" }),
        api.get_current_time_msec(),
      ]),
      {
        now: "2026-01-10T00:00:00Z",
        users: { "@a:example.org": { created: "2026-01-09" }, "@b:example.org": { admin: true } },
        rooms: {
          "!r:example.org": { public: true, state: [event.create(), event.canonicalAlias("#x:example.org")] },
        },
      },
    );
    expect(await result(t)).toEqual([
      ...[Date.parse("2026-01-09") / 1000, null, true, "@a:example.org", "#x:example.org", 2, true],
      Date.parse("2026-01-10"),
    ]);
  });

  test("asks the test for what it does not know, and says which line to write", async () => {
    const read = (api: AnyApi) => api.check_push_rule_actions({ actions: ["notify"] });
    await expect(result(await testerOf(call(read)))).rejects.toThrow(
      "give it to createTester: api: { check_push_rule_actions: async ({ actions }) => {} }",
    );
    const given = await testerOf(call(read), { api: { check_push_rule_actions: async () => {} } });
    expect(await result(given)).toBe(null);
    const wrong = await testerOf(
      call((api: AnyApi) => api.get_user_ip_and_agents({ user_id: "@a:x" })),
      {
        api: { get_user_ip_and_agents: async () => [{ ip: 7 }] as never },
      },
    );
    await expect(result(wrong)).rejects.toThrow(
      "the test's answer of api.get_user_ip_and_agents does not fit",
    );
  });

  test("gives a module what the test's functions throw", async () => {
    const caught = (api: AnyApi) =>
      api.http_client
        ?.get_json?.({ uri: "https://x" })
        .catch((error: SynapseError) => [error.name, error.errcode]);
    const t = await testerOf(call(caught, ["http_client"]), {
      api: {
        http_client: {
          get_json: async () => {
            throw new SynapseError(502, "down", "M_DOWN");
          },
        },
      },
    });
    expect(await result(t)).toEqual(["SynapseError", "M_DOWN"]);
  });

  test("bytes, responses and statements travel both ways", async () => {
    const t = await testerOf(
      call(
        async (api: AnyApi) => [
          (await api.http_client.get_raw({ uri: "https://x" })) instanceof Uint8Array,
          (
            (await api.http_client.request({
              method: "PUT",
              uri: "https://x",
              data: new Uint8Array([7]),
            })) as {
              code: number;
            }
          ).code,
          await api.run_db_interaction({ desc: "x", statements: [{ sql: "SELECT 1" }] }),
        ],
        ["http_client", "run_db_interaction"],
      ),
      {
        api: {
          http_client: {
            get_raw: async () => new Uint8Array([1, 2]),
            request: async ({ data }) => ({
              ...{ code: data?.[0] ?? 0, phrase: "OK", headers: {} },
              body: new Uint8Array(),
            }),
          },
          run_db_interaction: (async () => [{ rows: [{ a: 1 }], rowcount: 1 }]) as never,
        },
      },
    );
    expect(await result(t)).toEqual([true, 7, [{ rows: [{ a: 1 }], rowcount: 1 }]]);
  });

  test("refuses a write that the module does not declare, unless the test grants it", async () => {
    const write = call((api: AnyApi) => api.delete_room({ room_id: "!r:x" }));
    await expect(result(await testerOf(write))).rejects.toThrow("may not call delete_room");
    const t = await testerOf(write, { grants: ["delete_room"] });
    expect(await result(t)).toBe(null);
    expect(t.writes).toEqual([{ method: "delete_room", params: { room_id: "!r:x" } }]);
  });

  test("a write has the effect that later reads show", async () => {
    const t = await testerOf(
      call(
        async (api: AnyApi) => {
          const target = "@a:example.org";
          const room_id = "!r:example.org";
          await api.update_room_membership({ sender: target, target, room_id, new_membership: "leave" });
          await api.register_user({ localpart: "new" });
          const [member] = (await api.get_room_state({
            room_id,
            event_filter: [["m.room.member", null]],
          })) as { content: object }[];
          return [member?.content, await api.check_user_exists({ user_id: "@new:example.org" })];
        },
        ["update_room_membership", "register_user"],
      ),
      { rooms: { "!r:example.org": { state: [event.member("@a:example.org", "join")] } } },
    );
    expect(await result(t)).toEqual([{ membership: "leave" }, "@new:example.org"]);
  });
});

describe("the clock", () => {
  const counting = {
    grants: ["store"],
    callbacks: {
      async get_username_for_registration(_: object, { api }: never) {
        const { store, get_current_time_msec } = api as {
          store: { update(params: object): Promise<number> };
          get_current_time_msec(): number;
        };
        const count = await store.update({ key: "n", update: (n = 0) => n + 1, ttl: "1h" });
        return `${count}@${get_current_time_msec()}`;
      },
    },
  };
  const ask = async (t: Tester) => (await t.ask("get_username_for_registration", {})).answer;

  test("stands still but for advance, which also ends what the store keeps for a while", async () => {
    const t = await testerOf(counting, { now: 1_000 });
    expect([await ask(t), await ask(t)]).toEqual(["1@1000", "2@1000"]);
    expect(t.store.entries()).toEqual([{ key: "n", value: 2 }]);
    t.advance("1h");
    expect(t.store.entries()).toEqual([]);
    expect(await ask(t)).toBe("1@3601000");
  });

  test("follows the runner's fake clock, and needs no turn of its timers", async () => {
    jest.useFakeTimers({ now: 5_000 });
    const t = await testerOf(counting);
    expect(await ask(t)).toBe("1@5000");
    jest.advanceTimersByTime(3_600_000);
    expect(await ask(t)).toBe("1@3605000");
    await t.close();
  });
});

describe("web resources", () => {
  const module = {
    web_resources: {
      "/_synapse/client/x/stats": async (request: Request, { api }: never) => {
        const { get_user_by_req } = api as Record<string, (params: object) => Promise<{ user_id: string }>>;
        const who = await get_user_by_req?.({ req: request });
        return { who: who?.user_id, method: request.method, body: await request.text() };
      },
      "/_synapse/client/x/broken": () => {
        throw new TypeError("broken");
      },
    },
  };

  test("are asked as a client does, by a user of the test", async () => {
    const t = await testerOf(module);
    const response = await t.fetch("/_synapse/client/x/stats/today?a=1", {
      as: "@a:example.org",
      json: { b: 1 },
    });
    expect([response.status, await response.json()]).toEqual([
      200,
      { who: "@a:example.org", method: "POST", body: '{"b":1}' },
    ]);
    const nobody = await t.fetch("/_synapse/client/x/stats");
    expect([nobody.status, await nobody.json()]).toEqual([
      401,
      { errcode: "M_MISSING_TOKEN", error: "Missing access token" },
    ]);
    expect((await t.fetch("/_synapse/client/y")).status).toBe(404);
    await expect(t.fetch("/_synapse/client/x/broken")).rejects.toThrow(TypeError);
  });
});

describe("loading", () => {
  test("the config is checked, and its defaults are filled in", async () => {
    const schema = {
      type: "object",
      properties: { name: { type: "string" }, limit: { type: "integer", default: 3 } },
      required: ["name"],
    };
    const module = defineModule({
      configSchema: { ...schema, type: "object" } as never,
      callbacks: { get_media_config_for_user: (_, { config }) => config as never },
    });
    const t = await testerOf(module, { config: { name: "x" } });
    expect(await t.ask("get_media_config_for_user", { user_id: "@a:x" })).toMatchObject({
      answer: { name: "x", limit: 3 },
    });
    await expect(createTester(module, { config: { limit: "x" } })).rejects.toThrow(
      "config name: is required\nconfig limit: must be integer",
    );
  });

  test("what is no module, or has a fault, is refused with all that is wrong", async () => {
    await expect(createTester({ callbacks: { user_may_invit: () => true }, grant: [] })).rejects.toThrow(
      /unknown key grant[\s\S]*unknown callback user_may_invit \(did you mean user_may_invite/,
    );
    await expect(createTester({ default: { default: {} } })).rejects.toThrow("exports no module");
    await expect(createTester([])).rejects.toThrow("at least one module");
  });

  test("a misspelt option is refused, with the one that was meant", async () => {
    const module = withHandler("user_may_invite", () => NOT_SPAM);
    await expect(createTester(module, { usrs: {} } as object)).rejects.toThrow(
      "createTester: there is no key usrs (did you mean users?)",
    );
    await expect(createTester([{ module, confg: {} }])).rejects.toThrow(
      "createTester: there is no key confg (did you mean config?)",
    );
  });

  test.each<[object, string]>([
    [
      { users: { "@a:example.org": { admn: true } } },
      "users: @a:example.org: there is no key admn (did you mean admin?)",
    ],
    [{ users: { "@a:example.org": null } }, "users: @a:example.org: must be an object"],
    [{ rooms: { "!r:x": { stat: [] } } }, "rooms: !r:x: there is no key stat (did you mean state?)"],
    [{ timeout: { locl: 5 } }, "createTester: timeout: there is no key locl (did you mean local?)"],
    [
      { api: { is_user_admn: () => true } },
      "api: there is no method is_user_admn (did you mean is_user_admin?)",
    ],
    [
      { api: { http_client: { get_jsn: () => 1 } } },
      "api: there is no method http_client.get_jsn (did you mean",
    ],
    [{ api: { is_user_admin: true } }, "api: is_user_admin must be a function that gives the answer"],
  ])("what the kit would never look at is refused: %j", async (options, message) => {
    const module = withHandler("user_may_invite", () => NOT_SPAM);
    await expect(createTester(module, options)).rejects.toThrow(message);
  });

  test("a handler that throws what cannot be read has thrown all the same", async () => {
    const fail = () => {
      throw 1;
    };
    const t = await testerOf(
      withHandler("user_may_invite", () => {
        throw new Proxy({}, { get: fail, has: fail, getPrototypeOf: fail, ownKeys: fail });
      }),
    );
    await expect(t.ask("user_may_invite", invite)).rejects.toThrow("something that cannot be read");
  });

  test("a timeout may be longer than a timer can wait", async () => {
    const late = () => new Promise((resolve) => void setTimeout(resolve, 20, NOT_SPAM));
    const t = await testerOf(withHandler("user_may_invite", late), { timeout: "1y" });
    expect((await t.ask("user_may_invite", invite)).outcome).toBe("allowed");
  });

  test("a call that is asked during a reload is answered by the version that was asked", async () => {
    const late = () => new Promise((resolve) => void setTimeout(resolve, 50, NOT_SPAM));
    const t = await testerOf(withHandler("user_may_invite", late));
    const asked = t.ask("user_may_invite", invite);
    await t.reload();
    expect((await asked).outcome).toBe("allowed");
  });

  test("a call that has no answer at the end says so", async () => {
    const t = await testerOf(withHandler("user_may_invite", () => new Promise(() => {})));
    const asked = t.ask("user_may_invite", invite).catch(({ message }) => message);
    await t.close();
    expect(await asked).toBe("the module was closed or loaded again before it had answered");
  });

  test("a misspelt key of a room that a call gives is refused", async () => {
    const t = await testerOf(withHandler("check_event_allowed", () => true));
    const params = { event: event.message("@a:x", "x"), state_events: { room: { stat: [] } } };
    await expect(t.ask("check_event_allowed", params as never)).rejects.toThrow("there is no key stat");
  });

  test("what setup throws is what createTester rejects with", async () => {
    const fault = new Error("the list server is down");
    const setup = async () => Promise.reject(fault);
    await expect(createTester({ setup, callbacks: {} })).rejects.toBe(fault);
  });

  test("reload runs setup again and forgets kept answers; the store stays", async () => {
    let setups = 0;
    const t = await testerOf({
      grants: ["store"],
      setup: () => ({ setups: ++setups }),
      callbacks: {
        get_media_config_for_user: {
          ttl: "1h",
          async handler(_: object, { data, api }: never) {
            await (api as { store: { set(params: object): Promise<void> } }).store.set({
              key: "k",
              value: data,
            });
            return data;
          },
        },
      },
    });
    const ask = async () => (await t.ask("get_media_config_for_user", { user_id: "@a:x" })).answer;
    expect([await ask(), await ask()]).toEqual([{ setups: 1 }, { setups: 1 }]);
    await t.reload();
    expect(t.store.entries()).toEqual([{ key: "k", value: { setups: 1 } }]);
    expect(await ask()).toEqual({ setups: 2 });
  });

  test("close rejects where a write that nobody awaits is still pending", async () => {
    const t = await testerOf({
      grants: ["send_mail"],
      callbacks: {
        user_may_invite(_: object, { api }: never) {
          const mail = { recipient: "a", subject: "b", html: "c", text: "d" };
          void (api as { send_mail(params: object): Promise<void> }).send_mail(mail);
          return NOT_SPAM;
        },
      },
    });
    await t.ask("user_may_invite", invite);
    await expect(t.close()).rejects.toThrow("api.send_mail of module");
    await expect(t.ask("user_may_invite", invite)).rejects.toThrow("this tester is closed");
  });

  test("a module's close runs at reload and at close, with the api", async () => {
    type Api = {
      store: { get(params: object): Promise<number | undefined>; set(params: object): Promise<void> };
    };
    const closed: unknown[] = [];
    const t = await testerOf({
      grants: ["store"],
      setup: ({ api }: { api: Api }) => api,
      async close({ data: { store } }: { data: Api }) {
        const count = ((await store.get({ key: "n" })) ?? 0) + 1;
        await store.set({ key: "n", value: count });
        closed.push(count);
      },
    });
    await t.reload();
    await t.close();
    expect([closed, t.store.entries()]).toEqual([[1, 2], [{ key: "n", value: 2 }]]);
  });

  test("await using closes it", async () => {
    let t: Tester | undefined;
    {
      await using own = await createTester({ callbacks: {} });
      t = own;
    }
    await expect(t.ask("user_may_invite", invite)).rejects.toThrow("this tester is closed");
  });
});
