// What a module answers with beside its verdict: functions that are run later, once.
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { FollowUps } from "../../../../bridge/calls/follow-ups.js";
import { catalogue } from "../../../../bridge/catalogue/catalogue.js";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import { rig } from "../each-rig.js";
import { errorOf } from "../rig.js";
import { load } from "./chain.js";

const THREEPID = { medium: "email", address: "a@b", password: "hunter2" };
const keyOf = (answer: unknown) => (answer as [unknown, { module: string; id: string }])[1];

async function answerOf(body: string) {
  const names = await load("check_3pid_auth", body);
  return (await rig.callback("check_3pid_auth", THREEPID, names)).answer;
}

describe("after a login", () => {
  test.each([
    ["at once", "(response) => { response.added = { a: [1] }; delete response.home_server; }"],
    [
      "later",
      "async (response) => { await null; response.added = { a: [1] }; delete response.home_server; }",
    ],
  ])("the response is edited in place, %s", async (_, run) => {
    const key = keyOf(await answerOf(`return ["@a:example.org", ${run}];`));
    const login_response = { user_id: "@a:example.org", home_server: "b" };
    const { edited } = await rig.followUp("check_3pid_auth", key, { login_response });
    expect(edited).toEqual({ login_response: { user_id: "@a:example.org", added: { a: [1] } } });
  });

  test("nothing is told where nothing was edited", async () => {
    const key = keyOf(await answerOf(`return ["@a:example.org", () => "ignored"];`));
    const { edited } = await rig.followUp("check_3pid_auth", key, { login_response: {} });
    expect(edited).toBeNull();
  });

  test("it is run once", async () => {
    const key = keyOf(await answerOf(`return ["@a:example.org", () => {}];`));
    await rig.followUp("check_3pid_auth", key, { login_response: {} });
    expect(await errorOf(rig.followUp("check_3pid_auth", key, { login_response: {} }))).toMatchObject({
      code: -32003,
      message: "a: what check_3pid_auth left for later is not known any more",
    });
  });

  test("what it throws, or leaves that is no JSON, is told", async () => {
    const failing = async (run: string) =>
      errorOf(
        rig.followUp("check_3pid_auth", keyOf(await answerOf(`return ["@a:example.org", ${run}];`)), {
          login_response: {},
        }),
      );
    expect(await failing("() => { throw new SynapseError(403, 'no', 'ORG.NO'); }")).toMatchObject({
      code: -32001,
      data: { code: 403, msg: "no", errcode: "ORG.NO" },
    });
  });

  test("what it leaves that is no JSON is a fault", async () => {
    const key = keyOf(
      await answerOf(`return ["@a:example.org", (response) => { response.at = new Date(); }];`),
    );
    expect(await errorOf(rig.followUp("check_3pid_auth", key, { login_response: {} }))).toMatchObject({
      code: -32002,
      message: "a: check_3pid_auth left something that is not JSON: login_response.at is a Date",
    });
  });
});

test.each([
  [`return ["@a:example.org", null];`, "@a:example.org"],
  [`return ["@a:example.org", undefined];`, "@a:example.org"],
  [`return "@a:example.org";`, "@a:example.org"],
  ["return null;", null],
])("%s is %j", async (body, answer) => {
  expect(await answerOf(body)).toEqual(answer);
});

test.each([
  `["@a:example.org", { module: "a", id: "1" }]`,
  `["@a:example.org", 5]`,
  `["@a:example.org"]`,
  `[5, () => {}]`,
  "7",
  "undefined",
])("%s is no answer, and is not shown", async (answer) => {
  const names = await load("check_3pid_auth", `return ${answer};`);
  const error = await errorOf(rig.callback("check_3pid_auth", THREEPID, names));
  expect(error).toMatchObject({ code: -32002, data: { module: "a", kind: "answer" } });
  expect(error.message).not.toContain("@a:example.org");
});

test("an iteration of a background update has an end", async () => {
  const names = await load("on_update", "return [100, () => context.log.info('the end')];");
  const params = { update_name: "u", database_name: "d", one_shot: false };
  const { answer } = await rig.callback("on_update", params, names);
  expect(await rig.followUp("on_update", keyOf(answer), {})).toEqual({ edited: null });
  // A thread's records come by a way of their own.
  await waitFor("the line", () => rig.lines.some(({ msg }) => msg === "the end"));
});

describe("what is kept", () => {
  const login = catalogue().callbacks.get("check_3pid_auth");
  const update = catalogue().callbacks.get("on_update");
  if (!login || !update) throw new Error("the catalogue lacks callbacks");
  afterEach(() => void jest.useRealTimers());

  test("is bounded, and logins push out no background update", () => {
    const followUps = new FollowUps();
    const keep = (callback: typeof login) =>
      keyOf(followUps.keep("m", callback, ["@a:example.org", () => "run"]));
    const first = keep(update);
    const [oldest, ...rest] = Array.from({ length: 1_001 }, () => keep(login));
    expect(() => oldest && followUps.take(login.name, oldest)).toThrow("not known any more");
    expect(followUps.take(update.name, first)()).toBe("run");
    for (const key of rest) expect(followUps.take(login.name, key)()).toBe("run");
  });

  test("is forgotten in minutes where it may hold a password", () => {
    jest.useFakeTimers();
    const followUps = new FollowUps();
    const keep = (callback: typeof login) =>
      keyOf(followUps.keep("m", callback, ["@a:example.org", () => "run"]));
    const [secret, long] = [keep(login), keep(update)];
    jest.advanceTimersByTime(10 * 60_000);
    expect(() => followUps.take(login.name, secret)).toThrow("not known any more");
    expect(followUps.take(update.name, long)()).toBe("run");
  });
});
