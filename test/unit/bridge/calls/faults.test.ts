// How a module of the main thread fails a call: what the shim is told, and what is logged.
import { describe, expect, test } from "@jest/globals";
import type { Call } from "../../../../bridge/catalogue/protocol.js";
import type { Entry } from "../../../../bridge/declarations/module.js";
import { SynapseError } from "../../../../bridge/sdk/errors.js";
import type { CallError } from "../../../../bridge/transport/call-error.js";
import { INVITE } from "../samples.js";
import { askModule } from "./one-module.js";

const SECRET = { medium: "email", address: "a@b", password: "canary7f3a" };

/** How asking the module ends, and what is logged meanwhile: the level, the request and the message. */
async function failing(
  name: string,
  handler: (params: never, context: never) => unknown,
  params: Call["params"] = INVITE,
) {
  const lines: Record<string, unknown>[] = [];
  const error = (await askModule(name, params, { handler } as unknown as Entry, { lines }).then(
    (reply) => new Error(`there was an answer: ${JSON.stringify(reply)}`),
    (thrown) => thrown,
  )) as CallError;
  return { error, lines, logged: lines.map(({ level, request, msg }) => [level, request, msg]) };
}

const throwing = (value: unknown) => () => {
  throw value;
};

describe("a handler that throws", () => {
  test.each([
    ["an Error", new TypeError("oops"), "TypeError: oops"],
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["a string", "words", "words"],
  ])("%s is a fault, with its stack in the log", async (_, thrown, described) => {
    const { error, lines, logged } = await failing("user_may_invite", throwing(thrown));
    const message = `m: user_may_invite threw ${described}`;
    expect(error).toMatchObject({ kind: "module_fault", message, cause: thrown });
    expect(error.data).toEqual({
      ...{ module: "m", kind: "threw" },
      asked: [{ module: "m", ms: expect.any(Number) }],
    });
    expect(logged).toEqual([[50, "REQ-1", message]]);
    if (thrown instanceof Error) expect(lines).toMatchObject([{ err: { stack: thrown.stack } }]);
  });

  test("a SynapseError refuses, and nothing of it is logged but what it may not hold", async () => {
    const thrown = new SynapseError(403, "no rooms", "M_FORBIDDEN", { a: 1, msg: "x" });
    const { error, logged } = await failing("user_may_invite", throwing(thrown));
    expect(error).toMatchObject({ kind: "synapse_error", message: "m: 403 M_FORBIDDEN: no rooms" });
    expect(error.data).toStrictEqual({
      ...{ module: "m", code: 403, msg: "no rooms", errcode: "M_FORBIDDEN", additional_fields: { a: 1 } },
      asked: [{ module: "m", ms: expect.any(Number) }],
    });
    expect(logged).toEqual([[40, "REQ-1", "m: SynapseError: additional_fields may not hold msg: left out"]]);
  });

  test("a SynapseError that is none is a fault", async () => {
    const thrown = Object.assign(new SynapseError(403, "no"), { code: 7 });
    const { error, logged } = await failing("user_may_invite", throwing(thrown));
    const message = "m: user_may_invite threw a SynapseError whose code, msg or errcode is not valid";
    expect(error).toMatchObject({ kind: "module_fault", message, data: { kind: "threw" } });
    expect(logged).toEqual([[50, "REQ-1", message]]);
  });
});

describe("the reason that a handler gave", () => {
  const saying = (thrown: unknown) => (_: never, context: { reason(text: string): void }) => {
    context.reason("too many");
    throw thrown;
  };

  test("comes with its refusal", async () => {
    const { error } = await failing("user_may_invite", saying(new SynapseError(429, "slow down")));
    expect(error.data).toMatchObject({ code: 429, given_reason: { text: "too many" } });
  });

  test("does not come with its fault", async () => {
    const { error } = await failing("user_may_invite", saying(new Error("oops")));
    expect(error).toMatchObject({ kind: "module_fault", data: { kind: "threw" } });
    expect(error.data).not.toHaveProperty("given_reason");
  });
});

