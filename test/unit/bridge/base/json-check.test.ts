// What JSON would change or refuse, and where in a value it is told.
import { runInNewContext } from "node:vm";
import { expect, test } from "@jest/globals";
import { whatJsonLoses } from "../../../../bridge/base/json-check.js";

class Own {
  a = 1;
}
class OwnList extends Array {}

const shared = { a: [1] };

test.each<[string, unknown]>([
  ["null", null],
  ["a string", "x"],
  ["a boolean", false],
  ["a number", 1.5],
  ["zero", 0],
  ["an empty object", {}],
  ["an empty list", []],
  ["an object with an absent key", { a: undefined, b: 1 }],
  ["an object without a prototype", Object.assign(Object.create(null), { a: 1 })],
  ["an object of another realm", runInNewContext("({ a: [{}] })")],
  ["what is there twice", [shared, shared, { shared }]],
  ["a list in a list", [[1], [[2]], [[[3]]]]],
  ["a long list", Array.from({ length: 5_000 }, (_, index) => index)],
  ["a list of 1,000", Array.from({ length: 1_000 }, () => [])],
  ["__proto__ as a key", JSON.parse('{ "__proto__": { "a": [1] } }')],
])("%s arrives as it is", (_, value) => {
  expect(whatJsonLoses(value)).toBeUndefined();
});

const named = (length: number, name: string) =>
  Object.assign(
    Array.from({ length }, () => 0),
    { [name]: 1 },
  );
const hidden = (key: string | symbol) => Object.defineProperty({ a: 1 }, key, { value: 1 });
const getter = { a: 1, get "odd key"() { return 1; } }; // biome-ignore format: on one line
const cycle: Record<string, unknown> = { a: 1 };
cycle.list = [0, { cycle }];
const listCycle: unknown[] = [1];
listCycle.push({ listCycle });

test.each<[unknown, string]>([
  [undefined, "it is undefined"],
  [Number.NaN, "it is NaN"],
  [1n, "it is a bigint"],
  [() => 1, "it is a function"],
  [Symbol("x"), "it is a symbol"],
  [new Date(0), "it is a Date"],
  [new Own(), "it is a Own"],
  [new OwnList(), "it is a OwnList"],
  [new Map(), "it is a Map"],
  [runInNewContext("new Date(0)"), "it is a Date"],
  [Object.create(Object.assign(Object.create({}), { constructor: undefined })), "it is a class instance"],
  [{ a: { b: new Date(0) } }, "a.b is a Date"],
  [{ a: 1, b: [0, { c: undefined, d: Number.NaN }] }, "b[1].d is NaN"],
  [[1, undefined], "[1] is undefined"],
  [[[1], [2, [3, 1n]]], "[1][1][1] is a bigint"],
  // biome-ignore lint/suspicious/noSparseArray: that is what is tried
  [[1, , 2], "[1] is undefined"],
  [{ "odd key": { '"': 1n } }, '["odd key"]["\\""] is a bigint'],
  [{ "": 1n }, '[""] is a bigint'],
  [{ a_1: { B: 1n } }, "a_1.B is a bigint"],
  [{ "a.b": 1n }, '["a.b"] is a bigint'],
  [{ a: { [Symbol("s")]: 1 } }, "a is an object with a symbol for a key"],
  [{ a: hidden("b") }, "a.b is not enumerable"],
  [hidden("odd key"), '["odd key"] is not enumerable'],
  [[hidden(Symbol("s"))], "[0][Symbol(s)] is not enumerable"],
  [{ x: getter }, 'x["odd key"] is a getter'],
  [{ list: named(3, "name") }, "list.name is a named property of a list"],
  [named(5_000, "name"), "name is a named property of a list"],
  [named(1_000, "odd key"), '["odd key"] is a named property of a list'],
  [named(1_001, "1.0"), '["1.0"] is a named property of a list'],
  [named(2, "01"), "01 is a named property of a list"],
  [named(2, "-1"), '["-1"] is a named property of a list'],
  [cycle, "list[1].cycle is part of itself"],
  [listCycle, "[1].listCycle is part of itself"],
  [{ ["k".repeat(79)]: { a: 1n } }, `${"k".repeat(79)}.... is a bigint`],
  [{ ["k".repeat(80)]: 1n }, `${"k".repeat(80)} is a bigint`],
  [{ ["k".repeat(81)]: 1n }, `${"k".repeat(80)}... is a bigint`],
])("what does not is told with its place: %#", (value, told) => {
  expect(whatJsonLoses(value)).toBe(told);
});

test("a key of a list that is none of its own elements is found however the others are called", () => {
  const list = [0, 1];
  Object.defineProperty(list, "hidden", { value: 1 });
  expect(whatJsonLoses({ list })).toBe("list.hidden is a named property of a list");
  expect(whatJsonLoses(Object.assign([0], { [Symbol("s")]: 1 }))).toBe(
    "[Symbol(s)] is a named property of a list",
  );
  expect(whatJsonLoses(Object.assign([0], { 4294967295: 1 }))).toMatch(/4294967295.* is a named property/);
});

const RARE = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0];

test("of the numbers that JSON writes otherwise, those are let through that are asked for", () => {
  expect(RARE.map((number) => whatJsonLoses({ n: number }))).toEqual([
    "n is Infinity",
    "n is -Infinity",
    undefined,
  ]);
  expect(RARE.map((number) => whatJsonLoses([number], () => false))).toEqual([
    "[0] is Infinity",
    "[0] is -Infinity",
    "[0] is -0",
  ]);
  expect(RARE.map((number) => whatJsonLoses([number], () => true))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(whatJsonLoses([Number.NaN], () => true)).toBe("[0] is NaN");
  const asked: number[] = [];
  whatJsonLoses([1, 0, -0, 2.5], (number) => asked.push(number) > 0);
  expect(asked).toEqual([-0]);
});

test("no depth is too much, and what is deep down is found", () => {
  for (const inner of [1, 1n]) {
    let deep: unknown = inner;
    for (let level = 0; level < 20_000; level++) deep = level % 2 ? [deep] : { deep };
    const told = whatJsonLoses(deep);
    if (inner === 1) expect(told).toBeUndefined();
    else expect(told).toMatch(/^\[0\]\.deep.*\.\.\. is a bigint$/);
  }
});

test.each([[[1, [2]]], [{ a: { b: 1 } }], [Array(5_000).fill(0)]])(
  "an imported JSON file is JSON: %#",
  (value) => {
    // As the loader gives it.
    Object.defineProperty(value, "default", { value, enumerable: false });
    expect(whatJsonLoses({ value })).toBeUndefined();
    Object.defineProperty(value, "other", { value, enumerable: false });
    expect(whatJsonLoses({ value })).toMatch(/^value\.other is /);
  },
);
