// JSON values that JSON.stringify and structuredClone cannot write or copy; and all others, which it must not change.
import { expect, test } from "@jest/globals";
import {
  copyJson,
  exactJson,
  holdsRareNumber,
  isRareNumber,
  markExact,
  messageJson,
} from "../../../../bridge/base/exact-json.js";
import { nested } from "../nested.js";

const { POSITIVE_INFINITY: INFINITE } = Number;

test.each<[unknown, string]>([
  [null, "null"],
  ["x\ud800", '"x\\ud800"'],
  [true, "true"],
  [0, "0"],
  [-0, "-0.0"],
  [INFINITE, "1e400"],
  [-INFINITE, "-1e400"],
  [[], "[]"],
  [{}, "{}"],
  [[INFINITE, [], {}, [1, -0], "x"], '[1e400,[],{},[1,-0.0],"x"]'],
  [
    { a: INFINITE, "b c": { d: undefined, e: [undefined, null] }, f: {} },
    '{"a":1e400,"b c":{"e":[null,null]},"f":{}}',
  ],
  [{ a: undefined, b: -0 }, '{"b":-0.0}'],
  [JSON.parse('{ "__proto__": { "x": 1e400 } }'), '{"__proto__":{"x":1e400}}'],
])("is written with each number as it is: %#", (value, text) => {
  expect(exactJson(value)).toBe(text);
  // What has none of those numbers is written by the runtime.
  if (!holdsRareNumber(value)) expect(exactJson(value)).toBe(JSON.stringify(value));
});

test.each([
  ["lists", "[", "]", undefined],
  ["objects", '{"k":', "}", (deep: unknown) => ({ k: deep })],
])("no depth is too much: %s", (_, open, close, around) => {
  for (const [inner, text] of [
    [1, "1"],
    [INFINITE, "1e400"],
  ] as const) {
    // biome-ignore format: on one line
    const deep = nested(50_000, inner, around);
    const written = open.repeat(50_000) + text + close.repeat(50_000);
    expect(exactJson(deep) === written).toBe(true);
    expect(messageJson(deep as object) === written).toBe(true);
    expect(holdsRareNumber(deep)).toBe(inner !== 1);
  }
});

test.each<[unknown, boolean]>([
  [INFINITE, true],
  [-INFINITE, true],
  [-0, true],
  [0, false],
  [Number.NaN, false],
  [1e308, false],
  ["Infinity", false],
  [null, false],
])("a number that JSON has and JSON.stringify changes: %p, %s", (value, is) => {
  expect(isRareNumber(value)).toBe(is);
  for (const holder of [value, [1, value, 2], { a: "x", b: { c: value }, d: [] }, [[], [[value]], null]])
    expect(holdsRareNumber(holder)).toBe(is);
});

test.each<[unknown, string, boolean]>([
  [{ n: INFINITE }, '{"result":{"answer":1,"n":1e400}}', true],
  [[-0], '{"result":{"answer":1,"n":-0.0}}', true],
  [{ n: 1 }, '{"result":{"answer":1,"n":null}}', false],
  [INFINITE, '{"result":{"answer":1,"n":null}}', false],
  [null, '{"result":{"answer":1,"n":null}}', false],
])("a result is written exactly where a value in it needs that: %j", (value, text, isMarked) => {
  const result = { answer: 1, n: Array.isArray(value) ? -0 : INFINITE };
  const marked = markExact(result, value);
  expect(marked === result).toBe(!isMarked);
  expect(Object.keys(marked)).toEqual(["answer", "n"]);
  expect(messageJson({ result: marked })).toBe(text);
});

test("a message without a result is written as it is", () => {
  for (const message of [{ method: "m", params: { n: 1 } }, { result: null }, { result: 5 }, { error: {} }])
    expect(messageJson(message)).toBe(JSON.stringify(message));
});

test("a message that is longer than a string can be is none, and another error is told", () => {
  const throwing = (error: Error) => ({
    get n() {
      throw error;
    },
  });
  expect(messageJson(throwing(new RangeError("Invalid string length")))).toBeUndefined();
  expect(() => messageJson(throwing(new TypeError("own")))).toThrow("own");
  expect(() => exactJson(throwing(new TypeError("own")))).toThrow("own");
  const toJSON = () => {
    throw new TypeError("own");
  };
  expect(() => exactJson({ toJSON })).toThrow("own");
});

test("a copy is equal, shares nothing with the original, and may be nested at any depth", () => {
  const original = JSON.parse(
    '{ "a": [1, { "b": [] }, null, "x", -0.0], "__proto__": { "c": [1e400] }, "e": {}, "g": null, "h": "x", "i": 5 }',
  );
  const text = exactJson(original);
  const copy = copyJson(original);
  expect(copy).toStrictEqual(original);
  expect(exactJson(copy)).toBe(text);
  copy.a[1].b.push(1);
  copy.a.push(2);
  copy.e.f = 1;
  Object.getOwnPropertyDescriptor(copy, "__proto__")?.value.c.push(1);
  expect(exactJson(original)).toBe(text);
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  for (const value of [null, 5, "x", undefined]) expect(copyJson(value)).toBe(value);
  expect(exactJson(copyJson(nested(50_000, -0))) === exactJson(nested(50_000, -0))).toBe(true);
});
