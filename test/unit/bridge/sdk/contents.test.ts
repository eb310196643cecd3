// What contentOf gives of contents that anybody may have written.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type ContentSource, contentOf, malformed } from "../../../../bridge/sdk/contents.js";
import { EVENT_SHAPES, type EventContents } from "../../../../bridge/sdk/event-contents.js";
import type { JsonObject } from "../../../../bridge/sdk/json.js";
import { venvPython } from "../../../support/paths.js";

const source = (type: string, content: unknown, room_version = "12"): ContentSource => ({
  type,
  room_version,
  content: content as JsonObject,
});

const rows: [
  what: string,
  type: keyof EventContents,
  content: unknown,
  view: object,
  isMalformed: boolean,
][] = [
  [
    "a message",
    "m.room.message",
    { msgtype: "m.text", body: "hi" },
    { msgtype: "m.text", body: "hi" },
    false,
  ],
  [
    "a body that is no text",
    "m.room.message",
    { body: ["hi"], msgtype: "m.text" },
    { msgtype: "m.text" },
    true,
  ],
  ["fields of nobody", "m.room.message", { body: "hi", "org.example.x": 1 }, { body: "hi" }, false],
  ["an info within", "m.room.message", { info: { w: "1", h: 2 } }, { info: { h: 2 } }, true],
  ["an info that is a list", "m.room.message", { info: [] }, {}, true],
  [
    "mentions",
    "m.room.message",
    { "m.mentions": { user_ids: ["@a:b", "all", 1], room: true } },
    { "m.mentions": { user_ids: ["@a:b"], room: true } },
    true,
  ],
  ["a mention by a text", "m.room.message", { "m.mentions": { room: "true" } }, { "m.mentions": {} }, true],
  [
    "an edit",
    "m.room.message",
    {
      body: "* new",
      "m.relates_to": { rel_type: "m.replace", event_id: "$a" },
      "m.new_content": { body: "new", msgtype: 1, "m.mentions": { user_ids: ["@a:b"] }, "m.relates_to": {} },
    },
    {
      body: "* new",
      "m.relates_to": { rel_type: "m.replace", event_id: "$a" },
      "m.new_content": { body: "new", "m.mentions": { user_ids: ["@a:b"] } },
    },
    true,
  ],
  ...(["m.room.message", "m.room.encrypted", "m.sticker"] as const).map((type): (typeof rows)[number] => [
    `a reply in a thread, of type ${type}`,
    type,
    {
      "m.relates_to": {
        ...{ rel_type: "m.thread", event_id: "$a", is_falling_back: true },
        "m.in_reply_to": { event_id: "$b" },
      },
    },
    {
      "m.relates_to": {
        ...{ rel_type: "m.thread", event_id: "$a", is_falling_back: true },
        "m.in_reply_to": { event_id: "$b" },
      },
    },
    false,
  ]),
  [
    "a relation to no event",
    "m.room.message",
    { "m.relates_to": { rel_type: "m.thread", event_id: "a", "m.in_reply_to": "$b" } },
    { "m.relates_to": { rel_type: "m.thread" } },
    true,
  ],
  ["mentions beside a ciphertext", "m.room.encrypted", { "m.mentions": { room: true } }, {}, false],
  ["a membership that there is not", "m.room.member", { membership: "joined" }, {}, true],
  ["a display name that is null", "m.room.member", { displayname: null }, { displayname: null }, false],
  ["a list with others", "m.room.pinned_events", { pinned: ["$a", 1, "b", null] }, { pinned: ["$a"] }, true],
  ["an alias without a server", "m.room.canonical_alias", { alias: "#a" }, {}, true],
  [
    "levels of others",
    "m.room.power_levels",
    { users: { "@a:b": 50, c: 1 } },
    { users: { "@a:b": 50 } },
    true,
  ],
  ["a level that is a text", "m.room.power_levels", { ban: "50", kick: 50 }, { kick: 50 }, true],
  [
    "a prototype",
    "m.room.power_levels",
    JSON.parse('{ "events": { "__proto__": 5 } }'),
    { events: JSON.parse('{ "__proto__": 5 }') },
    false,
  ],
  ["a field of the prototype", "m.room.name", JSON.parse('{ "__proto__": { "name": "a" } }'), {}, false],
  ["no object", "m.room.name", "name", {}, true],
  ["null", "m.room.name", null, {}, true],
  ["nothing", "m.room.name", {}, {}, false],
];

