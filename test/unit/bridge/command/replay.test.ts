// The command `replay`, as a person runs it on a recording.
import { describe, expect, test } from "@jest/globals";
import { moduleOf } from "../rig.js";
import { event, INVITE } from "../samples.js";
import { folder, run } from "./command-line.js";

// biome-ignore lint/suspicious/noExplicitAny: what a report has is what these tests look at.
type Report = any;

let second = 0;

function line(more: object): string {
  return JSON.stringify({
    recording: 1,
    at: new Date(Date.UTC(2026, 0, 1) + 1000 * second++).toISOString(),
    module: "policy",
    callback: "user_may_invite",
    request: null,
    params: INVITE,
    verdict: { answer: "NOT_SPAM" },
    ms: 1,
    versions: { bridge: "0.1.0", node: "v20.0.0", files: "f", config: "c" },
    synapse: {
      version: "1.163.2",
      server_name: "example.org",
      worker_name: null,
      run_background_tasks: true,
    },
    ...more,
  });
}

function write(name: string, ...lines: object[]): string {
  return folder.write(name, lines.map((one) => `${line(one)}\n`).join(""));
}

async function replay(file: string, recording: string, ...args: string[]): Promise<Report> {
  const { out, err, code } = await run(["replay", file, recording, "--json", ...args]);
  if (out === "") throw new Error(`${code}: ${err}`);
  return { ...JSON.parse(out), code, err };
}

const invite = (body: string) => folder.write("policy.ts", moduleOf("user_may_invite", body));

test("differences are grouped by what they are, the most frequent first, each with some examples", async () => {
  const recording = write(
    "grouped.jsonl",
    ...Array.from({ length: 20 }, (_, i) => ({ params: { ...INVITE, inviter: `@u${i}:example.org` } })),
    { verdict: { answer: "M_FORBIDDEN" } },
    { verdict: { error: { code: 403, errcode: "M_X", msg: "no" } } },
    { verdict: { fault: "threw", message: "Error: old" } },
    { verdict: { unavailable: "deadline" } },
    { verdict: { answer: ["M_FORBIDDEN", { a: 1 }] } },
  );
  const file = invite(
    "return params.inviter.startsWith('@u') && params.inviter < '@u5' ? Codes.FORBIDDEN : NOT_SPAM;",
  );
  const report = await replay(file, recording);
  expect(report).toMatchObject({
    module: "policy",
    calls: 25,
    differing: 20,
    uncertain: 0,
    code: 0,
    err: "",
  });
  const { differences, same } = report.callbacks.user_may_invite;
  expect(same).toBe(5);
  expect(differences.map(({ from, to, count }: Report) => [from, to, count])).toEqual([
    ["NOT_SPAM", "M_FORBIDDEN", 15],
    ["M_FORBIDDEN", "NOT_SPAM", 1],
    ["SynapseError 403 M_X", "NOT_SPAM", 1],
    ["a fault (threw)", "NOT_SPAM", 1],
    ["no answer in time", "NOT_SPAM", 1],
    ["M_FORBIDDEN with fields", "NOT_SPAM", 1],
  ]);
  expect(differences[0].examples).toHaveLength(5);
  expect(differences[0].examples[0]).toEqual({
    at: expect.stringMatching(/^2026-01-01T/),
    user: "@u0:example.org",
    room: INVITE.room_id,
  });
});

test.each([
  ["0 if nothing differs", "return NOT_SPAM;", 0, "All 2 verdicts are as recorded."],
  ["1 if a verdict differs", "return Codes.FORBIDDEN;", 1, "2 of 2 verdicts differ."],
  [
    "0 if verdicts cannot be compared, and tells how many",
    "return (await context.api.is_user_admin({ user_id: '@a:b' }).catch(() => 1)) ? Codes.FORBIDDEN : NOT_SPAM;",
    0,
    "0 of 2 verdicts differ; 2 more cannot be compared, since the recording lacks something.",
  ],
])("with --expect-same, the exit code is %s", async (_, body, code, conclusion) => {
  const done = await run(["replay", invite(body), write("same.jsonl", {}, {}), "--expect-same"]);
  expect([done.code, done.out.trimEnd().split("\n").at(-1)]).toEqual([code, conclusion]);
});