describe("where a call may hold a password, what a handler throws is not shown:", () => {
  test("an Error", async () => {
    const { error, lines, logged } = await failing(
      "check_3pid_auth",
      throwing(new RangeError(SECRET.password)),
      SECRET,
    );
    const message =
      "m: check_3pid_auth threw RangeError (its text is not shown, since it may hold a password)";
    expect(error).toMatchObject({ kind: "module_fault", message });
    expect(logged).toEqual([[50, "REQ-1", message]]);
    expect(lines).toMatchObject([{ err: { stack: expect.stringContaining("faults.test.ts") } }]);
    expect(JSON.stringify([error.data, lines])).not.toContain(SECRET.password);
  });

  test("a SynapseError", async () => {
    const thrown = new SynapseError(403, SECRET.password, "M_X", { a: SECRET.password });
    const { error, logged } = await failing("check_3pid_auth", throwing(thrown), SECRET);
    expect(error).toMatchObject({ kind: "synapse_error", message: "m: 403 M_X", data: { code: 403 } });
    expect(JSON.stringify(error.data)).not.toContain(SECRET.password);
    expect(logged).toEqual([]);
  });
});

describe("an answer that does not fit", () => {
  test("is a fault, and is logged", async () => {
    const { error, logged } = await failing("user_may_invite", () => 42);
    expect(error).toMatchObject({
      kind: "module_fault",
      message: expect.stringMatching(/^m: user_may_invite answered 42; expected NOT_SPAM, Codes or/),
      data: { module: "m", kind: "answer" },
    });
    expect(logged).toEqual([[50, "REQ-1", error.message]]);
  });

  test("may be a login of what is no user", async () => {
    const { error } = await failing("check_3pid_auth", () => "alice", SECRET);
    expect(error.message).toMatch(
      / is not the full id of a user of this server, such as @alice:example\.org$/,
    );
    const handler = () => "@alice:example.org";
    expect(await askModule("check_3pid_auth", SECRET, { handler })).toMatchObject({
      answer: "@alice:example.org",
    });
  });

  test("may be an edit that JSON loses", async () => {
    const editing = ({ request_content }: { request_content: { when: unknown } }) => {
      request_content.when = new Date();
    };
    const { error } = await failing("on_create_room", editing, { request_content: {} });
    expect(error.message).toBe(
      "m: on_create_room left something in request_content that is not JSON: when is a Date",
    );
  });

  test("has a warning where only a field of it is left out", async () => {
    const { error, logged } = await failing("user_may_invite", () => ["M_FORBIDDEN", { msg: 1 }]);
    expect(error.message).toMatch(/^there was an answer/);
    expect(logged).toEqual([
      [40, "REQ-1", "m: user_may_invite: the fields beside a code may not hold msg: left out"],
    ]);
  });
});

describe("news about which a handler throws", () => {
  test.each([
    ["an Error", new Error("oops"), "m: on_profile_update threw Error: oops"],
    ["a SynapseError", new SynapseError(400, "no"), "on_profile_update: m: 400 M_UNKNOWN: no"],
  ])("%s have been told all the same, and it is logged once", async (_, thrown, msg) => {
    const lines: Record<string, unknown>[] = [];
    const reply = await askModule("on_profile_update", {}, { handler: throwing(thrown) }, { lines });
    expect(reply).toStrictEqual({
      ...{ answer: null, module: null },
      asked: [{ module: "m", ms: expect.any(Number), failed: true }],
    });
    expect(lines).toMatchObject([{ level: 50, request: "REQ-1", msg }]);
    expect(lines).toHaveLength(1);
  });
});

describe("no module answers", () => {
  const handler = () => "NOT_SPAM";
  const message = "m: the host has no module that answers user_may_invite";

  test.each([
    ["where the callback has no handler", {}, {}],
    ["for an entry of a callback that has no list", { handler }, { place: 0 }],
    ["for an entry that is not in the list", { checkers: [{ handler }] }, { place: 1 }],
  ])("%s", async (_, entry, options) => {
    await expect(
      askModule("user_may_invite", INVITE, entry as unknown as Entry, options),
    ).rejects.toMatchObject({ kind: "module_unavailable", message });
  });
});

test("an entry of a list is asked by its place", async () => {
  const checkers = [{ handler: () => null }, { handler: () => "@alice:example.org" }];
  const asked = (place: number) =>
    askModule("auth_checkers", {}, { checkers } as unknown as Entry, { place });
  expect(await asked(0)).toMatchObject({ answer: null, module: null });
  expect(await asked(1)).toMatchObject({ answer: "@alice:example.org", module: "m" });
});
