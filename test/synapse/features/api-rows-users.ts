// What modules can ask and do about users, their devices and tokens.
import { expect } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { type Body, Client } from "../../support/client.js";
import { newUser, type Rows, type World } from "./api-row.js";

const stranger = "@none:test.localhost";
const whoami = ({ server }: World, token: string) => new Client(server.baseUrl, "", token).whoami();
const ofAlice = ({ alice }: World) => ({ user_id: alice.userId });

export const userRows: Rows = {
  get_userinfo_by_id: [
    {
      params: ofAlice,
      result: { is_admin: false, is_deactivated: false, is_guest: false, appservice_id: null },
    },
    { title: "nobody", params: { user_id: stranger }, result: null },
  ],
  get_user_by_req: [
    {
      title: "of alice",
      params: { req: "the request" },
      asAlice: true,
      result: ({ user_id }: Body, { alice }: World) => expect(user_id).toBe(alice.userId),
    },
    { params: { req: "the request" }, error: { code: 401, errcode: "M_MISSING_TOKEN" } },
    {
      title: "no request",
      params: { req: 1 },
      error: { error: expect.stringContaining("must be the Request") },
    },
  ],
  is_user_admin: [
    { params: ofAlice, result: false },
    { title: "an admin", params: ({ admin }) => ({ user_id: admin.userId }), result: true },
    { title: "no user", params: {}, error: { error: expect.stringContaining("user_id is missing") } },
  ],
  set_user_admin: [
    {
      params: async (world) => ({ user_id: (await newUser(world, "promoted")).userId, admin: true }),
      result: async (_: null, world: World) => {
        const { body } = await world.admin.admin("GET", `v2/users?name=promoted${world.tag}`);
        expect(body.users).toMatchObject([{ admin: true }]);
      },
    },
    {
      title: "nobody",
      params: { user_id: stranger, admin: true },
      error: { code: 404, errcode: "M_UNKNOWN" },
    },
  ],
  get_profile_for_user: [
    {
      params: ({ tag }) => ({ localpart: `alice${tag}` }),
      result: { display_name: "Alice ☃", avatar_url: null },
    },
    { title: "nobody", params: { localpart: "none" }, result: { display_name: null, avatar_url: null } },
  ],
  set_displayname: [
    {
      params: async (world) => ({ user_id: (await newUser(world, "named")).userId, new_displayname: "Née" }),
      result: async (_: null, { admin, tag }: World) => {
        const { body } = await admin.admin("GET", `v2/users?name=named${tag}`);
        expect(body.users).toMatchObject([{ displayname: "Née" }]);
      },
    },
    {
      title: "of another server",
      params: { user_id: "@a:example.org", new_displayname: "x" },
      error: { code: 400 },
    },
    { title: "no id", params: { user_id: "named", new_displayname: "x" }, error: { code: 400 } },
  ],
  get_threepids_for_user: [
    {
      params: async ({ admin, alice, tag }) => {
        const threepids = [{ medium: "email", address: `alice${tag}@example.org` }];
        await admin.admin("PUT", `v2/users/${alice.userId}`, { threepids });
        return { user_id: alice.userId };
      },
      result: (found: unknown, { tag }: World) =>
        expect(found).toMatchObject([
          { medium: "email", address: `alice${tag}@example.org`, validated_at: expect.any(Number) },
        ]),
    },
  ],
  check_user_exists: [
    {
      params: ({ tag }) => ({ user_id: `@ALICE${tag}:test.localhost` }),
      result: (found: unknown, { alice }: World) => expect(found).toBe(alice.userId),
    },
    { title: "nobody", params: { user_id: stranger }, result: null },
  ],
  check_username: [
    { params: { username: "free" }, result: null },
    { title: "taken", params: { username: "alice" }, error: { code: 400, errcode: "M_USER_IN_USE" } },
    { title: "not valid", params: { username: "A B" }, error: { code: 400, errcode: "M_INVALID_USERNAME" } },
  ],
  register: [
    {
      params: ({ tag }) => ({
        ...{ localpart: `registered${tag}`, displayname: "R", emails: [`r${tag}@example.org`] },
      }),
      result: async ([user_id, token]: [string, string], world: World) => {
        world.secrets.push(token);
        expect((await whoami(world, token)).body).toMatchObject({ user_id });
        expect((await world.alice.profile(user_id)).body).toMatchObject({ displayname: "R" });
      },
    },
  ],
  register_user: [
    {
      params: ({ tag }) => ({
        ...{ localpart: `made${tag}`, displayname: "Made", emails: [`m${tag}@example.org`], admin: true },
      }),
      result: async (user_id: string, { admin, tag }: World) => {
        expect((await admin.admin("GET", `v2/users/${user_id}`)).body).toMatchObject({
          ...{ name: `@made${tag}:test.localhost`, displayname: "Made", admin: true },
          threepids: [{ medium: "email", address: `m${tag}@example.org` }],
        });
      },
    },
    { title: "again", params: { localpart: "made" }, error: { code: 400, errcode: "M_USER_IN_USE" } },
  ],
  register_device: [
    {
      params: (world) => ({ ...ofAlice(world), device_id: "DEV", initial_display_name: "by a module" }),
      result: async ([device, token, ...rest]: [string, string], world: World) => {
        world.secrets.push(token);
        expect([device, rest]).toEqual(["DEV", [null, null]]);
        expect((await whoami(world, token)).body).toMatchObject({ device_id: "DEV" });
      },
    },
  ],
  invalidate_access_token: [
    {
      params: async (world) => ({ access_token: (await newUser(world, "out")).accessToken }),
      result: async (_: null, { admin, tag }: World) => {
        const { body } = await admin.admin("GET", `v2/users?name=out${tag}`);
        const [{ name }] = body.users;
        expect((await admin.admin("GET", `v2/users/${name}/devices`)).body.devices).toEqual([]);
      },
    },
    {
      title: "unknown",
      params: { access_token: "syt_s3cret_token" },
      error: { code: 401, errcode: "M_UNKNOWN_TOKEN", error: expect.not.stringContaining("s3cret") },
    },
  ],
  record_user_external_id: [
    {
      params: ({ alice, tag }) => ({
        ...{ auth_provider_id: "sso", remote_user_id: `alice-at-sso${tag}` },
        registered_user_id: alice.userId,
      }),
      result: async (_: null, { admin, alice, tag }: World) => {
        const { body } = await admin.admin("GET", `v2/users/${alice.userId}`);
        expect(body.external_ids).toEqual([{ auth_provider: "sso", external_id: `alice-at-sso${tag}` }]);
      },
    },
    {
      title: "of another user",
      params: {
        auth_provider_id: "sso",
        remote_user_id: "alice-at-sso",
        registered_user_id: "@x:test.localhost",
      },
      error: { kind: "api_error", exception: "ExternalIDReuseException" },
    },
  ],
  create_login_token: [
    {
      params: (world) => ({ ...ofAlice(world), duration_in_ms: 60_000 }),
      result: async (token: string, world: World) => {
        world.secrets.push(token);
        const client = new Client(world.server.baseUrl);
        const { body } = await client.post("/_matrix/client/v3/login", { type: "m.login.token", token });
        expect(body).toMatchObject({ user_id: world.alice.userId });
      },
    },
  ],
  complete_sso_login_async: [
    {
      title: "whose page Synapse writes, whatever the handler returns",
      params: ({ alice }) => ({
        registered_user_id: alice.userId,
        request: "the request",
        client_redirect_url: "https://client.example/after",
      }),
      page: "https://client.example/after?loginToken=",
    },
  ],
  store_remote_3pid_association: [
    {
      params: ({ alice }) => ({
        ...{ user_id: alice.userId, medium: "email", address: "a@example.org", id_server: "id.example.org" },
      }),
      result: async (_: null, { alice, query }: World) => {
        const where = `WHERE user_id = '${alice.userId}'`;
        const rows = await query(`SELECT address, id_server FROM user_threepid_id_server ${where}`);
        expect(rows).toEqual([["a@example.org", "id.example.org"]]);
      },
    },
  ],
  get_user_ip_and_agents: [
    {
      params: async (world) => {
        await world.alice.whoami();
        return ofAlice(world);
      },
      tooEarly: (seen) => seen?.length === 0,
      result: (seen: Body[]) =>
        expect(seen).toContainEqual({ ip: "127.0.0.1", user_agent: "node", last_seen: expect.any(Number) }),
    },
    { title: "of another server", params: { user_id: "@a:example.org" }, result: [] },
  ],
  get_monthly_active_users_by_service: [
    {
      params: async (world) => {
        await waitFor("the visit to be recorded", async () => {
          const rows = await world.query("SELECT user_id FROM monthly_active_users");
          return rows.some(([user]) => user === world.alice.userId);
        });
        return {};
      },
      result: (users: unknown, { alice }: World) => expect(users).toContainEqual(["native", alice.userId]),
    },
  ],
  "account_data_manager.get_global": [
    {
      params: (world) => ({ ...ofAlice(world), data_type: "org.example.none" }),
      result: null,
    },
    {
      title: "of another server",
      params: { user_id: "@a:example.org", data_type: "x" },
      error: { kind: "api_error", exception: "ValueError" },
    },
  ],
  "account_data_manager.put_global": [
    {
      params: (world) => ({
        ...{ ...ofAlice(world), data_type: "org.example.put" },
        new_data: { list: [1, { a: null }], "☃": true },
      }),
      result: async (_: null, { alice }: World) => {
        const path = `/_matrix/client/v3/user/${alice.userId}/account_data/org.example.put`;
        expect((await alice.get(path)).body).toEqual({ list: [1, { a: null }], "☃": true });
      },
    },
  ],
};
