// Times, numbers and hostile text, as the admin's page shows them.
import { describe, expect, test } from "@jest/globals";
import {
  count,
  counted,
  dateTime,
  duration,
  list,
  milliseconds,
  share,
  visible,
} from "../../../../bridge/admin-page/text.js";

const HOUR = 3_600_000;

test.each([
  [-5, "0 s"],
  [4_400, "4 s"],
  [60_000, "1 min"],
  [65_000, "1 min 5 s"],
  [13 * 60_000 + 7_000, "13 min"],
  [HOUR, "1 h"],
  [2 * HOUR + 300_000, "2 h 5 min"],
  [76 * HOUR, "3 d 4 h"],
  [48 * HOUR, "2 d"],
])("%d ms is %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test("a time has its day and its seconds, in the time zone of who reads it", () => {
  expect(dateTime(new Date(2026, 10, 9, 7, 5, 3).getTime())).toBe("2026-11-09 07:05:03");
});

test("numbers are grouped, and nouns fit them", () => {
  expect([count(1_234_567), counted(1, "process", "processes"), counted(0, "process", "processes")]).toEqual([
    "1,234,567",
    "1 process",
    "0 processes",
  ]);
});

test.each([
  [0, 0, ""],
  [0, 10, "0.0 %"],
  [1, 100_000, "under 0.1 %"],
  [1, 30, "3.3 %"],
  [2, 3, "67 %"],
])("%d of %d is %j", (part, whole, text) => {
  expect(share(part, whole)).toBe(text);
});

test("what was not measured is a dash", () => {
  expect([undefined, 0.44, 9.96, 12.4, 2_345].map(milliseconds)).toEqual([
    "–",
    "0.4 ms",
    "10.0 ms",
    "12 ms",
    "2.3 s",
  ]);
});

test("a list reads as a sentence", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(list)).toEqual(["", "a", "a and b", "a, b and c"]);
});

describe("hostile text", () => {
  test.each([
    ["right to left", "a\u202egpj", "a⟨U+202E⟩gpj"],
    ["isolates", "\u2067x\u2069", "⟨U+2067⟩x⟨U+2069⟩"],
    ["no width", "a\u200bb\ufeff", "a⟨U+200B⟩b⟨U+FEFF⟩"],
    ["lines", "a\nb\u2028", "a⟨U+000A⟩b⟨U+2028⟩"],
    ["tags", "a\u{e0041}", "a⟨U+E0041⟩"],
    ["blank letters", "a\u3164", "a⟨U+3164⟩"],
  ])("shows what hides or reorders: %s", (_, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test("leaves letters of all scripts, and markup, as they are", () => {
    const text = "@шалом:пример.рф مرحبا <b>&amp;</b> 👍🏽";
    expect(visible(text)).toBe(text);
  });
});
