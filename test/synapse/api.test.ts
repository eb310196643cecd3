// Every method of the ModuleApi in schemas/api.json, called by a module on a real Synapse, with and without a grant.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Body, Client, registerUser } from "../homeserver/client.js";
import { type Homeserver, startHomeserver } from "../homeserver/homeserver.js";
import { projectRoot } from "../homeserver/paths.js";
import { waitFor } from "../homeserver/wait.js";
import { bridge, modulePath } from "./bridge.js";
import { type MailServer, startMailServer } from "./mail-server.js";

const catalogue = JSON.parse(readFileSync(join(projectRoot, "schemas", "api.json"), "utf8"));
// Those that Synapse's ModuleApi lacks are in storage.test.ts.
const methods = Object.keys(catalogue.methods).filter((name) => !catalogue.methods[name].added);
const writes = methods.filter((name) => catalogue.methods[name].access === "write");

let server: Homeserver;
let mail: MailServer;
let alice: Client;
let admin: Client;
let room: string;

beforeAll(async () => {
  mail = await startMailServer();
  const path = modulePath("api-caller.ts");
  const caller = (name: string, grants: unknown) => ({
    ...{ path, name, config: { path: `/_synapse/client/${name}` } },
    ...(grants !== undefined && { grants }),
  });
  server = await startHomeserver({
    modules: bridge({
      modules: [
        caller("granted", writes),
        caller("all", "all"),
        caller("none", undefined),
        caller("mail", ["send_mail"]),
      ],
    }),
    extraConfig: {
      email: {
        ...{ smtp_host: "127.0.0.1", smtp_port: mail.port, enable_tls: false, app_name: "Tests" },
        notif_from: "%(app)s <noreply@example.org>",
      },
    },
  });
  alice = await registerUser(server, "alice", { displayname: "Alice ☃" });
  admin = await registerUser(server, "admin", { admin: true });
  room = (await alice.createRoom({ preset: "public_chat", visibility: "public", room_alias_name: "lobby" }))
    .body.room_id;
}, 60_000);

afterAll(async () => {
  await server?.stop();
  await mail?.close();
});

const called = new Set<string>();

async function call(method: string, params?: object, by = "granted"): Promise<Body> {
  called.add(method);
  const client = new Client(server.baseUrl);
  return (await client.post(`/_synapse/client/${by}`, { method, params })).body;
}

describe("the synchronous part", () => {
  test("tells what Synapse is, without a promise", async () => {
    const answers = await Promise.all(
      Object.keys(catalogue.properties).map(async (name) => [name, await call(name)]),
    );
    const properties = Object.fromEntries(answers);
    expect(properties.server_name).toEqual({ result: "test.localhost", awaited: false });
    expect(properties.worker_name).toEqual({ result: null, awaited: false });
    expect(properties.worker_app).toEqual({ result: null, awaited: false });
    expect(properties.public_baseurl).toEqual({ result: "http://localhost/", awaited: false });
    expect(properties.email_app_name).toEqual({ result: "Tests", awaited: false });
  });

  test("answers as Synapse would", async () => {
    expect(await call("is_mine", { id: "@a:test.localhost" })).toEqual({ result: true, awaited: false });
    expect(await call("is_mine", { id: "@a:example.org" })).toEqual({ result: false, awaited: false });
    const qualified = await call("get_qualified_user_id", { username: "x" });
    expect(qualified).toEqual({ result: "@x:test.localhost", awaited: false });
    expect(await call("should_run_background_tasks")).toEqual({ result: true, awaited: false });
    const { result } = await call("get_current_time_msec");
    expect(Math.abs(result - Date.now())).toBeLessThan(60_000);
  });
});

