// The commands `call` and `host`, as a person runs them.
import { describe, expect, test } from "@jest/globals";
import { moduleOf } from "../rig.js";
import { event } from "../samples.js";
import { folder, run } from "./command-line.js";

describe("call", () => {
  test("prints the answer alone on standard output, whatever the module prints", async () => {
    const file = folder.write(
      "answers.ts",
      moduleOf(
        "user_may_invite",
        "console.log('noise'); return params.inviter.startsWith('@bad') ? [Codes.FORBIDDEN, { why: context.api.server_name }] : NOT_SPAM;",
        "setInterval(() => {}, 1000);",
      ),
    );
    const params = { inviter: "@bad:x", invitee: "@b:x", room_id: "!r:x" };
    const {
      code: status,
      out,
      err,
    } = await run(["call", file, "user_may_invite", "-", "--server-name", "my.org"], JSON.stringify(params));
    expect(JSON.parse(out)).toEqual(["M_FORBIDDEN", { why: "my.org" }]);
    expect(err).toMatch(/noise/);
    expect(err).toMatch(/user_may_invite: answered in [\d.]+ ms/);
    expect(status).toBe(0);
  });

  test("keeps what a module writes to the descriptor of standard output out of the answer", async () => {
    const file = folder.write(
      "raw.ts",
      moduleOf(
        "user_may_invite",
        'writeSync(1, "raw\\n"); return NOT_SPAM;',
        'import { writeSync } from "node:fs";',
      ),
    );
    const params = JSON.stringify({ inviter: "@a:b", invitee: "@c:d", room_id: "!r:x" });
    const { out } = await run(["call", file, "user_may_invite", "-"], params, { through: "cat" });
    expect(JSON.parse(out)).toBe("NOT_SPAM");
  });

  test("prints for people what a module logs, where it threw, and the fault once, as the last line", async () => {
    const file = folder.write(
      "logs.ts",
      moduleOf(
        "user_may_invite",
        'context.log.info({ a: 1 }, "before"); throw new Error("oops");',
        'const setup = (context) => context.log.warn("in setup");',
      ).replace("callbacks:", "setup, callbacks:"),
    );
    const params = JSON.stringify({ inviter: "@a:b", invitee: "@c:d", room_id: "!r:x" });
    const { err } = await run(["call", file, "user_may_invite", "-"], params);
    const lines = err
      .trimEnd()
      .replace(/logs\.ts:\d+:\d+/, "logs.ts")
      .split("\n");
    expect(lines).toEqual([
      "logs: in setup",
      'logs: before {"a":1}',
      expect.stringMatching(/^ {4}at .*logs\.ts\)$/),
      "logs: user_may_invite threw Error: oops",
    ]);
  });

  test("runs setup with the config, and takes the room's state from the parameters", async () => {
    const file = folder.write(
      "stateful.ts",
      `export default { setup: ({ config }) => config.word, callbacks: { async check_event_allowed({ state_events }, { data }) {
        return { content: { data, topic: (await state_events.get("m.room.topic", ""))?.content.topic ?? null, keys: await state_events.keys() } }; } } };`,
    );
    folder.write("config.yaml", "word: configured\n");
    const topic = event({ type: "m.room.topic", state_key: "", content: { topic: "tea" } });
    folder.write("params.json", JSON.stringify({ event: event(), state_events: { events: [topic] } }));
    const { out } = await run([
      "call",
      file,
      "check_event_allowed",
      "params.json",
      "--config",
      "config.yaml",
    ]);
    expect(JSON.parse(out)).toEqual({
      content: { data: "configured", topic: "tea", keys: [["m.room.topic", ""]] },
    });
    folder.write("bare.json", JSON.stringify({ event: event() }));
    const bare = await run(["call", file, "check_event_allowed", "bare.json", "--config", "config.yaml"]);
    expect(JSON.parse(bare.out)).toEqual({ content: { data: "configured", topic: null, keys: [] } });
  });

  test("fills in what only the bridge knows, so that an event copied from a client fits", async () => {
    const file = folder.write(
      "copied.ts",
      `export default { callbacks: { async check_event_allowed({ event, state_events }) {
        const [create] = await state_events.getMany([["m.room.create", ""]]);
        return { content: { event, create } }; } } };`,
    );
    // As /sync gives it.
    const copied = {
      type: "m.room.message",
      sender: "@a:my.org",
      content: { body: "x" },
      origin_server_ts: 5,
    };
    const create = {
      type: "m.room.create",
      state_key: "",
      sender: "@a:my.org",
      content: { room_version: "12" },
    };
    const params = {
      event: { ...copied, internal_metadata: { soft_failed: true } },
      state_events: { events: [create] },
    };
    const run1 = await run(
      ["call", file, "check_event_allowed", "-", "--server-name", "my.org"],
      JSON.stringify(params),
    );
    const own = { room_id: "!room:my.org", room_version: "12" };
    expect(JSON.parse(run1.out)).toMatchObject({
      content: {
        event: {
          ...copied,
          ...own,
          event_id: expect.stringMatching(/^\$[\w-]{43}$/),
          internal_metadata: { outlier: false, soft_failed: true },
        },
        create: { ...create, ...own, depth: 1, internal_metadata: { outlier: false } },
      },
    });
    const given = { ...copied, event_id: "$x", room_id: "!r:x", room_version: "9" };
    const run2 = await run(["call", file, "check_event_allowed", "-"], JSON.stringify({ event: given }));
    const { event: seen } = JSON.parse(run2.out).content;
    expect(seen).toMatchObject({ ...given, internal_metadata: { outlier: false } });
  });

  test("asks only where Synapse would, and says else why not", async () => {
    const file = folder.write(
      "choosy.ts",
      `export default { callbacks: {
        user_may_invite: { match: { inviter: ["@bot:*"] }, handler: () => "M_FORBIDDEN" },
        auth_checkers: [{ login_type: "a", fields: [], match: { username: ["x"] }, handler: () => "@x:example.org" }],
        add_field_to_unsigned_callback: { fields: { by: { $event: "sender" } } },
      } };`,
    );
    const asked = (inviter: string) => JSON.stringify({ inviter, invitee: "@b:x", room_id: "!r:x" });
    const no = await run(["call", file, "user_may_invite", "-"], asked("@a:x"));
    expect([no.code, no.out]).toEqual([0, "not asked: match\n"]);
    expect(no.err).toContain("user_may_invite: match says no: Synapse does not ask choosy about this\n");
    const yes = await run(["call", file, "user_may_invite", "-"], asked("@bot:x"));
    expect([yes.code, yes.out]).toEqual([0, '"M_FORBIDDEN"\n']);
    const login = JSON.stringify({ username: "@y:z", login_type: "a", login_dict: {} });
    expect((await run(["call", file, "auth_checkers", "-"], login)).out).toBe("not asked: match\n");
    const message = JSON.stringify({ event: event({ sender: "@a:x" }) });
    const { out, err } = await run(["call", file, "add_field_to_unsigned_callback", "-"], message);
    expect(JSON.parse(out)).toEqual({ by: "@a:x" });
    expect(err).toContain("not asked: template");
  });

  test("takes the room's state and the answers of the api from files", async () => {
    const file = folder.write(
      "asks.ts",
      `export default { grants: ["http_client"], callbacks: { async check_event_allowed({ event, state_events }, { api }) {
        return { content: {
          topic: (await state_events.get("m.room.topic", "")).content.topic,
          state: (await api.get_room_state({ room_id: event.room_id })).length,
          admin: await api.is_user_admin({ user_id: event.sender }),
          list: await api.http_client.get_json({ uri: "https://x" }),
          count: await api.store.update({ key: "n", update: (n = 0) => n + 1 }),
          worker: api.worker_name,
        } }; } } };`,
    );
    const state = folder.write("state.json", '[{ "type": "m.room.topic", "content": { "topic": "tea" } }]');
    const api = folder.write("api.yaml", "is_user_admin: true\nhttp_client.get_json: [1]\nworker_name: w1\n");
    const asked = ["call", file, "check_event_allowed", "-", "--state", state, "--api", api];
    const { out, err } = await run(asked, JSON.stringify({ event: event() }));
    expect([err, JSON.parse(out)]).toEqual([
      expect.anything(),
      { content: { topic: "tea", state: 1, admin: true, list: [1], count: 1, worker: "w1" } },
    ]);
    const wrong = folder.write("wrong.yaml", "is_user_admn: true\n");
    const refused = await run([...asked.slice(0, -1), wrong], JSON.stringify({ event: event() }));
    expect(refused.err).toContain("the api has no is_user_admn (did you mean is_user_admin?)");
  });

  test("--web asks a web resource, and prints the body of its response", async () => {
    const file = folder.write(
      "web.ts",
      `export default { web_resources: { "/_synapse/client/x": (request) => ({ path: new URL(request.url).pathname }) } };`,
    );
    const { out, err } = await run(["call", file, "--web", "/_synapse/client/x/y"]);
    expect([out, err]).toEqual([
      '{"path":"/_synapse/client/x/y"}\n',
      expect.stringMatching(/: 200 in [\d.]+ ms/),
    ]);
    expect((await run(["call", file])).err).toContain("give a callback, or a web resource with --web PATH");
  });

  test.each([
    [
      "parameters that do not fit",
      "return NOT_SPAM;",
      "{}",
      /user_may_invite: params must have required property 'inviter'; .*'invitee'; .*'room_id'/,
    ],
    [
      "parameters of a wrong type",
      "return NOT_SPAM;",
      '{ "inviter": 1, "invitee": "", "room_id": null }',
      /user_may_invite: params\.inviter must be string; params\.room_id must be string/,
    ],
    ["parameters that are not JSON", "return NOT_SPAM;", "{", /standard input: .*JSON/],
    ["a handler that throws", "throw new Error('oops');", undefined, /user_may_invite threw Error: oops/],
    ["a SynapseError", "throw new SynapseError(403, 'no', 'M_FORBIDDEN');", undefined, /403 M_FORBIDDEN: no/],
    ["an answer that does not fit", "return 42;", undefined, /answered 42; expected NOT_SPAM/],
    [
      "a question to Synapse",
      "await context.api.is_user_admin({ user_id: '@a:b' });",
      undefined,
      /there is no Synapse to ask for is_user_admin/,
    ],
    [
      "a question to Synapse that needs a grant",
      "await context.api.delete_room({ room_id: '!a:b' });",
      undefined,
      /there is no Synapse to ask for delete_room: give its answer with --api FILE/,
    ],
  ])("fails on %s", async (title, body, input, message) => {
    const file = folder.write(`${title.replaceAll(" ", "-")}.ts`, moduleOf("user_may_invite", body));
    const fit = JSON.stringify({ inviter: "@a:b", invitee: "@c:d", room_id: "!r:x" });
    const { code: status, out, err } = await run(["call", file, "user_may_invite", "-"], input ?? fit);
    expect(err).toMatch(message);
    expect([status, out]).toEqual([1, ""]);
  });

  test("fails on a callback that the module lacks, and on a module that does not load", async () => {
    const file = folder.write("lacks.ts", moduleOf("user_may_invite", ""));
    expect((await run(["call", file, "user_may_invit"])).err).toContain(
      "lacks has no callback user_may_invit (did you mean user_may_invite?); it has user_may_invite",
    );
    const { code: status, err } = await run(["call", "gone.ts", "user_may_invite"]);
    expect([status, err]).toEqual([1, expect.stringContaining("there is no file or folder")]);
  });
});

test("host, run by hand, says what it is and fails", async () => {
  const { code: status, err } = await run(["host"]);
  expect(err).toContain("Synapse starts this host for its modules. It is of no use by hand.");
  expect(status).toBe(1);
});
