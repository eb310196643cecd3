// The port of shared-secret-authenticator against the original: who is logged in by what, and who is not.
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Answer, Client, password } from "../../support/client.js";
import { shown } from "../differential/normal.js";
import { type Pair, type Side, START_LIMIT_MS, startPair } from "./pair.js";

const shared_secret = "what only the bridge knows ☃";
const loginType = "com.devture.shared_secret_auth";
const path = "/_matrix/client/v3/login";

function start(config: object, extraConfig: Record<string, unknown> = {}): Promise<Pair> {
  return startPair({
    original: [
      {
        module: "shared_secret_authenticator.SharedSecretAuthProvider",
        config: { shared_secret, ...config },
      },
    ],
    port: { path: "shared-secret-auth.ts", config: { shared_secret, ...config } },
    options: { extraConfig },
  });
}

const token = (userId: string, secret = shared_secret) =>
  createHmac("sha512", secret).update(userId).digest("hex");

/** A login as it is shown, and whether its access token is good. */
async function login(side: Side, user: string, fields: Record<string, unknown>, type = loginType) {
  const client = new Client(side.server.baseUrl);
  const answer = await client.post(path, { type, identifier: { type: "m.id.user", user }, ...fields });
  const { access_token } = answer.body;
  const who = access_token && (await new Client(side.server.baseUrl, "", access_token).whoami());
  return { ...shown(answer), who: who && shown(who as Answer) };
}

describe("with its own login type", () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await start({});
    await pair.alike(async (side) => {
      const admin = await side.user("admin", { admin: true });
      await side.user("alice");
      const gone = await side.user("gone");
      return shown(await admin.admin("POST", `v1/deactivate/${gone.userId}`, {}));
    });
  }, START_LIMIT_MS);
  afterAll(() => pair?.stop());

  test("clients are offered it", async () => {
    const { body } = await pair.alike(async ({ server }) =>
      shown(await new Client(server.baseUrl).get(path)),
    );
    expect(body.flows).toContainEqual({ type: loginType });
  });

  const alice = "@alice:test.localhost";
  test.each<[string, string, Record<string, unknown>, number]>([
    ["a right token, and the full id", alice, { token: token(alice) }, 200],
    ["a right token, and the localpart", "alice", { token: token(alice) }, 200],
    ["a right token, and a device", alice, { token: token(alice), device_id: "DEVICE" }, 200],
    ["a wrong token", alice, { token: token("@bob:test.localhost") }, 403],
    ["a token of another secret", alice, { token: token(alice, "guessed") }, 403],
    ["a token in capitals", alice, { token: token(alice).toUpperCase() }, 403],
    ["an empty token", alice, { token: "" }, 403],
    ["a token that is no text", alice, { token: 17 }, 403],
    ["no token", alice, {}, 400],
    ["the token as the password", alice, { password: token(alice) }, 400],
    ["nobody's token", "@nobody:test.localhost", { token: token("@nobody:test.localhost") }, 403],
    ["the token of another server's user", "@a:example.org", { token: token("@a:example.org") }, 403],
  ])("%s", async (_title, user, fields, status) => {
    const outcome = await pair.alike((side) => login(side, user, fields));
    expect(outcome.status).toBe(status);
    if (status === 200) expect(outcome.who.body.user_id).toBe("@alice:<server>");
  });

  test("a user who was deactivated is as with the original", async () => {
    const gone = "@gone:test.localhost";
    const outcome = await pair.alike((side) => login(side, gone, { token: token(gone) }));
    expect(outcome.status).toBe(403);
  });

  test("a password is a password, and a token is none", async () => {
    const statuses = await pair.alike(async (side) => [
      (await login(side, "alice", { password }, "m.login.password")).status,
      (await login(side, "alice", { password: token(alice) }, "m.login.password")).status,
    ]);
    expect(statuses).toEqual([200, 403]);
  });

  test("who has logged in by a token can show it again where Synapse asks for that", async () => {
    const outcome = await pair.alike(async (side) => {
      const client = new Client(side.server.baseUrl);
      const identifier = { type: "m.id.user", user: alice };
      const { body } = await client.post(path, { type: loginType, identifier, token: token(alice) });
      const asAlice = new Client(side.server.baseUrl, alice, body.access_token);
      const remove = (auth: object) =>
        asAlice.request("DELETE", `/_matrix/client/v3/devices/${body.device_id}`, { json: { auth } });
      const asked = await remove({});
      const { session } = asked.body;
      const wrong = await remove({ type: loginType, identifier, token: token("@bob:x"), session });
      const right = await remove({ type: loginType, identifier, token: token(alice), session });
      const stages = asked.body.flows.map(({ stages }: { stages: string[] }) => stages.join()).sort();
      return { stages, statuses: [asked.status, wrong.status, right.status] };
    });
    expect(outcome.statuses).toEqual([401, 401, 200]);
    expect(outcome.stages).toEqual([loginType, "m.login.password"]);
  });
});

describe("with tokens as passwords as well", () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await start({ m_login_password_support_enabled: true });
    await pair.alike(async (side) => (await side.user("alice")).userId);
  }, START_LIMIT_MS);
  afterAll(() => pair?.stop());

  const alice = "@alice:test.localhost";
  test.each<[string, Record<string, unknown>, number]>([
    ["a token", { password: token(alice) }, 200],
    ["a password", { password }, 200],
    ["neither", { password: "guess" }, 403],
  ])("%s", async (_title, fields, status) => {
    const outcome = await pair.alike((side) => login(side, alice, fields, "m.login.password"));
    expect(outcome.status).toBe(status);
  });

  test("no token is in the log", async () => {
    await pair.alike((side) => login(side, alice, { token: token(alice, "to be kept out of logs") }));
    expect(pair.port.server.log()).not.toContain(token(alice));
    expect(pair.port.server.log()).not.toContain(token(alice, "to be kept out of logs"));
  });
});

test(
  "without passwords the flows are those of the original",
  async () => {
    const pair = await start({}, { password_config: { enabled: false } });
    try {
      const { body } = await pair.alike(async ({ server }) =>
        shown(await new Client(server.baseUrl).get(path)),
      );
      expect(body.flows).toContainEqual({ type: loginType });
    } finally {
      await pair.stop();
    }
  },
  START_LIMIT_MS,
);