describe("reads, which need no grant", () => {
  const read = async (method: string, params: object) => (await call(method, params, "none")).result;

  test("about users", async () => {
    const user_id = alice.userId;
    const info = await read("get_userinfo_by_id", { user_id });
    expect(info).toMatchObject({
      user_id,
      is_admin: false,
      is_deactivated: false,
      is_guest: false,
      appservice_id: null,
    });
    expect(await read("get_userinfo_by_id", { user_id: "@none:test.localhost" })).toBeNull();
    expect(await read("is_user_admin", { user_id: admin.userId })).toBe(true);
    expect(await read("is_user_admin", { user_id })).toBe(false);
    const profile = await read("get_profile_for_user", { localpart: "alice" });
    expect(profile).toEqual({ display_name: "Alice ☃", avatar_url: null });
    expect(await read("check_user_exists", { user_id })).toBe(user_id);
    expect(await read("check_user_exists", { user_id: "@none:test.localhost" })).toBeNull();
    const threepids = [{ medium: "email", address: "alice@example.org" }];
    await admin.admin("PUT", `v2/users/${user_id}`, { threepids });
    expect(await read("get_threepids_for_user", { user_id })).toMatchObject(threepids);
  });

  test("about the maker of a web request, who is nobody here", async () => {
    expect(await call("get_user_by_req", {}, "none")).toHaveProperty("error");
  });

  test("about rooms", async () => {
    const all = await read("get_room_state", { room_id: room });
    expect(all.map(({ type }: Body) => type)).toContain("m.room.create");
    const some = await read("get_room_state", { room_id: room, event_filter: [["m.room.member", null]] });
    expect(some).toMatchObject([
      { type: "m.room.member", state_key: alice.userId, room_id: room, room_version: "12" },
    ]);
    const types = [["m.room.join_rules", ""]];
    const rules = await read("get_state_events_in_room", { room_id: room, types });
    expect(rules).toMatchObject([{ content: { join_rule: "public" } }]);
    const alias = await read("lookup_room_alias", { room_alias: "#lobby:test.localhost" });
    expect(alias).toEqual([room, ["test.localhost"]]);
    expect(await read("public_room_list_manager.room_is_in_public_room_list", { room_id: room })).toBe(true);
  });

  test("throw Synapse's own errors", async () => {
    const answer = await call("lookup_room_alias", { room_alias: "#none:test.localhost" }, "none");
    expect(answer).toMatchObject({ code: 404, errcode: "M_NOT_FOUND" });
  });

  test("tell what is wrong with a parameter", async () => {
    expect((await call("is_user_admin", {}, "none")).error).toContain("user_id");
  });
});

describe("writes with a grant", () => {
  test.each(["granted", "all"])("change account data: %s", async (by) => {
    const place = { user_id: alice.userId, data_type: `org.example.${by}` };
    expect(await call("account_data_manager.get_global", place, "none")).toMatchObject({ result: null });
    const new_data = { list: [1, { a: null }], "☃": true };
    expect(await call("account_data_manager.put_global", { ...place, new_data }, by)).toEqual({
      result: null,
      awaited: true,
    });
    expect((await call("account_data_manager.get_global", place, "none")).result).toEqual(new_data);
  });

  test("send events", async () => {
    const content = { msgtype: "m.notice", body: "from a module" };
    const event_dict = { type: "m.room.message", room_id: room, sender: alice.userId, content };
    const { result } = await call("create_and_send_event_into_room", { event_dict });
    expect(result).toMatchObject({ ...event_dict, room_version: "12" });
    expect((await alice.event(room, result.event_id)).body.content).toEqual(content);
  });

  test("create rooms and change memberships in them", async () => {
    const created = await call("create_room", { user_id: alice.userId, config: { name: "By a module" } });
    const [room_id, alias] = created.result;
    expect(alias).toBeNull();
    expect((await alice.getState(room_id, "m.room.name")).body).toEqual({ name: "By a module" });
    const target = admin.userId;
    const invite = {
      sender: alice.userId,
      target,
      room_id,
      new_membership: "invite",
      content: { reason: "please" },
    };
    const { result } = await call("update_room_membership", invite);
    expect(result).toMatchObject({ type: "m.room.member", state_key: target });
    expect((await alice.getState(room_id, "m.room.member", target)).body).toMatchObject({
      membership: "invite",
      reason: "please",
    });
  });

  test("send mails", async () => {
    const params = { recipient: "bob@example.org", subject: "Hello", html: "<p>Hi</p>", text: "Hi" };
    expect(await call("send_mail", params, "mail")).toEqual({ result: null, awaited: true });
    const [sent] = await waitFor("the mail", () => (mail.mails.length > 0 ? mail.mails : undefined));
    expect(sent).toContain("Subject: Hello");
    expect(sent).toContain("bob@example.org");
  });
});

describe("a write without a grant", () => {
  test.each(writes)("%s is refused, with the key to set", async (method) => {
    const { error } = await call(method, {}, method === "send_mail" ? "none" : "mail");
    expect(error).toContain(method);
    expect(error).toContain("grants");
  });
});

test("every method of the catalogue was called", () => {
  expect([...called].sort()).toEqual([...Object.keys(catalogue.properties), ...methods].sort());
});
