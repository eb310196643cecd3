// What a handler says about its own decision: what of it leaves the host.
import { describe, expect, test } from "@jest/globals";
import { rig } from "../each-rig.js";
import { errorOf } from "../rig.js";
import { INVITE } from "../samples.js";
import { load } from "./chain.js";

const given = async (...bodies: string[]) => {
  const names = await load("user_may_invite", ...bodies);
  return (await rig.callback("user_may_invite", INVITE, names)).given_reason;
};
const warnings = () => rig.lines.filter(({ level }) => level === 40).map(({ msg }) => msg);

describe("the reason of", () => {
  test("a fault is not in the error", async () => {
    const names = await load("user_may_invite", "context.reason('why'); throw new Error('oops');");
    const { data } = await errorOf(rig.callback("user_may_invite", INVITE, names));
    expect(data).toMatchObject({ kind: "threw" });
    expect(data).not.toHaveProperty("given_reason");
  });

  test("the module that decided is in the reply, with its details as JSON", async () => {
    expect(
      await given(
        "context.reason('passed'); return NOT_SPAM;",
        "context.reason('first'); context.reason('too many', { count: 3 }); return Codes.FORBIDDEN;",
        "context.reason('not asked'); return Codes.FORBIDDEN;",
      ),
    ).toEqual({ text: "too many", details: '{"count":3}' });
  });

  test("modules that pass is not in it", async () => {
    expect(await given("context.reason('passed'); return NOT_SPAM;")).toBeUndefined();
  });

  test("one module is not that of another", async () => {
    expect(
      await given("context.reason('passed'); return NOT_SPAM;", "return Codes.FORBIDDEN;"),
    ).toBeUndefined();
  });

  test("the module that edited last is in it", async () => {
    const names = await load(
      "on_create_room",
      "params.request_content.a = 1; context.reason('one');",
      "params.request_content.b = 1; context.reason('two');",
      "context.reason('three');",
    );
    const params = { requester: {}, request_content: {}, is_requester_admin: false };
    expect(await rig.callback("on_create_room", params, names)).toMatchObject({
      module: "b",
      given_reason: { text: "two" },
    });
  });

  test("a refusal by a SynapseError is in the error", async () => {
    const names = await load(
      "user_may_invite",
      "context.reason('slow down', { left: 0 }); throw new SynapseError(429, 'no');",
    );
    const error = await errorOf(rig.callback("user_may_invite", INVITE, names));
    expect(error.data).toMatchObject({
      code: 429,
      given_reason: { text: "slow down", details: '{"left":0}' },
    });
  });
});

test.each([
  ["a long text is shortened", "'x'.repeat(1e6)", { text: "x".repeat(200) }],
  ["no character is cut in two", "'💥'.repeat(300)", { text: "💥".repeat(200) }],
])("%s", async (_, text, expected) => {
  expect(await given(`context.reason(${text}); return Codes.FORBIDDEN;`)).toEqual(expected);
});

test.each([
  ["no text", "{ a: 1 }", undefined, "context.reason takes a text: the reason is left out"],
  ["an empty text", "''", undefined, "context.reason takes a text: the reason is left out"],
  ["large details", "'why', { a: 'x'.repeat(1100) }", { text: "why" }, "they are over 1024 characters"],
  [
    "details that are no JSON",
    "'why', { a: new Map() }",
    { text: "why" },
    "the details are left out: a is a Map",
  ],
])("%s changes no answer, and is told", async (_, args, expected, told) => {
  expect(await given(`context.reason(${args}); return Codes.FORBIDDEN;`)).toEqual(expected);
  expect(warnings()).toEqual([expect.stringContaining(`a: user_may_invite: `)]);
  expect(rig.lines).toContainEqual(
    expect.objectContaining({ module: "a", request: "REQ-1", msg: expect.stringContaining(told) }),
  );
});
