// The ModuleApi of a module: what is answered here, what goes to the shim, and how both can fail.
import { describe, expect, test } from "@jest/globals";
import { type ApiSource, isMine, makeApi, WireError } from "../../bridge/api.js";
import { catalogue } from "../../bridge/catalogue.js";
import { isSynapseError } from "../../bridge/errors.js";
import type { Api } from "../../bridge/index.js";
import { SYNAPSE } from "./rig.js";

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
  };
  const module = { name: "no-links", grants: grants === "all" ? grants : new Set(grants) };
  return makeApi(module, SYNAPSE, source, catalogue()) as Api;
}

// biome-ignore lint/suspicious/noExplicitAny: what the types would not let through
const untyped = (one: Api): any => one;

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

  test("needs a grant if it changes something", async () => {
    const mail = { recipient: "a@b", subject: "s", html: "h", text: "t" };
    await expect(api().send_mail(mail)).rejects.toThrow(
      "no-links may not call api.send_mail: add send_mail to its `grants`",
    );
    expect(sent).toEqual([]);
    expect(await api(["send_mail"]).send_mail(mail)).toBeUndefined();
    expect(await api("all").send_mail(mail)).toBeUndefined();
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

  test.each([
    [
      "a status that is none",
      new WireError("synapse_error", "x", { code: 302, msg: "m", errcode: "M_X" }),
      "api.is_user_admin failed: 302 M_X: m",
    ],
    [
      "another exception",
      new WireError("api_error", "KeyError: 'sender'", { class: "KeyError" }),
      "api.is_user_admin failed: KeyError: 'sender'",
    ],
  ])("throws a plain error for %s", async (_, thrown, message) => {
    const error = await api([], thrown)
      .is_user_admin({ user_id: "@a:b" })
      .catch((e) => e);
    expect(isSynapseError(error)).toBe(false);
    expect(error.message).toBe(message);
  });
});
