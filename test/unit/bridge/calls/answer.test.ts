// What each result type takes, what it makes of it, and how an answer that does not fit is told.
import { describe, expect, test } from "@jest/globals";
import { readAnswer, UnfitAnswer } from "../../../../bridge/calls/answer.js";
import { type Callback, catalogue } from "../../../../bridge/catalogue/catalogue.js";

const warnings: string[] = [];

function read(result: string, answer: unknown): unknown {
  return readAs({ name: "some_callback", result }, answer);
}

function readAs(callback: Partial<Callback>, answer: unknown, isRareAsked = false): unknown {
  warnings.length = 0;
  const warn = (text: string) => warnings.push(text);
  return readAnswer(callback as Callback, answer, catalogue(), warn, () => isRareAsked);
}

const CODES = ["EventSpamVerdict", "SpamVerdict", "LoginVerdict", "MediaVerdict"];

describe("is taken", () => {
  test.each(
    CODES.flatMap((type) =>
      ["NOT_SPAM", "M_FORBIDDEN", true, false, "words", ["M_FORBIDDEN", { a: 1 }]].map((one) => [type, one]),
    ),
  )("by %s: %j", (type, answer) => {
    expect(read(String(type), answer)).toEqual(answer);
    expect(warnings).toEqual([]);
  });

  test.each([
    ["StateEventVerdict", "M_FORBIDDEN", "M_FORBIDDEN"],
    ["DropVerdict", true, true],
    ["DropVerdict", "words", "words"],
    ["RegistrationVerdict", "shadow_ban", "shadow_ban"],
    ["Permission", false, false],
    ["HideVerdict", true, true],
    ["EventAllowedVerdict", true, true],
    ["EventAllowedVerdict", [true, null], true],
    ["EventAllowedVerdict", [false, { content: {} }], false],
    ["EventAllowedVerdict", [true, { content: { a: undefined } }], { content: { a: undefined } }],
    ["EventAllowedVerdict", { sender: "@a:b" }, { sender: "@a:b" }],
    ["RenewalResult", [true, false, 5], [true, false, 5]],
    ["LegacyAdminResult", ["words", { msg: 1 }], ["words", { msg: 1 }]],
    ["LegacyAdminResult", null, null],
    ["RatelimitOverride", { per_second: 0.5, burst_count: 1 }, { per_second: 0.5, burst_count: 1 }],
    ["MediaConfig", { "m.upload.size": 1 }, { "m.upload.size": 1 }],
    ["MediaUploadLimits", [{ max_bytes: 1, time_period_ms: 2 }], [{ max_bytes: 1, time_period_ms: 2 }]],
    ["InterestedUsers", ["@a:b", "@c:d"], ["@a:b", "@c:d"]],
    ["InterestedUsers", "ALL", "ALL"],
    ["PresenceRoutes", { "@a:b": [] }, { "@a:b": [] }],
    ["ChosenName", "", ""],
    ["Nothing", undefined, null],
    ["Nothing", "whatever", null],
    ["Edits", 42, null],
  ])("by %s: %j, as %j", (type, answer, normal) => {
    expect(read(type, answer)).toEqual(normal);
  });
});