test.each(rows)("%s", (_, type, content, view, isMalformed) => {
  const event = source(type, content);
  expect(contentOf(event, type)).toEqual(view);
  expect(malformed(event)).toBe(isMalformed);
});

test("an event of another type has none of this type", () => {
  expect(contentOf(source("m.room.topic", { name: "a" }), "m.room.name")).toBeUndefined();
});

test("no event has no content", () => {
  expect(contentOf(undefined, "m.room.name")?.name).toBeUndefined();
  expect(contentOf(undefined, "org.example.poll", { type: "object" })).toBeUndefined();
});

test("an event that Matrix does not specify is not malformed, and needs a schema", () => {
  const event = source("org.example.poll", { question: 1 });
  expect(malformed(event)).toBe(false);
  expect(() => contentOf(event, "org.example.poll" as "m.room.name")).toThrow(
    "contentOf: the Matrix specification has no room event org.example.poll: give a schema",
  );
});

test.each([
  ["m.room.create", { creator: "@a:b" }, ["1", "10"], ["11", "12", "org.example.next"]],
  ["m.room.create", { additional_creators: ["@a:b"] }, ["12", "org.example.next"], ["1", "11"]],
  ["m.room.redaction", { redacts: "$a" }, ["11", "12"], ["1", "10"]],
  ["m.room.member", { join_authorised_via_users_server: "@a:b" }, ["8", "12"], ["1", "7"]],
] as const)(
  "what Synapse ignores in a room version is left out: %s %j",
  (type, content, where, elsewhere) => {
    for (const version of where) expect(contentOf(source(type, content, version), type)).toEqual(content);
    for (const version of elsewhere) {
      expect(contentOf(source(type, content, version), type)).toEqual({});
      expect(malformed(source(type, content, version))).toBe(false);
    }
  },
);

describe("levels in rooms before version 10", () => {
  const levelOf = (level: unknown) =>
    contentOf(source("m.room.power_levels", { users_default: level }, "9"), "m.room.power_levels")
      ?.users_default;
  const digits = Array.from({ length: 0x110000 }, (_, code) => code)
    .filter((code) => (code < 0xd800 || code > 0xdfff) && /^\p{Nd}$/u.test(String.fromCodePoint(code)))
    .map((code) => String.fromCodePoint(code));
  const texts = [
    ...[
      "50",
      "-1",
      "+7",
      " 50 ",
      "5_0",
      "_5",
      "5_",
      "5__0",
      "",
      " ",
      "-",
      "5.0",
      "0x10",
      "1e2",
      "٣",
      "ten",
      "5 0",
      "--1",
    ],
    ...["0", "-0", "00012", "9007199254740993", "99999999999999999999"],
    ...digits,
    ...fc.sample(fc.string({ unit: fc.constantFrom(..."0129_-+ .e\u0663"), maxLength: 6 }), {
      numRuns: 500,
      seed: 1,
    }),
  ];

  test("are what Python's int() makes of a text", async () => {
    const ask = `import json, sys
def level(text):
    try:
        return int(text)
    except ValueError:
        return None
print(json.dumps([level(text) for text in json.loads(sys.argv[1])]))`;
    const { stdout } = await promisify(execFile)(venvPython(), ["-c", ask, JSON.stringify(texts)]);
    const levels = JSON.parse(stdout) as (number | null)[];
    const wrong = texts.filter((text, index) => (levelOf(text) ?? null) !== levels[index]);
    // Python and Node may know different versions of Unicode: a digit that is new to one of them is no digit there.
    const isNew = (text: string) => digits.includes(text) && levels[texts.indexOf(text)] === null;
    expect(wrong.filter((text) => !isNew(text))).toEqual([]);
    expect(wrong.length).toBeLessThan(digits.length / 2);
  });

  test.each([
    [50, 50],
    [50.9, 50],
    [-1.5, -1],
    [-0.5, 0],
    [true, 1],
    [false, 0],
    [Number.POSITIVE_INFINITY, undefined],
    [[50], undefined],
    [{}, undefined],
  ])("are an integer of %j", (level, expected) => {
    expect(levelOf(level)).toBe(expected);
  });

  test("may be in every place", () => {
    const content = {
      ban: "1",
      events: { "m.room.name": "2" },
      users: { "@a:b": "3" },
      notifications: { room: "4" },
    };
    expect(contentOf(source("m.room.power_levels", content, "9"), "m.room.power_levels")).toEqual({
      ban: 1,
      events: { "m.room.name": 2 },
      users: { "@a:b": 3 },
      notifications: { room: 4 },
    });
    expect(malformed(source("m.room.power_levels", content, "9"))).toBe(false);
    expect(malformed(source("m.room.power_levels", content, "10"))).toBe(true);
  });
});

