// Recordings of a real Synapse, and their replay against the same and another version of a module.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { bridge, shim } from "../../support/bridge.js";
import { type Client, password, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

// biome-ignore lint/suspicious/noExplicitAny: lines of JSON that each test looks at.
type Line = any;

const CLI = path.join(shim, "synapse_module_bridge", "_host", "cli.mjs");

const web = `
  web_resources: {
    "/_synapse/client/recorded/test": async (request, { api }) =>
      Response.json(await api.get_profile_for_user({ localpart: "webuser" })),
  },`;

const policy = (limit: number, more = "", resources = web) => `
import { Codes, NOT_SPAM, SynapseError, defineModule } from "synapse-module-bridge";
export default defineModule({
  grants: ["store"],
  async setup({ api }) {
    await api.store.set({ key: "greeting", value: "hello" });
    return { greeting: await api.store.get({ key: "greeting" }) };
  },
  callbacks: {
    check_event_for_spam: {
      match: { type: ["m.room.message"] },
      async handler({ event }, { api, data }) {
        const body = String(event.content.body);
        if (body === data.greeting) return NOT_SPAM;
        const user = await api.get_userinfo_by_id({ user_id: event.sender });
        if (user?.is_admin) return NOT_SPAM;
        ${more}
        return body.length > ${limit} ? Codes.FORBIDDEN : NOT_SPAM;
      },
    },
    check_event_allowed: {
      match: { type: ["m.room.topic"] },
      room_state: [["m.room.create", ""]],
      async handler({ state_events }) {
        const create = await state_events.get("m.room.create", "");
        const rules = await state_events.get("m.room.join_rules", "");
        if (rules?.content.join_rule === "public") throw new SynapseError(403, "no topics in public", "ORG_NO");
        return create !== undefined;
      },
    },
    on_create_room({ request_content }) {
      request_content.name ??= "nameless";
    },
    auth_checkers: [{ login_type: "org.example.secret", fields: ["secret"], handler: () => null }],
  },
${resources}
});
`;

const folder = temporaryFolder();
const recording = folder.path("recording");
let server: Homeserver;
let lines: Line[];
let texts: string[];

beforeAll(async () => {
  const own = folder.write("policy.ts", policy(20));
  const shadow = folder.write(
    "shadow.ts",
    policy(5, "", "")
      .replace(/await api.store.set.*/, "")
      .replace(/await api.store.get.*/, '"hello" };'),
  );
  const alone = folder.write(
    "alone.ts",
    'import { NOT_SPAM, defineModule } from "synapse-module-bridge";\nexport default defineModule({ callbacks: { user_may_invite: async () => NOT_SPAM } });\n',
  );
  server = await startHomeserver({
    modules: [
      bridge({
        modules: [
          { path: own, grants: ["store"] },
          { path: shadow, shadow: true, grants: ["store"] },
          { path: alone, isolated: true },
        ],
        record: { folder: recording },
      }),
    ],
  });
  const alice = await registerUser(server, "alice");
  const bob = await registerUser(server, "bob", { admin: true });
  const room = (await alice.createRoom()).body.room_id;
  await alice.invite(room, bob.userId);
  await bob.join(room);
  const say = async (who: Client, text: string) => (await who.say(room, text)).status;
  expect(await say(alice, "hello")).toBe(200);
  expect(await say(alice, "short")).toBe(200);
  expect(await say(alice, "line one\nline two \u2028\u0085 end of a long message")).toBe(403);
  expect(await say(bob, "an admin may say what they like")).toBe(200);
  expect((await alice.setState(room, "m.room.topic", "", { topic: "plots" })).status).toBe(200);
  await alice.setState(room, "m.room.join_rules", "", { join_rule: "public" });
  expect((await alice.setState(room, "m.room.topic", "", { topic: "more" })).status).toBe(403);
  await alice.login(alice.userId, password);
  await alice.request("POST", "/_matrix/client/v3/login", {
    json: { type: "org.example.secret", identifier: { type: "m.id.user", user: "alice" }, secret: "hunter2" },
  });
  await alice.get("/_synapse/client/recorded/test");
  await server.stop();
  texts = readdirSync(recording).map((name) => readFileSync(path.join(recording, name), "utf8"));
  lines = texts.flatMap((text) =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  );
}, 120_000);

afterAll(async () => {
  await server?.stop();
  folder.remove();
});

test("nobody else can read the folder and its files", () => {
  expect(statSync(recording).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(recording))
    expect(statSync(path.join(recording, name)).mode & 0o777).toBe(0o600);
});

const of = (module: string, callback: string): Line[] =>
  lines.filter((line) => line.module === module && line.callback === callback);

test("each call of a module has its parameters, what it was told, and its verdict", () => {
  const calls = of("policy", "check_event_for_spam");
  expect(calls.map(({ verdict }) => verdict)).toEqual([
    { answer: "NOT_SPAM" },
    { answer: "NOT_SPAM" },
    { answer: "M_FORBIDDEN" },
    { answer: "NOT_SPAM" },
  ]);
  expect(calls[2]).toMatchObject({
    recording: 1,
    request: expect.stringMatching(/^PUT-/),
    params: {
      event: { type: "m.room.message", content: { body: expect.stringContaining("line two \u2028\u0085") } },
    },
    api: [
      {
        method: "get_userinfo_by_id",
        params: { user_id: "@alice:test.localhost" },
        answer: { is_admin: false },
      },
    ],
    synapse: { server_name: "test.localhost" },
    versions: { node: process.version, files: expect.stringMatching(/^\w{64}$/) },
  });
  const topics = of("policy", "check_event_allowed");
  expect(topics.map(({ verdict }) => verdict)).toEqual([
    { answer: true },
    { error: { code: 403, errcode: "ORG_NO", msg: "no topics in public" } },
  ]);
  expect(topics[1].state).toMatchObject({
    keys: [
      ["m.room.create", ""],
      ["m.room.create", ""],
      ["m.room.join_rules", ""],
    ],
    events: [{ type: "m.room.create" }, { type: "m.room.join_rules", content: { join_rule: "public" } }],
  });
  expect(of("policy", "on_create_room")[0].verdict.answer).toMatchObject({ name: "nameless" });
});

test("modules in threads of their own are recorded, with their names", () => {
  expect(of("alone", "user_may_invite")).toHaveLength(1);
  expect(of("shadow", "check_event_for_spam").map(({ verdict }) => verdict.answer)).toEqual([
    "NOT_SPAM",
    "NOT_SPAM",
    "M_FORBIDDEN",
    "NOT_SPAM",
  ]);
});

test("passwords, logins and web requests are not recorded", () => {
  for (const text of texts) {
    expect(text).not.toContain("hunter2");
    expect(text).not.toContain(password);
    expect(text).not.toContain("webuser");
    expect(text).not.toContain("auth_checkers");
  }
});

interface Run {
  code: number;
  out: string;
  err: string;
}

function replay(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, "replay", ...args], (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}

test("the same version answers everything as recorded, without a Synapse", async () => {
  const { code, out, err } = await replay(folder.path("policy.ts"), recording, "--expect-same");
  expect([err, out]).toEqual(["", expect.stringContaining("All 7 verdicts are as recorded.")]);
  expect(code).toBe(0);
});

test("another version shows where it differs, and what it asks beyond the recording", async () => {
  const more = `if (body.includes("long")) await api.get_threepids_for_user({ user_id: event.sender });`;
  const changed = folder.write("policy.ts", policy(3, more));
  const { code, out } = await replay(changed, recording, "--expect-same", "--json");
  const report = JSON.parse(out);
  expect(report.callbacks.check_event_for_spam).toMatchObject({
    calls: 4,
    differences: [
      {
        from: "NOT_SPAM",
        to: "M_FORBIDDEN",
        count: 1,
        examples: [
          {
            user: "@alice:test.localhost",
            event: expect.stringMatching(/^\$/),
            room: expect.stringMatching(/^!/),
          },
        ],
      },
    ],
    uncertain: [{ from: "M_FORBIDDEN", to: "a fault (threw)", count: 1 }],
  });
  expect(report.missing).toEqual({ "api.get_threepids_for_user": 1 });
  expect(code).toBe(1);
});
