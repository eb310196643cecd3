// The ModuleApi of a module: what is answered here, what goes to the shim, and how both can fail.
import { describe, expect, test } from "@jest/globals";
import { catalogue } from "../../../../bridge/catalogue/catalogue.js";
import type { Api } from "../../../../bridge/index.js";
import { type ApiSource, isMine, makeApi } from "../../../../bridge/module-api/api.js";
import { WireError } from "../../../../bridge/module-api/api-errors.js";
import { newOrigin, runWithOrigin } from "../../../../bridge/module-api/origin.js";
import { isApiError, isHttpResponseException, isSynapseError } from "../../../../bridge/sdk/errors.js";
import { SYNAPSE } from "../rig.js";

const sent: unknown[] = [];
const page = new Request("http://localhost/");

function api(grants: string[] | "all" = [], result: unknown = null): Api {
  sent.length = 0;
  const source: ApiSource = {
    async request(method, params) {
      sent.push([method, params]);
      if (result instanceof Error) throw result;
      return result;
    },
    handleOf: (request) => (request === page ? 18 : undefined),
    async render(params) {
      sent.push(["render", params]);
      if ("bad" in (params as { variables: object }).variables) throw new WireError("api_error", "bad", {});
      return "rendered";
    },
  };
  const module = { name: "no-links", grants: grants === "all" ? grants : new Set(grants) };
  return makeApi(module, SYNAPSE, source, catalogue()) as Api;
}

// biome-ignore lint/suspicious/noExplicitAny: what the types would not let through
const untyped = (one: object): any => one;

test("it has all that the catalogue declares, and cannot be changed", () => {
  const own = untyped(api());
  for (const name of catalogue().properties.keys())
    expect(own[name]).toBe((SYNAPSE as Record<string, unknown>)[name]);
  for (const path of catalogue().methods.keys()) {
    expect(typeof path.split(".").reduce((one, part) => one[part], own)).toBe("function");
  }
  expect(Object.isFrozen(own) && Object.isFrozen(own.account_data_manager)).toBe(true);
});

test("the synchronous part needs no shim", () => {
  const own = api();
  expect(own.get_qualified_user_id({ username: "alice" })).toBe("@alice:example.org");
  expect(own.get_qualified_user_id({ username: "@bob:other" })).toBe("@bob:other");
  expect(own.is_mine({ id: "@alice:example.org" })).toBe(true);
  expect(own.should_run_background_tasks()).toBe(true);
  expect(Math.abs(own.get_current_time_msec() - Date.now())).toBeLessThan(1000);
  expect(() => untyped(own).is_mine("@alice:example.org")).toThrow(
    "api.is_mine takes its parameters by name: api.is_mine({ id })",
  );
  expect(sent).toEqual([]);
});

test.each([
  ["@a:example.org", true],
  ["#room:example.org", true],
  ["@a:other.org", false],
  ["@a:example.org:8448", false],
  ["!v12room", false],
  ["", false],
  ["example.org", false],
])("is_mine of %j is %p", (id, mine) => {
  expect(isMine(id, "example.org")).toBe(mine);
});

