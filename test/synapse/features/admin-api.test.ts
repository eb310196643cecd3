// The admin API on a real Synapse: what it answers, who may ask, and that nobody else can tell that it is there.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { adminPath, ask, asked, raw } from "../../support/admin-api.js";
import { bridge, shim } from "../../support/bridge.js";
import { Client, password, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { host, nextHost } from "../../support/host.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

const folder = temporaryFolder();
// Once it is told to, it lets nobody in.
const policy = `
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
export default defineModule({
  setup: () => ({ hostile: false }),
  callbacks: {
    is_user_expired: (_, { data }) => data.hostile || null,
    check_login_for_spam: (_, { data }) => (data.hostile ? Codes.FORBIDDEN : NOT_SPAM),
    user_may_create_room: ({ user_id }) => (user_id.startsWith("@crasher") ? process.exit(3) : Codes.FORBIDDEN),
  },
  web_resources: {
    "/_synapse/client/policy/hostile": async (request, { data }) => {
      data.hostile = (await request.text()) === "yes";
      return { hostile: data.hostile };
    },
    // It may not take the place of the API.
    "/_synapse/client/module_bridge/v1/status": () => ({ taken: true }),
  },
});
`;
const path = folder.write("the policy.ts", policy);
const other = folder.write(
  "other.ts",
  policy.replaceAll("/_synapse/client/policy", "/_synapse/client/other"),
);
const logins = folder.write(
  "logins.ts",
  `import { defineModule } from "synapse-module-bridge";
export default defineModule({
  callbacks: { auth_checkers: [{ login_type: "org.example.login", fields: ["code"], handler: () => null }] },
});
`,
);
const appservice = folder.write(
  "appservice.yaml",
  JSON.stringify({
    ...{ id: "bot", url: null, as_token: "as_token", hs_token: "hs_token", sender_localpart: "bot" },
    namespaces: { users: [{ exclusive: false, regex: ".*" }], rooms: [], aliases: [] },
  }),
);
let hs: Homeserver;
let admin: Client;
let user: Client;

beforeAll(async () => {
  hs = await startHomeserver({
    modules: [bridge({ modules: [{ path, name: "a/b ☃" }] })],
    extraConfig: {
      app_service_config_files: [appservice],
      allow_guest_access: true,
      enable_registration: true,
      enable_registration_without_verification: true,
    },
    pythonPath: [shim],
  });
  admin = await registerUser(hs, "admin", { admin: true });
  user = await registerUser(hs, "user");
}, 60_000);
afterAll(async () => {
  await hs?.stop();
  folder.remove();
});

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE", "PATCH", "TRACE", "PROPFIND"];
const paths = [
  ...[
    "",
    "/",
    "/status",
    "/status/",
    "/decisions?user=@a:b",
    "/modules/a%2Fb",
    "/modules/",
    "/reload",
    "/none",
  ],
  ...["/quarantines/1", "/%ff", "/status?access_token=x"],
];

/** Compares a request with the same one to a path that nobody has. */
async function expectUnknown(method: string, below: string, headers: Record<string, string> = {}) {
  const [there, unknown] = await Promise.all([
    raw(hs.baseUrl, method, adminPath + below, headers),
    raw(hs.baseUrl, method, `/_synapse/client/module_bride/v1${below}`, headers),
  ]);
  expect([method, below, there]).toEqual([method, below, unknown]);
}

describe("GET status", () => {
  test("tells what runs", async () => {
    const status = await ask(admin, "GET status");
    expect(status).toMatchObject({
      server_name: "test.localhost",
      modules: [{ name: "a/b ☃", mode: "enforce", yaml_mode: "enforce" }],
      processes: [{ name: "main", runs_modules: true, up: true, restarts: 0, node: process.version }],
    });
    const [module] = status.processes[0]?.modules ?? [];
    expect(module).toMatchObject({ name: "a/b ☃", mode: "enforce", differs_on_disk: [], quarantines: [] });
    expect(module?.files).toMatch(/^[0-9a-f]{12}$/);
    await waitFor("setup", async () => {
      const { processes } = await ask(admin, "GET status");
      return processes[0]?.modules[0]?.setup === "done";
    });
  });

  test("has no token, no config and no content of a file", async () => {
    const { text } = await asked(admin, "GET", "status");
    for (const secret of [admin.accessToken, "defineModule", hs.sharedSecret])
      expect(text).not.toContain(secret);
  });

  test("comes with headers that keep it from caches and from other sites", async () => {
    const { headers } = await fetch(`${hs.baseUrl}${adminPath}/status`, {
      headers: bearer(admin.accessToken),
    });
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test("may have a slash at its end, and HEAD has its headers", async () => {
    expect((await asked(admin, "GET", "status/")).status).toBe(200);
    expect(await asked(admin, "HEAD", "status")).toMatchObject({ status: 200, text: "" });
  });
});

describe("a wrong request of an admin says what to do:", () => {
  test.each([
    ["GET", "nothing", 404, "M_UNRECOGNIZED", "the paths are "],
    ["GET", "", 404, "M_UNRECOGNIZED", "status"],
    ["GET", "status//", 404, "M_UNRECOGNIZED", "status"],
    ["PATCH", "status", 405, "M_UNRECOGNIZED", "this path has other methods: GET"],
    ["GET", "status?a=1", 400, "M_INVALID_PARAM", "no parameter 'a'"],
    ["GET", "status?%ff=1", 400, "M_INVALID_PARAM", "UTF-8"],
    ["GET", "decisions?limit=0", 400, "M_INVALID_PARAM", "limit must be from 1 to 1000"],
    ["GET", "decisions?limit=1001", 400, "M_INVALID_PARAM", "limit must be from 1 to 1000"],
    ["GET", "decisions?limit=ten", 400, "M_INVALID_PARAM", "limit must be a whole number"],
    ["GET", "decisions?from=x", 400, "M_INVALID_PARAM", "from must be the `next` of an answer"],
    ["GET", "decisions?user=@a&user=@b", 400, "M_INVALID_PARAM", "give user once"],
    ["GET", "decisions?outcome=refuse", 400, "M_INVALID_PARAM", "outcome must be one of refused, "],
    ["GET", "decisions?user=alice", 400, "M_INVALID_PARAM", "user must begin with @, such as @"],
    ["GET", "shadow?since=never", 400, "M_INVALID_PARAM", "since must be milliseconds"],
    ["DELETE", "decisions", 400, "M_INVALID_PARAM", "the parameter user is missing"],
    ["POST", "decisions", 405, "M_UNRECOGNIZED", "this path has other methods: GET, DELETE"],
    ["DELETE", "quarantines/none", 404, "M_NOT_FOUND", "there are none"],
    ["DELETE", "quarantines/%ff", 404, "M_NOT_FOUND", "no UTF-8"],
  ])("%s %s", async (method, below, status, errcode, error) => {
    expect(await asked(admin, method, below)).toMatchObject({
      status,
      body: { errcode, error: expect.stringContaining(error) },
    });
  });

  test("a body that is no JSON, or is not called so, or is too large, or is not wanted", async () => {
    const sent = (options: object) => asked(admin, "DELETE", "quarantines/none", options);
    expect(await sent({ raw: "{}", contentType: "text/plain" })).toMatchObject({ status: 415 });
    expect(await sent({ raw: "{" })).toMatchObject({ status: 400, body: { errcode: "M_NOT_JSON" } });
    expect(await sent({ raw: "[".repeat(16_000) })).toMatchObject({ status: 400 });
    expect(await sent({ json: { a: 1 } })).toMatchObject({ status: 400 });
    expect(await sent({ raw: " ".repeat(16_385) })).toMatchObject({ status: 413 });
    expect(await sent({ raw: "{}" })).toMatchObject({ status: 404, body: { errcode: "M_NOT_FOUND" } });
  });

  test("any path and any parameter gets an error of a client, and never one of the bridge", async () => {
    const segment = fc.oneof(
      fc.constantFrom("status", "modules", "quarantines", "decisions", "reload", "shadow", "counters"),
      fc.string({ maxLength: 12, unit: "binary" }).map((text) => encodeURIComponent(text)),
      fc.constantFrom("%ff", "%00", "..", "%2e%2e", "%2f", ";", "%"),
    );
    const parameter = fc.tuple(
      fc.constantFrom("user", "since", "limit", "from", "x", "%ff"),
      fc.oneof(
        fc.constantFrom("-1", "1e9", "9".repeat(30), "%D9%A3", "24h", "%00", ""),
        fc.stringMatching(/^\w{0,9}$/),
      ),
    );
    const query = fc
      .array(parameter, { maxLength: 3 })
      .map((all) => all.map((one) => one.join("=")).join("&"));
    const { accessToken } = await registerUser(hs, "odd", { admin: true });
    await fc.assert(
      fc.asyncProperty(
        fc.array(segment, { maxLength: 3 }),
        query,
        fc.constantFrom("GET", "HEAD"),
        async (parts, parameters, method) => {
          const target = `${adminPath}/${parts.join("/")}?${parameters}`;
          const [, status] = (await raw(hs.baseUrl, method, target, bearer(accessToken))).split(" ");
          expect(["200", "400", "404", "405"]).toContain(status);
        },
      ),
      { numRuns: 150 },
    );
    expect(hs.log()).not.toContain("this is a fault of the bridge");
  });
});

test("what was decided is there, also while Node is down", async () => {
  await user.createRoom();
  const query = `?user=${encodeURIComponent(user.userId)}&since=1h&limit=1`;
  const [found] = await waitFor("the decision", async () => {
    const { decisions } = await ask(admin, "GET decisions", { query });
    return decisions.length > 0 && decisions;
  });
  expect(found).toMatchObject({ module: "a/b ☃", callback: "user_may_create_room", outcome: "refused" });
  const before = host(hs.pid);
  process.kill(before, "SIGSTOP");
  try {
    expect((await ask(admin, "GET decisions", { query })).decisions).toEqual([found]);
    expect(await ask(admin, "GET shadow")).toMatchObject({ modules: [] });
    await ask(admin, "GET counters", { query: "?since=2h&module=none" });
    const { erased } = await ask(admin, "DELETE decisions", { query: query.slice(0, query.indexOf("&")) });
    expect(erased).toBeGreaterThan(0);
    expect((await ask(admin, "GET decisions", { query })).decisions).toEqual([]);
  } finally {
    process.kill(before, "SIGCONT");
  }
});

describe("a module", () => {
  const name = "a/b ☃";
  const create = async () => (await user.createRoom()).status;

  test("is switched off and on, with who did it, why and until when", async () => {
    expect(await create()).toBe(403);
    const json = { mode: "off", until: "2h", note: "refuses too much" };
    const { override, ...off } = await ask(admin, "PUT modules/<name>", { name, json });
    expect(off).toEqual({ name, mode: "off", yaml_mode: "enforce" });
    expect(override).toMatchObject({ mode: "off", by: admin.userId, note: "refuses too much" });
    expect(override?.until).toBeGreaterThan(Date.now() + 7_000_000);
    expect(await create()).toBe(200);
    const status = await ask(admin, "GET status");
    expect(status).toMatchObject({ modules: [{ name, mode: "off" }] });
    await waitFor("it to be off", async () => {
      const { processes } = await ask(admin, "GET status");
      return processes[0]?.modules[0]?.setup === "off";
    });
    const back = await ask(admin, "DELETE modules/<name>", { name });
    expect(back).toEqual({ name, mode: "enforce", yaml_mode: "enforce" });
    await waitFor("it to be on again", async () => (await create()) === 403);
  });

  test("has to be one that there is, and its mode, too", async () => {
    expect(await asked(admin, "PUT", "modules/c", { json: { mode: "off" } })).toMatchObject({
      status: 404,
      body: { errcode: "M_NOT_FOUND", error: "there is no module c: homeserver.yaml has a/b ☃" },
    });
    expect(await asked(admin, "DELETE", "modules/c")).toMatchObject({ status: 404 });
    const place = `modules/${encodeURIComponent(name)}`;
    for (const [json, error] of [
      [{ mode: "on" }, "mode must be one of off, shadow, enforce"],
      [{ mode: "off", until: "1999" }, "until must be in the future"],
      [{ mode: "off", note: "x".repeat(501) }, "note may have at most 500 characters"],
      [[], "the body must be object"],
    ] as const)
      expect(await asked(admin, "PUT", place, { json })).toMatchObject({
        status: 400,
        body: { errcode: "M_INVALID_PARAM", error: expect.stringContaining(error) },
      });
    expect(await asked(admin, "PUT", place, { raw: "mode=off" })).toMatchObject({ status: 400 });
    const form = { raw: "mode=off", contentType: "application/x-www-form-urlencoded" };
    expect(await asked(admin, "PUT", place, form)).toMatchObject({ status: 415 });
    expect(await asked(user, "PUT", place, { json: { mode: "off" } })).toMatchObject({ status: 404 });
    expect(await create()).toBe(403);
  });
});

test("a reload tells what became of it", async () => {
  expect(await ask(admin, "POST reload")).toEqual({ processes: { main: { outcome: "unchanged" } } });
  folder.write("the policy.ts", `${policy}// changed\n`);
  expect(await ask(admin, "POST reload")).toEqual({
    processes: { main: { outcome: "reloaded", changed: ["a/b ☃"] } },
  });
  folder.write("the policy.ts", "export default 1 +;");
  const { processes } = await ask(admin, "POST reload");
  expect(processes.main).toMatchObject({
    outcome: "failed",
    problem: expect.stringContaining("the policy.ts"),
  });
  folder.write("the policy.ts", policy);
  await ask(admin, "POST reload");
});

describe("whoever has no admin's token gets what an unknown path gets:", () => {
  const everywhere = async (headers: Record<string, string>) => {
    for (const below of paths) await expectUnknown("GET", below, headers);
    for (const method of methods) await expectUnknown(method, "/status", headers);
  };

  test("who has none", () => everywhere({}));
  test("a user", () => everywhere(bearer(user.accessToken)));
  test("who has guessed", () => everywhere(bearer("syt_guessed")));
  test("who comes from another site", () =>
    everywhere({ ...bearer(user.accessToken), Origin: "https://evil.example" }));

  test("odd headers", async () => {
    const odd = [
      "Bearer",
      "Bearer ",
      "Bearer  x",
      "Basic eDp4",
      "bearer x",
      "Bearer ☃",
      `Bearer ${"x".repeat(9_000)}`,
    ];
    for (const value of odd)
      await expectUnknown("GET", "/status", { Authorization: Buffer.from(value).toString("latin1") });
  });

  test("an admin whose token is in the query string, or in both places", async () => {
    const below = `/status?access_token=${admin.accessToken}`;
    await expectUnknown("GET", below);
    await expectUnknown("GET", below, bearer(admin.accessToken));
  });

  test("an appservice, also where it speaks for an admin", async () => {
    await expectUnknown("GET", "/status", bearer("as_token"));
    const below = `/status?user_id=${encodeURIComponent(admin.userId)}`;
    await expectUnknown("GET", below, bearer("as_token"));
  });

  test("a guest", async () => {
    const { status, body } = await new Client(hs.baseUrl).post("/_matrix/client/v3/register?kind=guest", {});
    expect(status).toBe(200);
    await expectUnknown("GET", "/status", bearer(body.access_token));
  });

  test("an admin whose token has expired, who is locked, or who has been deactivated", async () => {
    const late = await registerUser(hs, "late", { admin: true });
    const of = `/users/${encodeURIComponent(late.userId)}`;
    const soon = { valid_until_ms: Date.now() + 1_500 };
    const { body } = await admin.admin("POST", `v1${of}/login`, soon);
    expect(
      await asked(new Client(hs.baseUrl, late.userId, body.access_token), "GET", "status"),
    ).toMatchObject({
      status: 200,
    });
    await waitFor("the token to expire", () => Date.now() > soon.valid_until_ms);
    await expectUnknown("GET", "/status", bearer(body.access_token));
    expect(await asked(late, "GET", "status")).toMatchObject({ status: 200 });
    await admin.admin("PUT", `v2${of}`, { locked: true });
    await expectUnknown("GET", "/status", bearer(late.accessToken));
    await admin.admin("PUT", `v2${of}`, { locked: false });
    expect(await asked(late, "GET", "status")).toMatchObject({ status: 200 });
    expect(await admin.admin("POST", `v1/deactivate/${encodeURIComponent(late.userId)}`, {})).toMatchObject({
      status: 200,
    });
    await expectUnknown("GET", "/status", bearer(late.accessToken));
  });

  test("but not an admin who is suspended, who is one for Synapse, too", async () => {
    const suspended = await registerUser(hs, "suspended", { admin: true });
    const of = `v1/suspend/${encodeURIComponent(suspended.userId)}`;
    expect(await admin.admin("PUT", of, { suspend: true })).toMatchObject({ status: 200 });
    expect(await suspended.admin("GET", "v2/users")).toMatchObject({ status: 200 });
    expect(await asked(suspended, "GET", "status")).toMatchObject({ status: 200 });
  });

  test("an admin who is none any more", async () => {
    const former = await registerUser(hs, "former", { admin: true });
    expect(await asked(former, "GET", "status")).toMatchObject({ status: 200 });
    const of = `v1/users/${encodeURIComponent(former.userId)}/admin`;
    expect(await admin.admin("PUT", of, { admin: false })).toMatchObject({ status: 200 });
    await expectUnknown("GET", "/status", bearer(former.accessToken));
  });
});

test("there is no page unless homeserver.yaml wants one", async () => {
  for (const below of ["", "/", "/index.html"]) {
    const [there, unknown] = await Promise.all(
      ["module_bridge", "module_bride"].map((name) =>
        raw(hs.baseUrl, "GET", `/_synapse/client/${name}${below}`),
      ),
    );
    expect([below, there]).toEqual([below, unknown]);
  }
});

describe("a browser", () => {
  const from = (headers: Record<string, string>) => asked(admin, "GET", "status", { headers });
  test.each([
    [{ "sec-fetch-site": "same-origin" }, 200],
    [{ "sec-fetch-site": "none" }, 200],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-origin", origin: "https://proxied.example" }, 200],
    [{ origin: "https://evil.example" }, 403],
    [{ origin: "null" }, 403],
  ] as [Record<string, string>, number][])("with %p gets %d", async (headers, status) => {
    expect((await from(headers)).status).toBe(status);
  });

  test("on the homeserver's own origin may ask", async () => {
    expect((await from({ origin: hs.baseUrl })).status).toBe(200);
  });

  test("on another site may not read why", async () => {
    const headers = { ...bearer(admin.accessToken), origin: "https://evil.example" };
    expect(await raw(hs.baseUrl, "GET", `${adminPath}/status`, headers)).not.toMatch(/access-control/i);
  });
});

test("an admin who asks too often is told when to go on, and the others are not", async () => {
  const busy = await registerUser(hs, "busy", { admin: true });
  const answers = [];
  for (let index = 0; index < 31; index += 1) answers.push(await asked(busy, "DELETE", "quarantines/none"));
  expect(answers.slice(0, 30).map(({ status }) => status)).toEqual(Array(30).fill(404));
  expect(answers[30]).toMatchObject({ status: 429, body: { errcode: "M_LIMIT_EXCEEDED" } });
  expect(answers[30]?.body.retry_after_ms).toBeGreaterThan(0);
  const again = await fetch(`${hs.baseUrl}${adminPath}/quarantines/none`, {
    method: "DELETE",
    headers: bearer(busy.accessToken),
  });
  expect(Number(again.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await asked(busy, "GET", "status")).status).toBe(200);
  expect((await asked(admin, "DELETE", "quarantines/none")).status).toBe(404);
});

test("what changes something is logged with who did it, and no token is ever logged", async () => {
  const line = `${admin.userId}: DELETE ${adminPath}/quarantines/none: 404`;
  await waitFor("the line", () => hs.log().includes(line));
  for (const token of [admin.accessToken, user.accessToken]) expect(hs.log()).not.toContain(token);
});

test("no policy keeps an admin out", async () => {
  const hostile = (text: string) =>
    new Client(hs.baseUrl).request("POST", "/_synapse/client/policy/hostile", { raw: text });
  expect(await hostile("yes")).toMatchObject({ status: 200 });
  try {
    expect(await admin.admin("GET", "v2/users")).toMatchObject({ status: 403 });
    expect(await user.login("user", password)).toMatchObject({ status: 403 });
    expect(await asked(admin, "GET", "status")).toMatchObject({ status: 200 });
    await expectUnknown("GET", "/status", bearer(user.accessToken));
  } finally {
    await hostile("no");
  }
});

test("it answers while Node is stopped, and after its end", async () => {
  const before = host(hs.pid);
  process.kill(before, "SIGSTOP");
  const { processes } = await ask(admin, "GET status");
  expect(processes[0]).toMatchObject({ up: true, restarts: 0 });
  process.kill(before, "SIGKILL");
  const statuses: boolean[] = [];
  await waitFor("the end to be known", async () => {
    const [main] = (await ask(admin, "GET status")).processes;
    statuses.push(main?.up ?? false);
    return main?.restarts === 1;
  });
  await nextHost(hs.pid, before);
  await waitFor("Node", async () => (await ask(admin, "GET status")).processes[0]?.up === true);
  const [main] = (await ask(admin, "GET status")).processes;
  expect(main?.last_end).toMatchObject({ cause: "killed by SIGKILL" });
});

test("a quarantine is listed, and can be ended", async () => {
  const quarantines = async () =>
    (await ask(admin, "GET status")).processes[0]?.modules[0]?.quarantines ?? [];
  const crasher = await registerUser(hs, "crasher");
  await crasher.createRoom();
  const [found] = await waitFor("the quarantine", async () => {
    const all = await quarantines();
    return all.length > 0 && all;
  });
  expect(found).toMatchObject({ kind: "author", subject: crasher.userId, callback: "user_may_create_room" });
  expect(found?.until).toBeGreaterThan(Date.now());
  const { body } = await asked(admin, "DELETE", "quarantines/other");
  expect(body.error).toBe(`there is no such quarantine: there are ${found?.id}`);
  const ended = await ask(admin, "DELETE quarantines/<id>", { name: found?.id ?? "" });
  expect(ended).toEqual({ id: found?.id, processes: ["main"] });
  expect(await quarantines()).toEqual([]);
  expect((await asked(admin, "DELETE", `quarantines/${found?.id}`)).status).toBe(404);
});

test("a file that has changed on disk is told", async () => {
  folder.write("the policy.ts", `${policy}\n`);
  // It looks again after a restart, and every half minute.
  const before = host(hs.pid);
  process.kill(before, "SIGKILL");
  await nextHost(hs.pid, before);
  await waitFor("the file", async () => {
    const [main] = (await ask(admin, "GET status")).processes;
    return main?.modules[0]?.differs_on_disk.includes(path);
  });
});

describe("several bridges", () => {
  let two: Homeserver;
  beforeAll(async () => {
    const entries = [
      {
        modules: [
          { path, name: "first" },
          { path: logins, mode: "shadow" },
        ],
      },
      { modules: [{ path: other, shadow: true }], workers: ["elsewhere"], admin_api: "api" },
    ];
    two = await startHomeserver({ modules: entries.map(bridge), pythonPath: [shim] });
  }, 60_000);
  afterAll(() => two?.stop());

  test("have one API, also for modules that do not run in this process", async () => {
    const status = await ask(await registerUser(two, "admin", { admin: true }), "GET status");
    expect(status.modules.map(({ name, mode }) => [name, mode])).toEqual([
      ["first", "enforce"],
      ["logins", "shadow"],
      ["other", "shadow"],
    ]);
    expect(status.processes).toMatchObject([
      { runs_modules: true, modules: [{ name: "first" }, { name: "logins" }] },
    ]);
  });

  test("tell what a running Synapse cannot change", async () => {
    const one = await registerUser(two, "other-admin", { admin: true });
    expect(await asked(one, "PUT", "modules/logins", { json: { mode: "enforce" } })).toMatchObject({
      status: 409,
      body: { error: expect.stringMatching(/^restart needed: logins has the new callback auth_checkers/) },
    });
    const { processes } = await ask(one, "GET status");
    expect(processes[0]?.modules[1]).toMatchObject({
      name: "logins",
      restart_needed: { enforce: expect.stringContaining("restart Synapse") },
    });
    expect(await asked(one, "PUT", "modules/logins", { json: { mode: "off" } })).toMatchObject({
      status: 200,
    });
  });
});

describe("where no module runs", () => {
  let idle: Homeserver;
  beforeAll(async () => {
    idle = await startHomeserver({
      modules: [bridge({ modules: [{ path: other }], workers: ["elsewhere"] })],
      pythonPath: [shim],
    });
  }, 60_000);
  afterAll(() => idle?.stop());

  test("there is an API all the same", async () => {
    const status = await ask(await registerUser(idle, "admin", { admin: true }), "GET status");
    expect(status.processes).toMatchObject([{ name: "main", runs_modules: false, up: false, modules: [] }]);
    expect(status.modules).toMatchObject([{ name: "other" }]);
  });
});

describe("where one of the bridges has `admin_api: false`", () => {
  let off: Homeserver;
  beforeAll(async () => {
    const entries = [
      { modules: [{ path: other }], workers: ["elsewhere"] },
      { modules: [{ path, name: "b" }], workers: ["elsewhere"], admin_api: false },
    ];
    off = await startHomeserver({ modules: entries.map(bridge), pythonPath: [shim] });
  }, 60_000);
  afterAll(() => off?.stop());

  test("there is none", async () => {
    const one = await registerUser(off, "admin", { admin: true });
    for (const method of methods) {
      const [there, unknown] = await Promise.all(
        [adminPath, "/_synapse/client/none"].map((at) =>
          raw(off.baseUrl, method, `${at}/status`, bearer(one.accessToken)),
        ),
      );
      expect([method, there]).toEqual([method, unknown]);
    }
  });
});