describe("--callback", () => {
  const recording = () =>
    write(
      "chosen.jsonl",
      {},
      { callback: "user_may_join_room", params: { user: "@a:b", room: "!r:x", is_invited: true } },
      { callback: "user_may_create_room", params: { user_id: "@a:b" } },
    );

  test("chooses the callbacks whose calls are asked", async () => {
    const args = ["--callback", "user_may_invite", "--callback", "user_may_create_room"];
    const report = await replay(invite("return Codes.FORBIDDEN;"), recording(), ...args);
    expect(report).toMatchObject({ calls: 2, differing: 1, without_calls: [], unknown_callbacks: {} });
    expect(Object.keys(report.callbacks).sort()).toEqual(["user_may_create_room", "user_may_invite"]);
  });

  test("must be one of which the recording has calls: without any, nothing is the same", async () => {
    const args = ["--callback", "user_may_publish_room", "--expect-same"];
    expect(await run(["replay", invite("return NOT_SPAM;"), recording(), ...args])).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(/has no calls of policy to ask about: none is of user_may_publish_room\n$/),
    });
  });

  test("must be a callback", async () => {
    const args = ["replay", invite("return NOT_SPAM;"), recording(), "--callback", "user_may_invit"];
    expect(await run(args)).toMatchObject({
      code: 2,
      out: "",
      err: "there is no callback user_may_invit (did you mean user_may_invite?)\n",
    });
  });
});

test("files that Synapse removes during the replay are left out, and told", async () => {
  const removes = `(await import("node:fs")).rmSync(${JSON.stringify(folder.path("live/a.jsonl"))}, { force: true });`;
  const file = folder.write("policy.ts", moduleOf("user_may_invite", "return NOT_SPAM;", removes));
  write("live/a.jsonl", {});
  write("live/b.jsonl", {}, {});
  const { code, out } = await run(["replay", file, folder.path("live")]);
  expect([code, out.split("\n").find((text) => text.includes("removed"))]).toEqual([
    0,
    "1 file was removed before it was read, and its calls are left out: Synapse removes the oldest while it records.",
  ]);
  expect(out).toMatch(/was asked 2 calls/);
});

