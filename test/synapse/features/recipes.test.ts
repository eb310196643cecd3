// The recipes of examples/recipes on a real Synapse: what they find, change and refuse, and that no token is in a log.
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, examplePath } from "../../support/bridge.js";
import { type Answer, type Body, Client, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { freePort } from "../../support/ports.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

const folder = temporaryFolder();
const tokenFile = folder.path("token");
const partners = [
  { login_type: "org.example.one", secret: "the secret of one" },
  { login_type: "org.example.two", secret: "the secret of two" },
];
let server: Homeserver;
let admin: Client;
let helper: Client;
let alice: Client;

beforeAll(async () => {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const helpDesk = { address, staff: ["@helper:test.localhost"], token_file: tokenFile };
  server = await startHomeserver({
    extraConfig: {
      default_room_version: "9",
      listeners: [{ port, type: "http", bind_addresses: ["127.0.0.1"], resources: [{ names: ["client"] }] }],
    },
    modules: [
      bridge({
        modules: [
          { path: examplePath("recipes/lookups.ts"), grants: ["run_db_interaction"] },
          { path: examplePath("recipes/help-desk.ts"), config: helpDesk },
          { path: examplePath("recipes/mutes.ts"), grants: ["broadcast", "store"] },
          { path: examplePath("recipes/partner-logins.ts"), config: { partners } },
        ],
      }),
    ],
  });
  admin = await registerUser(server, "admin", { admin: true });
  helper = await registerUser(server, "helper");
  alice = await registerUser(server, "alice");
}, 90_000);

afterAll(async () => {
  await server?.stop();
  folder.remove();
});

describe("lookups", () => {
  const look = (what: string, query: Record<string, string>, as = admin) =>
    as.get(`/_synapse/client/lookups/${what}`, query);

  test("an event is found by its id, and one that nobody knows is not", async () => {
    const { room_id } = (await alice.createRoom()).body;
    const { event_id } = (await alice.say(room_id, "☃")).body;
    const { status, body } = await look("event", { event_id });
    expect(status).toBe(200);
    expect(body).toMatchObject({ event_id, room_id, sender: alice.userId, content: { body: "☃" } });
    expect((await look("event", { event_id: `$${"A".repeat(43)}` })).status).toBe(404);
  });

  test("of a redacted event there is no content, and what has redacted it", async () => {
    const { room_id } = (await alice.createRoom()).body;
    const { event_id } = (await alice.say(room_id, "never said")).body;
    const redaction = (await alice.redact(room_id, event_id)).body.event_id;
    const { body, text } = await look("event", { event_id });
    expect(body).toMatchObject({ event_id, type: "m.room.message", redacted_by: redaction });
    expect(text).not.toContain("never said");
  });

  test("the servers of a room are those of who has joined, and not of who has left or is invited", async () => {
    const { room_id } = (await alice.createRoom({ invite: [helper.userId] })).body;
    expect((await look("room", { room_id })).body).toEqual({ servers: ["test.localhost"] });
    await alice.leave(room_id);
    expect((await look("room", { room_id })).body).toEqual({ servers: [] });
  });

  test("a user's other names are found", async () => {
    const threepids = [{ medium: "email", address: "alice@example.org" }];
    const external_ids = [{ auth_provider: "oidc-work", external_id: "17 ☃" }];
    await admin.admin("PUT", `v2/users/${alice.userId}`, { threepids, external_ids });
    expect((await look("user", { user_id: alice.userId })).body).toEqual({ threepids, external_ids });
    expect((await look("user", { user_id: helper.userId })).body).toEqual({
      threepids: [],
      external_ids: [],
    });
  });

  test("nobody else is told", async () => {
    expect((await look("user", { user_id: alice.userId }, alice)).status).toBe(403);
  });
});

describe("the help desk", () => {
  const ask = (what: string, body: Body = {}, as = helper) =>
    as.post(`/_synapse/client/help_desk/${what}`, body);
  const giveToken = (token: string) => folder.write("token", token);
  beforeAll(() => {
    giveToken(`${admin.accessToken}\n`);
  });

  test("knows the default room version", async () => {
    expect(await ask("default_room_version")).toMatchObject({ body: { default_room_version: "9" } });
  });

  test("closes a room for good", async () => {
    const { room_id } = (await alice.createRoom({ preset: "public_chat" })).body;
    expect((await ask("close_room", { room_id })).status).toBe(200);
    await waitFor("the room to be gone", async () => {
      return (await admin.admin("GET", `v1/rooms/${room_id}`)).status === 404;
    });
    expect((await admin.admin("GET", `v1/rooms/${room_id}/block`)).body.block).toBe(true);
    expect((await alice.join(room_id)).status).toBe(403);
  });

  test("deactivates a user, and no admin", async () => {
    const gone = await registerUser(server, "gone");
    expect((await ask("deactivate", { user_id: gone.userId })).status).toBe(200);
    expect((await gone.whoami()).status).toBe(401);
    expect((await ask("deactivate", { user_id: admin.userId })).status).toBe(403);
    expect((await admin.whoami()).status).toBe(200);
  });

  test("adds an address to those that a user has, and makes no user", async () => {
    const ida = await registerUser(server, "ida");
    for (const address of ["one@example.org", "two@example.org"])
      expect((await ask("add_address", { user_id: ida.userId, address })).status).toBe(200);
    const { threepids } = (await ida.get("/_matrix/client/v3/account/3pid")).body;
    expect(threepids.map(({ address }: Body) => address).sort()).toEqual([
      "one@example.org",
      "two@example.org",
    ]);
    const nobody = { user_id: "@nobody:test.localhost", address: "no@example.org" };
    expect((await ask("add_address", nobody)).status).toBe(404);
    expect((await admin.admin("GET", `v2/users/${nobody.user_id}`)).status).toBe(404);
  });

  test("adds no address to an admin, who could lose the account by it", async () => {
    const theirs = { user_id: admin.userId, address: "helper@example.org" };
    expect((await ask("add_address", theirs)).status).toBe(403);
    expect((await admin.get("/_matrix/client/v3/account/3pid")).body.threepids).toEqual([]);
  });

  test("makes a registration token for one account", async () => {
    const { token } = (await ask("registration_token")).body;
    const { body } = await admin.admin("GET", `v1/registration_tokens/${token}`);
    expect(body).toMatchObject({ uses_allowed: 1, completed: 0 });
  });

  test.each<[string, string, Body, number, string]>([
    ["a user that does not exist", "deactivate", { user_id: "@nobody:test.localhost" }, 404, "M_NOT_FOUND"],
    ["a path in place of a user", "deactivate", { user_id: "../rooms" }, 400, "M_INVALID_PARAM"],
    ["a path in place of a room", "close_room", { room_id: "../users" }, 400, "M_INVALID_PARAM"],
    ["no JSON object", "deactivate", 17, 400, "M_NOT_JSON"],
  ])("answers %s by an error of the client's", async (_title, what, body, status, errcode) => {
    expect(await ask(what, body)).toMatchObject({ status, body: { errcode } });
  });

  test("is for its people alone", async () => {
    expect((await ask("registration_token", {}, alice)).status).toBe(403);
    expect((await ask("registration_token", {}, new Client(server.baseUrl))).status).toBe(401);
  });

  describe("with a bad token", () => {
    afterAll(() => {
      giveToken(admin.accessToken);
    });

    async function answerTo(token: string): Promise<Answer> {
      giveToken(token);
      return ask("registration_token");
    }

    test.each<[string, () => string, number, string]>([
      ["of nobody", () => "syt_of_nobody", 502, "M_UNKNOWN_TOKEN"],
      ["of no admin", () => helper.accessToken, 502, "M_FORBIDDEN"],
      [
        "that is two",
        () => `${admin.accessToken}\n${admin.accessToken}`,
        500,
        "does not contain a single token",
      ],
    ])("%s it tells so, and not that the client's token is bad", async (_title, token, status, said) => {
      const { body, status: got } = await answerTo(token());
      expect([got, body.error]).toEqual([status, expect.stringContaining(said)]);
      expect((await ask("deactivate", { user_id: "../rooms" })).status).toBe(400); // the client is still in
    });

    test("takes the new one without a reload", async () => {
      expect((await answerTo(admin.accessToken)).status).toBe(200);
    });
  });

  test("no token is in the log", () => {
    for (const token of [admin.accessToken, "syt_of_nobody", helper.accessToken])
      expect(server.log()).not.toContain(token);
  });
});

test("who is muted is remembered, and forgotten at a change", async () => {
  const carol = await registerUser(server, "carol");
  const { room_id } = (await carol.createRoom()).body;
  const becomes = (status: number) =>
    waitFor(`a message to be ${status}`, async () => {
      return (await carol.say(room_id, "hello")).status === status;
    });
  await becomes(200);
  const mutes = `/_synapse/client/mutes?user_id=${encodeURIComponent(carol.userId)}`;
  expect((await admin.put(mutes, {})).body).toEqual({ user_id: carol.userId, muted: true });
  await becomes(403);
  await admin.request("DELETE", mutes);
  await becomes(200);
  expect((await carol.put(mutes, {})).status).toBe(403);
});

describe("partners' logins", () => {
  const flows = async () =>
    (await new Client(server.baseUrl).get("/_matrix/client/v3/login")).body.flows.map(
      ({ type }: Body) => type,
    );
  const logIn = (type: string, token: string, user = "alice") =>
    new Client(server.baseUrl).post("/_matrix/client/v3/login", {
      ...{ type, token, identifier: { type: "m.id.user", user } },
    });
  const tokenFor = (userId: string, { secret } = partners[0] as (typeof partners)[number]) =>
    createHmac("sha256", secret).update(userId).digest("hex");

  test("each partner of the configuration has a login type", async () => {
    expect(await flows()).toEqual(expect.arrayContaining(partners.map(({ login_type }) => login_type)));
  });

  test.each(partners)("$login_type takes its own tokens alone", async (partner) => {
    const other = partners.find(({ secret }) => secret !== partner.secret);
    const { status, body } = await logIn(partner.login_type, tokenFor(alice.userId, partner));
    expect([status, body.user_id]).toEqual([200, alice.userId]);
    expect((await logIn(partner.login_type, tokenFor(alice.userId, other))).status).toBe(403);
    expect((await logIn(partner.login_type, tokenFor(alice.userId, partner), "helper")).status).toBe(403);
  });
});

test("without partners there is no such login type", async () => {
  const other = await startHomeserver({
    modules: [bridge({ modules: [{ path: examplePath("recipes/partner-logins.ts"), config: {} }] })],
  });
  try {
    const { body } = await new Client(other.baseUrl).get("/_matrix/client/v3/login");
    expect(body.flows.map(({ type }: Body) => type)).not.toContain("org.example.one");
    expect(other.log()).not.toMatch(/ERROR/);
  } finally {
    await other.stop();
  }
}, 60_000);

test("an address that is no Synapse's is told as such", async () => {
  const nobody = await freePort();
  const config = {
    address: `http://127.0.0.1:${nobody}`,
    staff: ["@h:test.localhost"],
    token_file: tokenFile,
  };
  folder.write("token", "of_nobody");
  const other = await startHomeserver({
    modules: [bridge({ modules: [{ path: examplePath("recipes/help-desk.ts"), config }] })],
  });
  try {
    const h = await registerUser(other, "h");
    const { status, body } = await h.post("/_synapse/client/help_desk/registration_token");
    expect([status, body.error]).toEqual([502, expect.stringMatching(/cannot be asked at .*: ECONNREFUSED/)]);
  } finally {
    await other.stop();
  }
}, 60_000);
