// Which fields of an event are left out, by the types that a catalogue declares.
import { expect, test } from "@jest/globals";
import type { Catalogue } from "../../../../bridge/catalogue/catalogue.js";
import { sanitizeEvent, sanitizeEvents } from "../../../../bridge/module-api/sanitize-events.js";

const EVENT = {
  type: "object",
  required: ["sender", "content"],
  properties: {
    sender: { type: "string" },
    content: { type: "object" },
    text: { type: "string" },
    nothing: { type: ["string", "null"] },
    list: { type: "array" },
    object: { type: "object" },
    either: { $ref: "#/definitions/Either" },
  },
};
const TYPES: Record<string, unknown> = { Event: EVENT, Either: { type: ["number", "boolean"] } };

/** What is read of a catalogue is kept with it: each test has one of its own. */
const made = () => ({ type: (name: string) => TYPES[name] }) as unknown as Catalogue;

test.each([
  ["text", ["x", ""], [null, 1, true, [], {}]],
  ["nothing", ["x", null], [1, false, [], {}]],
  ["list", [[], [1]], [null, "x", 0, {}]],
  ["object", [{}, { a: 1 }], [null, "x", 0, []]],
  ["either", [0, false], [null, "x", [], {}]],
])("a field is left out where it has another type: %s", (field, fitting, others) => {
  for (const value of fitting) {
    expect(sanitizeEvent({ sender: "@a:b", [field]: value }, made())).toEqual({
      sender: "@a:b",
      [field]: value,
    });
  }
  for (const value of others) {
    expect(Object.keys(sanitizeEvent({ sender: "@a:b", [field]: value }, made()))).toEqual(["sender"]);
  }
});

test("a required field, one that nobody has declared, and one that is absent stay as they are", () => {
  const catalogue = made();
  for (let times = 0; times < 2; times++) {
    const odd = { sender: 5, content: null, "org.example": [] };
    expect(sanitizeEvent(odd, catalogue)).toBe(odd);
    expect(odd).toStrictEqual({ sender: 5, content: null, "org.example": [] });
  }
});

test("all fields are optional where none is required", () => {
  const catalogue = { type: () => ({ properties: { text: { type: "string" } } }) } as unknown as Catalogue;
  expect(sanitizeEvent({ text: 5 }, catalogue)).toStrictEqual({});
  expect(sanitizeEvent({ text: 5 }, { type: () => ({}) } as unknown as Catalogue)).toStrictEqual({ text: 5 });
});

test.each([[null], [5], ["x"], [[{ text: 5 }]]])("what is no event stays as it is: %j", (value) => {
  const before = structuredClone(value);
  expect(sanitizeEvent(value, made())).toBe(value);
  expect(value).toStrictEqual(before);
});

test("each event of a list is fitted, and what is no list stays as it is", () => {
  const events = [{ text: 5 }, null, { text: "x" }];
  expect(sanitizeEvents(events, made())).toBe(events);
  expect(events).toStrictEqual([{}, null, { text: "x" }]);
  for (const value of [null, 5, { text: 5 }]) expect(sanitizeEvents(value, made())).toEqual(value);
});