describe("the module that is replaced", () => {
  const several = () => write("several.jsonl", { module: "one" }, { module: "two" }, { module: "two" });

  test.each([
    ["is the one with the name of the file", "two.ts", [], "two", 2],
    ["is the one that --module names", "other.ts", ["--module", "one"], "one", 1],
  ])("%s", async (_, name, args, module, calls) => {
    const file = folder.write(name, moduleOf("user_may_invite", "return NOT_SPAM;"));
    expect(await replay(file, several(), ...args)).toMatchObject({ module, calls, differing: 0 });
  });

  test.each([
    [
      [],
      "has the calls of several modules, and none is called other: choose one with --module: one (1), two (2)",
    ],
    [
      ["--module", "tvo"],
      "has no calls of the module tvo (did you mean two?); it has those of one (1), two (2)",
    ],
  ])("must be clear: with %j it is not", async (args, message) => {
    const file = folder.write("other.ts", moduleOf("user_may_invite", "return NOT_SPAM;"));
    const { code, out, err } = await run(["replay", file, several(), ...args]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });
});

describe("what cannot be used", () => {
  test.each([
    ["no file", "nothing.jsonl", "there is no recording"],
    ["no calls", "empty.jsonl", "has no calls"],
    ["lines of JSON in several lines each", "pretty.jsonl", "3 of its lines are no lines of a recording"],
    [
      "a recording of another version",
      "newer.jsonl",
      "has the format 2, and this command reads the format 1",
    ],
  ])("%s: exit code 2 and the reason", async (_, name, message) => {
    folder.write("empty.jsonl", "");
    folder.write("pretty.jsonl", '{\n  "recording": 1\n}\n');
    write("newer.jsonl", { recording: 2 });
    const { code, out, err } = await run(["replay", invite("return NOT_SPAM;"), folder.path(name)]);
    expect([code, out, err.trimEnd().split("\n").length]).toEqual([2, "", 1]);
    expect(err).toContain(message);
  });

  test("a module whose setup fails, with what the recording lacks", async () => {
    const file = folder.write(
      "policy.ts",
      'import { defineModule } from "synapse-module-bridge";\nexport default defineModule({ setup: async ({ api }) => { await api.get_monthly_active_users_by_service(); }, callbacks: { user_may_invite: () => "NOT_SPAM" } });\n',
    );
    const { code, err } = await run(["replay", file, write("setup.jsonl", {})]);
    expect(code).toBe(2);
    expect(err).toMatch(
      /setup has not succeeded.*the recording does not have: api.get_monthly_active_users_by_service/,
    );
  });

  test("a module that ends Node is named, with the call", async () => {
    const { code, err } = await run(["replay", invite("process.exit(0);"), write("exits.jsonl", {})]);
    expect(code).toBe(1);
    expect(err).toMatch(
      /user_may_invite \(recorded at 2026-.*Node ended while the module was asked \(exit code 0\)/,
    );
  });
});

// Each waits for seconds: all at once, with files of their own.
describe("a module that does not answer", () => {
  const inviting = (name: string, body: string) => folder.write(name, moduleOf("user_may_invite", body));

  test.concurrent("since it blocks Node is named, with the call", async () => {
    const { code, err } = await run([
      "replay",
      inviting("blocks.ts", "for (;;);"),
      write("blocked.jsonl", {}),
    ]);
    expect(code).toBe(1);
    expect(err).toMatch(/user_may_invite \(recorded at 2026-.*: the module blocked Node for 15 s/);
  }, 40_000);

  test.concurrent("any more is named, and not asked thousands of times", async () => {
    const recording = write("late.jsonl", ...Array.from({ length: 50 }, () => ({})));
    const file = inviting("silent.ts", "await new Promise(() => setInterval(() => {}, 1e6));");
    expect(await run(["replay", file, recording])).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(
        /has not answered 6 calls in a row within 5 s each, the last one user_may_invite/,
      ),
    });
  }, 50_000);

  test.concurrent("one call is not in time, and the next call is asked", async () => {
    const file = inviting(
      "slow.ts",
      "if (params.inviter === '@slow:x') await new Promise(() => setInterval(() => {}, 1e6)); return NOT_SPAM;",
    );
    const recording = write("slow.jsonl", { params: { ...INVITE, inviter: "@slow:x" } }, {});
    const { differences, same } = (await replay(file, recording)).callbacks.user_may_invite;
    expect([same, differences.map(({ to }: Report) => to)]).toEqual([1, ["no answer in time"]]);
  }, 30_000);
});

test("an answer with its keys in another order is the same", async () => {
  const answer = ["M_FORBIDDEN", { a: { b: 1, c: [{ d: 1, e: 2 }] }, f: 1 }];
  const file = invite("return [Codes.FORBIDDEN, { f: 1, a: { c: [{ e: 2, d: 1 }], b: 1 } }];");
  expect(await replay(file, write("order.jsonl", { verdict: { answer } }))).toMatchObject({ differing: 0 });
});

test("a call as Synapse never makes it is left out, and counted", async () => {
  const recording = write(
    "unfit.jsonl",
    { callback: "check_media_file_for_spam", params: { file_wrapper: 5, file_info: {} } },
    { callback: "check_event_for_spam", params: { event: 5 } },
    {},
  );
  const file = folder.write(
    "policy.ts",
    `import { defineModule, NOT_SPAM } from "synapse-module-bridge";
    export default defineModule({ callbacks: {
      check_media_file_for_spam: () => NOT_SPAM, check_event_for_spam: () => NOT_SPAM, user_may_invite: () => NOT_SPAM,
    } });`,
  );
  expect(await replay(file, recording)).toMatchObject({ calls: 2, differing: 0, skipped: { unreadable: 1 } });
});

test("`match` of the new version decides what it is asked, and a call without it means no objection", async () => {
  const file = folder.write(
    "policy.ts",
    `import { Codes, defineModule } from "synapse-module-bridge";
    export default defineModule({ callbacks: { user_may_invite: { match: { local: true, invitee: ["@b*"] }, handler: () => Codes.FORBIDDEN } } });`,
  );
  const recording = write(
    "match.jsonl",
    { params: { ...INVITE, inviter: "@x:remote" } },
    { params: { ...INVITE, invitee: "@c:x" }, verdict: { answer: "M_FORBIDDEN" } },
    { verdict: { answer: "M_FORBIDDEN" } },
    { callback: "user_may_join_room", params: { user: "@a:b", room: "!r:x", is_invited: true } },
  );
  const { callbacks } = await replay(file, recording);
  expect(callbacks.user_may_invite).toMatchObject({
    calls: 3,
    same: 2,
    not_asked: 2,
    differences: [{ from: "M_FORBIDDEN", to: "not asked (match)", count: 1 }],
  });
  expect(callbacks.user_may_join_room).toMatchObject({ calls: 1, same: 1, not_asked: 1 });
});

test("`ttl` of the new version answers equal questions for as long as in production", async () => {
  const file = folder.write(
    "policy.ts",
    `import { Codes, NOT_SPAM, defineModule } from "synapse-module-bridge";
    let asked = 0;
    export default defineModule({ callbacks: { user_may_invite: { ttl: "1m", handler: () => (asked++ % 2 ? Codes.FORBIDDEN : NOT_SPAM) } } });`,
  );
  const at = (seconds: number) => ({ at: new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString() });
  const other = { params: { ...INVITE, invitee: "@z:x" } };
  const recording = write("ttl.jsonl", at(0), at(30), { ...at(40), ...other }, at(61), at(62));
  expect((await replay(file, recording)).callbacks.user_may_invite).toMatchObject({
    calls: 5,
    cached: 2,
    differences: [{ to: "M_FORBIDDEN", count: 1, examples: [at(40)] }],
  });
});

test("an answer that `ttl` keeps is as certain as the one that was kept", async () => {
  const file = folder.write(
    "policy.ts",
    `import { Codes, defineModule } from "synapse-module-bridge";
    export default defineModule({ callbacks: { user_may_invite: { ttl: "1h", async handler(_, { api }) {
      await api.get_threepids_for_user({ user_id: "@a:b" }).catch(() => {});
      return Codes.FORBIDDEN;
    } } } });`,
  );
  expect(await replay(file, write("kept.jsonl", {}, {}))).toMatchObject({ differing: 0, uncertain: 2 });
});

describe("what the module asks", () => {
  const answer = (user: string, admin: boolean) => ({
    method: "is_user_admin",
    params: { user_id: user },
    answer: admin,
  });
  const asks =
    "return (await context.api.is_user_admin({ user_id: params.inviter })) ? NOT_SPAM : Codes.FORBIDDEN;";

  test("is answered as in that call, else as in another one, the nearest before it", async () => {
    const [a, b] = ["@a:example.org", "@b:example.org"];
    const params = (inviter: string) => ({ params: { ...INVITE, inviter } });
    const recording = write(
      "answers.jsonl",
      { ...params(a), api: [answer(a, true)] },
      { ...params(a), api: [answer(a, false)], verdict: { answer: "M_FORBIDDEN" } },
      { ...params(a), verdict: { answer: "M_FORBIDDEN" } },
      params(b),
      { ...params(b), api: [answer(b, true)] },
    );
    const report = await replay(invite(asks), recording);
    expect(report).toMatchObject({ calls: 5, differing: 0, uncertain: 0, borrowed: 2, missing: {} });
  });

  test("throws as it threw", async () => {
    const error = {
      kind: "synapse_error",
      message: "m",
      data: { code: 404, errcode: "M_NOT_FOUND", msg: "none", additional_fields: {} },
    };
    const recording = write("errors.jsonl", {
      api: [{ method: "is_user_admin", params: { user_id: INVITE.inviter }, error }],
      verdict: { error: { code: 404, errcode: "M_NOT_FOUND", msg: "none" } },
    });
    expect(await replay(invite(asks), recording)).toMatchObject({ differing: 0, uncertain: 0 });
  });

  test("and the recording does not have is named with how often, and makes other verdicts uncertain", async () => {
    const body =
      "const seen = await context.api.get_threepids_for_user({ user_id: '@a:b' }).catch((error) => [error.kind]);" +
      "await context.api.http_client.get_json({ uri: 'https://x/' }).catch(() => {});" +
      "await context.api.set_displayname({ user_id: '@a:b', new_displayname: 'x' }); return seen[0] === 'api_error' ? Codes.FORBIDDEN : NOT_SPAM;";
    const report = await replay(invite(body), write("missing.jsonl", {}, {}));
    expect(report).toMatchObject({
      differing: 0,
      uncertain: 2,
      missing: { "api.get_threepids_for_user": 2, "api.http_client.get_json (never recorded)": 2 },
      writes: { "api.set_displayname": 2 },
    });
  });

  test("of its store is answered with what it has written itself, without a write", async () => {
    const body = `
      const { store } = context.api;
      const count = await store.update({ key: params.inviter, update: (value = 0) => value + 1 });
      await store.set({ key: "gone", value: 1 });
      await store.delete({ key: "gone" });
      if ((await store.get({ key: "gone" })) !== undefined) throw new Error("still there");
      return count > 2 ? Codes.FORBIDDEN : NOT_SPAM;`;
    const { callbacks, missing } = await replay(invite(body), write("store.jsonl", {}, {}, {}));
    expect(callbacks.user_may_invite).toMatchObject({
      same: 2,
      differences: [{ to: "M_FORBIDDEN", count: 1 }],
    });
    expect(missing).toEqual({ "api.store.get": 1 });
  });

  test("and --api answers comes from its file, the steps of a transaction too", async () => {
    const api = folder.write(
      "api.yaml",
      "http_client.get_json: { banned: ['@a:b'] }\nrun_db_interaction: [{ rows: [{ rooms: 3 }], rowcount: 1 }]\nis_user_admin: true\n",
    );
    const body = `
      const { api } = context;
      const { banned } = await api.http_client.get_json({ uri: "https://x/" });
      const [listed] = await api.run_db_interaction({ desc: "d", statements: [{ sql: "SELECT 1" }] });
      const done = await api.run_db_interaction({ desc: "d", func: (txn: any) => txn.execute("SELECT 1") });
      const isAdmin = await api.is_user_admin({ user_id: "@a:b" });
      return banned[0] === "@a:b" && listed.rows[0].rooms + done.rows[0].rooms === 6 && isAdmin ? Codes.FORBIDDEN : NOT_SPAM;`;
    const recording = write("given.jsonl", { api: [answer("@a:b", false)] });
    expect(await replay(invite(body), recording, "--api", api)).toMatchObject({
      differing: 1,
      uncertain: 0,
      missing: {},
      callbacks: { user_may_invite: { differences: [{ to: "M_FORBIDDEN" }] } },
    });
  });

  test.each([
    ["is_user_admn: true", "the api has no is_user_admn (did you mean is_user_admin?)"],
    ["store.get: 1", "a replay has store.get without a file: leave it out"],
    ["server_name: x", "a replay has server_name without a file: leave it out"],
    ["[1]", "must hold an object"],
  ])("must be what --api can answer: %s is refused", async (text, message) => {
    const api = folder.write("api.yaml", text);
    const { code, err } = await run([
      "replay",
      ...[invite("return NOT_SPAM;"), write("given.jsonl", {}), "--api", api],
    ]);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  const get = (key: string, value: unknown) => ({
    method: "store.get",
    params: { key },
    answer: value === undefined ? null : { value },
  });
  const swap = (key: string, expected: unknown, value: unknown) => ({
    method: "store.compare_and_set",
    params: { key, expected, value },
    answer: true,
  });
  /** Calls that count to 3, where the third one was refused. */
  const counted = [undefined, 1, 2].map((before) => ({
    api: [get("n", before), swap("n", before, (before ?? 0) + 1)],
    verdict: { answer: before === 2 ? "M_FORBIDDEN" : "NOT_SPAM" },
  }));

  test.each([
    ["in the same way: as recorded", "(await update({ key: 'n', update: (n = 0) => n + 1 })) > 2", 0],
    [
      "otherwise: what it has written itself",
      "(await update({ key: 'n', update: (n = 0) => n + 100 })) > 100",
      1,
    ],
    ["not at all: what was there before", "(await get({ key: 'n' })) > 1", 1],
  ])("of its store is answered, where it writes %s", async (_, refuses, differing) => {
    const body = `const { get, update } = context.api.store; return ${refuses} ? Codes.FORBIDDEN : NOT_SPAM;`;
    const report = await replay(invite(body), write("counted.jsonl", ...counted));
    expect(report).toMatchObject({ differing, uncertain: 0, missing: {} });
    expect(report.seconds).toBeLessThan(2);
  });

  test("of the room's state is answered from the recording, and what that lacks is named", async () => {
    const create = event({
      type: "m.room.create",
      state_key: "",
      event_id: "$c",
      content: { room_version: "11" },
    });
    const file = folder.write(
      "policy.ts",
      moduleOf(
        "check_event_allowed",
        `const create = await params.state_events.get("m.room.create", "");
         const topic = await params.state_events.get("m.room.topic", "");
         const rules = params.event.content.ask ? await params.state_events.get("m.room.join_rules", "") : 1;
         return create?.content.room_version === "11" && topic === undefined && rules !== undefined;`,
      ),
    );
    const state = {
      keys: [
        ["m.room.create", ""],
        ["m.room.topic", null],
      ],
      events: [create],
    };
    const recorded = { callback: "check_event_allowed", verdict: { answer: true }, state };
    const recording = write(
      "state.jsonl",
      { ...recorded, params: { event: event() } },
      { ...recorded, params: { event: event({ content: { ask: true } }) } },
    );
    expect(await replay(file, recording)).toMatchObject({
      differing: 0,
      uncertain: 1,
      missing: { "state m.room.join_rules ": 1 },
    });
  });

  test("of the api's clock is answered with the time of the call", async () => {
    const file = invite(
      "return new Date(context.api.get_current_time_msec()).getUTCFullYear() === 2026 ? NOT_SPAM : Codes.FORBIDDEN;",
    );
    expect(await replay(file, write("clock.jsonl", {}))).toMatchObject({ differing: 0 });
  });
});

test("for people: what differs with who and where, the times, and the total; no text of a user acts on the terminal", async () => {
  const inviter = "@\u001b[31mred\u202e:example.org";
  const recording = write("shown.jsonl", { params: { ...INVITE, inviter } }, {});
  const file = invite(`return params.inviter.includes("red") ? Codes.FORBIDDEN : NOT_SPAM;`);
  const { code, out } = await run(["replay", file, recording]);
  expect(code).toBe(0);
  expect(out).toMatch(
    /user_may_invite: 1 of 2 as recorded\n {2}NOT_SPAM → M_FORBIDDEN: 1\n {4}2026-\S+ by @\\u\{1b\}\[31mred\\u\{202e\}:example.org in !room:example.org\n/,
  );
  expect(out).toMatch(
    /milliseconds +recorded p50 +p99 +now p50 +p99\n {2}user_may_invite +1\.000 +1\.000 +\d+\.\d{3} +\d+\.\d{3}\n/,
  );
  expect(out).toMatch(/\n1 of 2 verdicts differ\.\n$/);
  expect([out.includes("\u001b"), out.includes("\u202e")]).toEqual([false, false]);
});

test("an example has the reason that the module gives now", async () => {
  const file = invite("context.reason('too many invites'); return Codes.FORBIDDEN;");
  const { differences } = (await replay(file, write("reason.jsonl", {}))).callbacks.user_may_invite;
  expect(differences[0].examples).toEqual([expect.objectContaining({ message: "too many invites" })]);
});

test("calls of callbacks that this version does not know are named", async () => {
  const recording = write("unknown.jsonl", {}, { callback: "may_fly" }, { callback: "__proto__" });
  const report = await replay(invite("return NOT_SPAM;"), recording);
  expect(report.calls).toBe(1);
  expect(Object.entries(report.unknown_callbacks)).toEqual([
    ["may_fly", 1],
    ["__proto__", 1],
  ]);
});

test("odd parameters are asked as they were: __proto__, Infinity, a list as content, deep nesting", async () => {
  const contents = [
    '{"__proto__":{"x":1}}',
    '{"a":1e400}',
    "[]",
    `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`,
  ];
  const lines = contents.map((content) =>
    line({ callback: "check_event_for_spam", params: { event: event({ content: "CONTENT" }) } }).replace(
      '"CONTENT"',
      content,
    ),
  );
  const file = folder.write("policy.ts", moduleOf("check_event_for_spam", "return NOT_SPAM;"));
  expect(await replay(file, folder.write("odd.jsonl", lines.join("\n")))).toMatchObject({
    calls: 4,
    differing: 0,
  });
});
