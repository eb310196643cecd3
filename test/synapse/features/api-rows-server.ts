// What modules can do with Synapse's presence, pushes, mails, templates and HTTP client.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import type { Body } from "../../support/client.js";
import { newUser, type Rows, type World } from "./api-row.js";
import { SECRET_BODY } from "./peer.js";

const headers = { Authorization: ["Bearer s3cret-header"], "Content-Type": ["application/x-own"] };
const at =
  (path: string, more: object = {}) =>
  ({ peer }: World) => ({ uri: `${peer.baseUrl}${path}`, ...more });
const base64 = (text: string) => ({ bytes: Buffer.from(text).toString("base64") });
const missing = { code: 404, msg: "Not Here", response: base64(SECRET_BODY) };
const tooBig = { code: 502, errcode: "M_TOO_LARGE" };
const agent = expect.stringMatching(/^Synapse\//);
const json = { uri: "http://x", headers: { a: "b" } };
const rule = { scope: "global", kind: "underride", rule_id: ".m.rule.message" };
const ping = ["notify", { set_tweak: "sound", value: "ping" }];

export const propertyRows: Rows = {
  server_name: [{ result: "test.localhost" }],
  worker_name: [{ result: (name: unknown, { asked }: World) => expect(name).toBe(asked.worker_name) }],
  worker_app: [{ result: (app: unknown, { asked }: World) => expect(app).toBe(asked.worker_app) }],
  public_baseurl: [{ result: "http://localhost/" }],
  email_app_name: [{ result: "Tests" }],
  custom_template_dir: [{ result: null }],
};

export const serverRows: Rows = {
  is_mine: [
    { params: { id: "@a:test.localhost" }, result: true },
    { title: "of another server", params: { id: "@a:example.org" }, result: false },
  ],
  get_qualified_user_id: [{ params: { username: "x" }, result: "@x:test.localhost" }],
  should_run_background_tasks: [
    { result: (runs: unknown, { asked }: World) => expect(runs).toBe(asked.background) },
  ],
  get_current_time_msec: [
    { result: (now: number) => expect(Math.abs(now - Date.now())).toBeLessThan(60_000) },
  ],
  set_presence_for_users: [
    {
      params: ({ alice }) => ({ users: { [alice.userId]: ["unavailable", "gone fishing"] } }),
      result: async (_: null, { alice }: World) => {
        await waitFor("her presence", async () => {
          const { body } = await alice.get(`/_matrix/client/v3/presence/${alice.userId}/status`);
          return body.presence === "unavailable" && body.status_msg === "gone fishing";
        });
      },
    },
    {
      title: "no presence",
      params: { users: { "@a:test.localhost": ["gone", null] } },
      error: { error: expect.stringContaining("TypeError") },
    },
  ],
  send_local_online_presence_to: [
    {
      params: ({ alice }) => ({ users: [alice.userId] }),
      result: async (_: null, { alice }: World) => {
        const { body } = await alice.sync();
        expect(body.presence).toBeDefined();
      },
    },
  ],
  check_push_rule_actions: [
    { params: { actions: ping }, result: null },
    {
      title: "not valid",
      params: { actions: ["shout"] },
      error: { kind: "api_error", exception: "InvalidRuleException" },
    },
  ],
  set_push_rule_action: [
    {
      params: ({ alice }) => ({ user_id: alice.userId, ...rule, actions: ping }),
      result: async (_: null, { alice }: World) => {
        const path = "/_matrix/client/v3/pushrules/global/underride/.m.rule.message/actions";
        expect((await alice.get(path)).body).toEqual({ actions: ping });
      },
    },
    {
      title: "of no rule",
      params: ({ alice }) => ({ user_id: alice.userId, ...rule, rule_id: "none", actions: [] }),
      error: { kind: "api_error", exception: "RuleNotFoundException" },
    },
  ],
  send_http_push_notification: [
    {
      params: async (world) => {
        const user = await newUser(world, "pushed");
        await user.post("/_matrix/client/v3/pushers/set", {
          ...{ kind: "http", app_id: "org.example", pushkey: "key", lang: "en" },
          ...{ app_display_name: "App", device_display_name: "Device" },
          data: { url: `${world.peer.baseUrl}/_matrix/push/v1/notify` },
        });
        return {
          user_id: user.userId,
          device_id: null,
          content: { event_id: "$made-up" },
          tweaks: { sound: "x" },
        };
      },
      tooEarly: (reached) => reached !== undefined && Object.keys(reached).length === 0,
      result: (reached: Body, { peer }: World) => {
        expect(Object.values(reached)).toEqual([true]);
        const push = peer.asked.findLast(({ url }) => url === "/_matrix/push/v1/notify");
        expect(JSON.parse(push?.body ?? "")).toMatchObject({
          notification: { event_id: "$made-up", devices: [{ pushkey: "key", tweaks: { sound: "x" } }] },
        });
      },
    },
  ],
  send_mail: [
    {
      params: ({ tag }) => ({
        ...{ recipient: `bob${tag}@example.org`, subject: "Hello", html: "<p>Hi</p>", text: "Hi" },
      }),
      result: async (_: null, { mail, tag }: World) => {
        const sent = await waitFor("the mail", () =>
          mail.mails.find((text) => text.includes(`bob${tag}@example.org`)),
        );
        expect(sent).toContain("Subject: Hello");
      },
    },
  ],
  read_templates: [
    {
      title: "of a folder of the module's and of Synapse",
      params: ({ server }) => {
        writeFileSync(join(server.dir, "own.html"), "<p>{{ name }} at {{ list[1] }}</p>");
        return { filenames: ["own.html", "sso_error.html"], custom_template_directory: server.dir };
      },
      render: { name: "<b>", list: [0, 7], error: "oops" },
      result: ["<p>&lt;b&gt; at 7</p>", expect.stringContaining("oops")],
    },
    {
      title: "that are not there",
      params: { filenames: ["none.html"] },
      error: { kind: "api_error", exception: "TemplateNotFound" },
    },
  ],
  "http_client.get_json": [
    {
      params: at("/echo", { args: { a: "1", b: ["2", "ü"] }, headers }),
      result: { method: "GET", url: "/echo?a=1&b=2&b=%C3%BC", authorization: "Bearer s3cret-header" },
    },
    { title: "that is missing", params: at("/missing"), error: missing },
    {
      title: "that is none",
      params: at("/text"),
      error: { kind: "api_error", exception: "JSONDecodeError" },
    },
    {
      title: "of nobody",
      params: { uri: "http://127.0.0.1:1/" },
      error: { exception: "ConnectionRefusedError" },
    },
    {
      title: "with headers that are no lists",
      params: json,
      error: { error: expect.stringContaining("headers.a must be array") },
    },
  ],
  "http_client.get_raw": [
    { params: at("/text"), result: base64("plain ☕") },
    { title: "that is too big", params: at("/big"), error: tooBig },
    { title: "that is missing", params: at("/missing"), error: missing },
  ],
  "http_client.post_json_get_json": [
    {
      params: at("/echo", { post_json: { b: 1, a: "☃" }, headers: { Authorization: ["x"] } }),
      result: { method: "POST", type: "application/json", authorization: "x", body: '{"a":"☃","b":1}' },
    },
    { title: "that is too big", params: at("/big", { post_json: [] }), error: tooBig },
  ],
  "http_client.post_urlencoded_get_json": [
    {
      params: at("/echo", { args: { a: "1", b: ["2", "3"] } }),
      result: { method: "POST", type: "application/x-www-form-urlencoded", body: "a=1&b=2&b=3" },
    },
  ],
  "http_client.put_json": [
    {
      params: at("/echo", { json_body: { a: 1 }, args: { q: "1" } }),
      result: { method: "PUT", url: "/echo?q=1", body: '{"a":1}' },
    },
    { title: "that is missing", params: at("/missing", { json_body: {} }), error: missing },
  ],
  "http_client.request": [
    {
      params: at("/echo", { method: "PATCH", data: base64("any"), headers }),
      result: ({ code, phrase, body }: Body) => {
        expect([code, phrase]).toEqual([200, "OK"]);
        expect(JSON.parse(Buffer.from(body.bytes, "base64").toString())).toMatchObject({
          ...{ method: "PATCH", type: "application/x-own", agent, body: "any" },
        });
      },
    },
    {
      title: "whose answer has another status",
      params: at("/missing", { method: "GET" }),
      result: { code: 404, phrase: "Not Here", body: base64(SECRET_BODY) },
    },
    {
      title: "whose answer has a header twice",
      params: at("/text", { method: "GET" }),
      result: { headers: { "x-two": ["1", "2"] } },
    },
    { title: "whose answer is too big", params: at("/big", { method: "GET" }), error: tooBig },
  ],
};