describe("an author's own schema", () => {
  const schema = {
    type: "object",
    properties: {
      question: { type: "string" },
      answers: { type: "array", items: { type: "object", properties: { text: { type: "string" } } } },
      votes: { type: "object", additionalProperties: { type: "integer" } },
      kind: { enum: ["open", "closed"] },
      anything: {},
    },
  } as const;

  test("gives what fits it", () => {
    const content = {
      question: "When?",
      answers: [{ text: "now", more: 1 }, "never", { text: 5 }],
      votes: { a: 1, b: "2" },
      kind: "secret",
      anything: [1],
      other: true,
    };
    const event = source("org.example.poll", content);
    const poll = contentOf(event, "org.example.poll", schema);
    expect(poll).toEqual({
      question: "When?",
      answers: [{ text: "now" }, {}],
      votes: { a: 1 },
      anything: [1],
    });
    expect(malformed(event, schema)).toBe(true);
    expect(malformed(source("org.example.poll", { question: "Why?" }), schema)).toBe(false);
    const kind: "open" | "closed" | undefined = poll?.kind;
    const text: string | undefined = poll?.answers?.[0]?.text;
    expect([kind, text]).toEqual([undefined, "now"]);
  });

  test("cannot have what is not checked", () => {
    const event = source("a", {});
    const pattern = { type: "string", pattern: "(a+)+" } as { type: "string" };
    expect(() => contentOf(event, "a", { type: "object", properties: { a: pattern } })).toThrow(
      "but not pattern",
    );
  });
});

test("any content of any specified type gives a view that is not malformed itself, and changes nothing", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...(Object.keys(EVENT_SHAPES) as (keyof EventContents)[])),
      fc.constantFrom("1", "9", "10", "12", "x"),
      fc.jsonValue(),
      (type, version, value) => {
        const fields = Object.keys((EVENT_SHAPES[type] as { fields: object }).fields);
        const content = Object.fromEntries(fields.map((field) => [field, value]));
        const before = JSON.stringify(content);
        const view = contentOf(source(type, content, version), type);
        expect(JSON.stringify(content)).toBe(before);
        expect(Object.isFrozen(view)).toBe(true);
        expect(malformed(source(type, view, version))).toBe(false);
        expect(contentOf(source(type, view, version), type)).toEqual(view);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("a large content takes no long time", () => {
  const users = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, index) => [`@${index}:b`, "1_".repeat(5)]),
  );
  const started = performance.now();
  contentOf(source("m.room.power_levels", { users, ban: "1_".repeat(30_000) }, "9"), "m.room.power_levels");
  expect(performance.now() - started).toBeLessThan(500);
});
