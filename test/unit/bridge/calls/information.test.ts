// Callbacks that ask for information: what counts as an answer, and what a handler gets of an HTTP request.
import { describe, expect, test } from "@jest/globals";
import { folder, rig } from "../each-rig.js";
import { moduleOf } from "../rig.js";
import { asked, load } from "./chain.js";

describe("the next module is asked after an answer that says nothing", () => {
  test.each([
    ["is_user_expired", { user_id: "@a:b" }, "null", "false", false],
    [
      "get_media_config_for_user",
      { user_id: "@a:b" },
      "({})",
      `({ "m.upload.size": 1 })`,
      { "m.upload.size": 1 },
    ],
    ["get_media_upload_limits_for_user", { user_id: "@a:b" }, "null", "[]", []],
    ["get_username_for_registration", { uia_results: {}, params: {} }, "null", `""`, ""],
  ])("%s", async (callback, params, nothing, something, expected) => {
    const names = await load(
      callback,
      `return ${nothing};`,
      `return ${something};`,
      "throw new Error('never');",
    );
    const answer = await rig.callback(callback, params, names);
    expect([answer.answer, answer.module, asked(answer)]).toEqual([expected, "b", ["a", "b"]]);
    const none = await rig.callback(callback, params, ["a"]);
    expect(none.module).toBeNull();
  });
});

test("an empty answer about presence is nobody's", async () => {
  const pair = (interested: string, routes: string) =>
    moduleOf("get_users_for_states", `return ${routes};`).replace(
      "callbacks: {",
      `callbacks: { get_interested_users: () => (${interested}),`,
    );
  const paths = [pair("[]", "({})"), pair(`["@a:b", "@c:d"]`, `({ "@a:b": [] })`)].map((text, index) =>
    folder.write(`pair-${index}.ts`, text),
  );
  await rig.load(paths.map((path) => ({ path })));
  const ask = (callback: string, params: object) =>
    Promise.all(["pair-0", "pair-1"].map((name) => rig.callback(callback, params, [name])));
  expect(await ask("get_interested_users", { user_id: "@a:b" })).toMatchObject([
    { answer: [], module: null },
    { answer: ["@a:b", "@c:d"], module: "pair-1" },
  ]);
  expect(await ask("get_users_for_states", { state_updates: [] })).toMatchObject([
    { answer: {}, module: null },
    { answer: { "@a:b": [] }, module: "pair-1" },
  ]);
});

test("a handler gets an HTTP request as a Request whose body it reads, and answers with any JSON", async () => {
  const names = await load(
    "on_legacy_admin_request",
    "const { request } = params; const { user_id } = await request.json();" +
      "return [user_id, request.method, new URL(request.url).searchParams.get('a'), request.headers.get('x-b')];",
  );
  const request = {
    method: "POST",
    url: "http://localhost/_synapse/admin/v1/account_validity/validity?a=1",
    headers: [["X-B", "2"]],
    body: Buffer.from('{"user_id":"@a:b"}').toString("base64"),
  };
  const { answer } = await rig.callback("on_legacy_admin_request", { request }, names);
  expect(answer).toEqual(["@a:b", "POST", "1", "2"]);
});