describe("is refused", () => {
  const spam = "NOT_SPAM, Codes or [code: Codes, additional_fields: an object of JSON]";
  test.each([
    ["SpamVerdict", 42, `answered 42; expected ${spam}`],
    ["SpamVerdict", undefined, `answered undefined; expected ${spam}`],
    ["SpamVerdict", null, `answered null; expected ${spam}`],
    [
      "SpamVerdict",
      ["M_NO_SUCH", {}],
      `answered ["M_NO_SUCH", an empty object]; expected ${spam} (an unknown code: throw a SynapseError to use a code of your own)`,
    ],
    ["SpamVerdict", ["M_FORBIDDEN"], `answered ["M_FORBIDDEN"]; expected ${spam}`],
    ["SpamVerdict", { secret: "content" }, `answered an object with secret; expected ${spam}`],
    [
      "StateEventVerdict",
      ["M_FORBIDDEN", {}],
      `answered ["M_FORBIDDEN", an empty object]; expected NOT_SPAM or Codes`,
    ],
    ["DropVerdict", "NOT_SPAM", `answered "NOT_SPAM"; expected boolean`],
    ["HideVerdict", "NOT_SPAM", `answered "NOT_SPAM"; expected boolean`],
    ["Permission", undefined, "answered undefined; expected boolean"],
    ["Permission", () => true, "answered a function; expected boolean"],
    ["Permission", 1n, "answered 1n; expected boolean"],
    [
      "Permission",
      [[1], {}, null, "a b"],
      "answered [a list of 1, an empty object, null, a text of 3 characters]; expected boolean",
    ],
    ["Permission", [1, 2, 3, 4, 5], "answered a list of 5; expected boolean"],
    [
      "Permission",
      { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9 },
      "answered an object with a, b, c, d, e, f, g, h; expected boolean",
    ],
    [
      "Permission",
      { ["k".repeat(40)]: 1, ["l".repeat(41)]: 2 },
      `answered an object with ${"k".repeat(40)}, ${"l".repeat(40)}; expected boolean`,
    ],
    ["ChosenName", 5, "answered 5; expected string or null"],
    ["InterestedUsers", 5, 'answered 5; expected "ALL" or string[]'],
    ["RegistrationVerdict", "x".repeat(60), `answered "${"x".repeat(60)}"; expected RegistrationBehaviour`],
    [
      "RegistrationVerdict",
      "x".repeat(61),
      "answered a text of 61 characters; expected RegistrationBehaviour",
    ],
    [
      "RegistrationVerdict",
      "allow, please",
      "answered a text of 13 characters; expected RegistrationBehaviour",
    ],
    [
      "RegistrationVerdict",
      "please: allow",
      "answered a text of 13 characters; expected RegistrationBehaviour",
    ],
    [
      "RenewalResult",
      [1, true, 5],
      "answered [1, true, 5]; expected [token_valid: boolean, token_stale: boolean, expiration_ts: number] (0 must be boolean)",
    ],
    [
      "PresenceRoutes",
      { "@a:b": [{}] },
      `answered an object with @a:b; expected object (@a:b.0 must have required property 'user_id')`,
    ],
    ["SpamVerdict", ["M_FORBIDDEN", 3], `answered ["M_FORBIDDEN", 3]; expected ${spam} (1 must be object)`],
    [
      "MediaUploadLimits",
      [{ max_bytes: "x", time_period_ms: 1 }],
      "answered [an object with max_bytes, time_period_ms]; expected MediaUploadLimits (0.max_bytes must be integer)",
    ],
    ["RegistrationVerdict", "ALLOW", `answered "ALLOW"; expected RegistrationBehaviour`],
    [
      "EventAllowedVerdict",
      {},
      "answered an empty object; expected boolean, EventReplacement or [allowed: boolean, replacement: EventReplacement | null]",
    ],
    [
      "EventAllowedVerdict",
      { content: 3 },
      "answered an object with content; expected boolean, EventReplacement or [allowed: boolean, replacement: EventReplacement | null] (content must be object)",
    ],
    [
      "EventAllowedVerdict",
      { content: { n: Number.NaN } },
      "answered something that is not JSON: content.n is NaN",
    ],
    [
      "EventAllowedVerdict",
      { content: { n: 1n } },
      "answered something that is not JSON: content.n is a bigint",
    ],
    [
      "EventAllowedVerdict",
      { content: { "a b": new Map() } },
      `answered something that is not JSON: content["a b"] is a Map`,
    ],
    [
      "EventAllowedVerdict",
      { content: { d: new Date() } },
      "answered something that is not JSON: content.d is a Date",
    ],
    [
      "EventAllowedVerdict",
      { content: { f: () => 1 } },
      "answered something that is not JSON: content.f is a function",
    ],
    [
      "EventAllowedVerdict",
      { content: { s: Symbol("x") } },
      "answered something that is not JSON: content.s is a symbol",
    ],
    [
      "EventAllowedVerdict",
      { content: { l: [1, undefined] } },
      "answered something that is not JSON: content.l[1] is undefined",
    ],
    [
      "EventAllowedVerdict",
      { content: { l: new Array(2) } },
      "answered something that is not JSON: content.l[0] is undefined",
    ],
  ])("by %s: %p", (type, answer, message) => {
    expect(() => read(type, answer)).toThrow(new UnfitAnswer(message));
  });

  test("and is not shown where it may be a secret", () => {
    expect(() => readAs({ name: "some_callback", result: "Permission", secret: true }, "password")).toThrow(
      new UnfitAnswer("answered something else; expected boolean"),
    );
  });

  test("for a reason of its own, not for that of the answer before it", () => {
    expect(() => read("RenewalResult", [1, true, 5])).toThrow("(0 must be boolean)");
    expect(() => read("RenewalResult", 1n)).toThrow(/expiration_ts: number\]$/);
  });

  test("a value that is part of itself, at any depth", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = { cycle };
    expect(() => read("EventAllowedVerdict", { content: cycle })).toThrow("is part of itself");
    const inner = { whole: {} };
    let deep: object = inner;
    for (let level = 0; level < 300; level++) deep = { deep };
    expect(read("EventAllowedVerdict", { content: deep })).toEqual({ content: deep });
    inner.whole = deep;
    expect(() => read("EventAllowedVerdict", { content: deep })).toThrow(/de\.\.\. is part of itself/);
  });

  test("but not one that is there twice without a cycle", () => {
    const shared = { a: 1 };
    expect(read("EventAllowedVerdict", { content: { one: shared, two: shared } })).toBeDefined();
  });
});

test("a number that JSON.stringify loses may be in what replaces an event that had one, and nowhere else", () => {
  const replacement = { content: { n: Number.POSITIVE_INFINITY } };
  const verdict = { name: "some_callback", result: "EventAllowedVerdict" };
  expect(readAs(verdict, replacement, true)).toEqual(replacement);
  expect(() => readAs(verdict, replacement)).toThrow("content.n is Infinity");
  expect(() => readAs({ ...verdict, result: "LegacyAdminResult" }, replacement, true)).toThrow(
    "content.n is Infinity",
  );
});

test("fields that would hang the request are left out with a warning", () => {
  expect(read("SpamVerdict", ["M_FORBIDDEN", { msg: "a", code: 1, errcode: "X", kept: true }])).toEqual([
    "M_FORBIDDEN",
    { errcode: "X", kept: true },
  ]);
  expect(warnings).toEqual(["some_callback: the fields beside a code may not hold msg and code: left out"]);
});

test("__proto__ stays a key like others", () => {
  const answer = JSON.parse('{ "content": { "__proto__": { "a": 1 } } }');
  expect(JSON.stringify(read("EventAllowedVerdict", answer))).toBe('{"content":{"__proto__":{"a":1}}}');
  const fields = JSON.parse('["M_FORBIDDEN", { "__proto__": { "a": 1 }, "msg": 1 }]');
  expect(JSON.stringify(read("SpamVerdict", fields))).toBe('["M_FORBIDDEN",{"__proto__":{"a":1}}]');
});