describe("a method that asks Synapse", () => {
  test("sends its parameters and gives back the result", async () => {
    const info = { user_id: "@a:example.org" };
    expect(await api([], info).get_userinfo_by_id({ user_id: "@a:example.org" })).toBe(info);
    expect(sent).toEqual([
      ["get_userinfo_by_id", { module: "no-links", params: { user_id: "@a:example.org" } }],
    ]);
  });

  test("leaves out what is undefined, and reaches into managers", async () => {
    await untyped(api()).get_room_state({ room_id: "!r:x", event_filter: undefined });
    await api().account_data_manager.get_global({ user_id: "@a:b", data_type: "x" });
    expect(sent).toEqual([
      [
        "account_data_manager.get_global",
        { module: "no-links", params: { user_id: "@a:b", data_type: "x" } },
      ],
    ]);
  });

  test.each([
    ["a missing parameter", {}, "api.is_user_admin: user_id is missing"],
    ["a wrong type", { user_id: 3 }, "api.is_user_admin: user_id must be string"],
    ["one that it has not", { user_id: "@a:b", admin: true }, "api.is_user_admin has no parameter admin"],
  ])("refuses %s with a TypeError", async (_, params, message) => {
    const refused = untyped(api()).is_user_admin(params);
    await expect(refused).rejects.toThrow(TypeError);
    await expect(refused).rejects.toThrow(message);
    expect(sent).toEqual([]);
  });

  test.each([
    ["a Date", { when: new Date(0) }, "new_data.when is a Date, which cannot be sent"],
    ["infinity", { n: [1 / 0] }, "new_data.n[0] is Infinity, which cannot be sent"],
    [
      "a named property of a list",
      { l: Object.assign([1], { a: 2 }) },
      "new_data.l.a is a named property of a list",
    ],
  ])("refuses what JSON would change without a word: %s", async (_, new_data, message) => {
    const refused = untyped(api("all")).account_data_manager.put_global({
      user_id: "@a:b",
      data_type: "x",
      new_data,
    });
    await expect(refused).rejects.toThrow(`api.account_data_manager.put_global: ${message}`);
    expect(sent).toEqual([]);
  });

  test("needs a grant if it changes something", async () => {
    const mail = { recipient: "a@b", subject: "s", html: "h", text: "t" };
    await expect(api().send_mail(mail)).rejects.toThrow(
      "no-links may not call send_mail: write `grants: [send_mail]` beside its `path` in homeserver.yaml",
    );
    await expect(api(["create_room", "http_client"]).send_mail(mail)).rejects.toThrow(
      "write `grants: [create_room, http_client, send_mail]`",
    );
    expect(sent).toEqual([]);
    expect(await api(["send_mail"]).send_mail(mail)).toBeUndefined();
    expect(await api("all").send_mail(mail)).toBeUndefined();
  });

  test("may be granted by the name of its group", async () => {
    const asked = () => untyped(api(["http_client"], { a: 1 })).http_client.get_json({ uri: "http://x/" });
    expect(await asked()).toEqual({ a: 1 });
    const place = { user_id: "@a:b", data_type: "t", new_data: {} };
    const refused = await api(["http_client"])
      .account_data_manager.put_global(place)
      .catch((e) => e);
    expect(isApiError(refused) && refused.kind).toBe("not_granted");
  });

  test("tells from which call it is made, while the module has not answered", async () => {
    const origin = newOrigin(7);
    const user_id = "@a:b";
    await runWithOrigin(origin, async () => {
      await Promise.resolve();
      const asked = api().is_user_admin({ user_id });
      expect(origin.pending).toBe(1);
      await asked;
    });
    expect([sent, origin.pending]).toEqual([
      [["is_user_admin", { module: "no-links", call: 7, params: { user_id } }]],
      0,
    ]);
    origin.over = true;
    await runWithOrigin(origin, () => api().is_user_admin({ user_id }));
    expect(sent).toEqual([["is_user_admin", { module: "no-links", params: { user_id } }]]);
  });

  test("takes and gives bytes", async () => {
    const body = Buffer.from([0, 255]).toString("base64");
    const answer = { code: 200, phrase: "OK", headers: {}, body };
    const client = api(["http_client"], answer).http_client;
    const data = new Uint8Array([9, 1, 2]).subarray(1);
    const got = await client.request({ method: "PUT", uri: "http://x/", data });
    expect(got).toEqual({ ...answer, body: new Uint8Array([0, 255]) });
    expect(sent).toMatchObject([["http_client.request", { params: { data: "AQI=" } }]]);
    const text = untyped(client).request({ method: "PUT", uri: "http://x/", data: "text" });
    await expect(text).rejects.toThrow("api.http_client.request: data must be a Uint8Array");
  });

  test("gives templates that Synapse renders", async () => {
    const filenames = ["a.html"];
    const custom_template_directory = "/t";
    const own = api([], filenames);
    const [template] = await own.read_templates({ filenames, custom_template_directory });
    expect(await template?.render({ name: "A" })).toBe("rendered");
    expect(sent[1]).toEqual([
      "render",
      { filename: "a.html", custom_template_directory, variables: { name: "A" } },
    ]);
    const failed = await template?.render({ bad: true }).catch((e) => e);
    expect(isApiError(failed) && failed.message).toBe("api.read_templates failed: bad");
  });

  test("takes the request that a web handler was given, and no other", async () => {
    await api().get_user_by_req({ req: page });
    expect(sent).toEqual([["get_user_by_req", { module: "no-links", params: { req: 18 } }]]);
    await expect(api().get_user_by_req({ req: page.clone() })).rejects.toThrow(
      "req must be the Request that a web handler was given",
    );
  });

  test("throws Synapse's error as the module could have thrown it", async () => {
    const data = { code: 404, msg: "gone", errcode: "M_NOT_FOUND", additional_fields: { a: 1 } };
    const error = await api([], new WireError("synapse_error", "x", data))
      .lookup_room_alias({ room_alias: "#a:b" })
      .catch((e) => e);
    expect(isSynapseError(error)).toBe(true);
    expect(error).toMatchObject(data);
  });

  test("throws an HttpResponseException, of which a log shows no body", async () => {
    const response = Buffer.from("secret").toString("base64");
    const thrown = new WireError("http_response_exception", "x", { code: 404, msg: "Not Found", response });
    const error = await api("all", thrown)
      .http_client.get_raw({ uri: "http://x/" })
      .catch((e) => e);
    expect(isHttpResponseException(error) && Buffer.from(error.response).toString()).toBe("secret");
    expect(error).toMatchObject({ code: 404, msg: "Not Found", message: "404: Not Found" });
    expect(JSON.stringify({ ...error })).not.toContain("response");
  });

  test.each([
    [
      "a status that is none",
      new WireError("synapse_error", "x", { code: 302, msg: "m", errcode: "M_X" }),
      { message: "api.is_user_admin failed: 302 M_X: m", kind: "api_error", exception: null },
    ],
    [
      "another exception",
      new WireError("api_error", "'sender'", { class: "KeyError" }),
      { message: "api.is_user_admin failed: 'sender'", kind: "api_error", exception: "KeyError" },
    ],
    [
      "a call that cannot be made in this process",
      new WireError("wrong_process", "works only in the main process", { process: "w1" }),
      {
        message: "api.is_user_admin failed: works only in the main process",
        kind: "wrong_process",
        exception: null,
      },
    ],
    [
      "an error that it does not know",
      new WireError(undefined, "odd", {}),
      { message: "api.is_user_admin failed: odd", kind: "host_error", exception: null },
    ],
  ])("throws an ApiError for %s", async (_, thrown, expected) => {
    const error = await api([], thrown)
      .is_user_admin({ user_id: "@a:b" })
      .catch((e) => e);
    expect(isSynapseError(error)).toBe(false);
    expect(isApiError(error)).toBe(true);
    expect(error).toMatchObject({ ...expected, method: "is_user_admin" });
  });
});
