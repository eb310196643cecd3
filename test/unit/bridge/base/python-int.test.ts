// Texts as integers: the same answers as Python's int() gives.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { pythonInt } from "../../../../bridge/base/python-int.js";
import { venvPython } from "../../../support/paths.js";

const characters = Array.from({ length: 0x110000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));
const digits = characters.filter((one) => /^\p{Nd}$/u.test(one));
// Those of Unicode, of Python and of JavaScript, and their neighbours.
const spaces = characters.filter((one) => /^[\p{Z}\p{Cc}\p{Cf}\p{White_Space}]$/u.test(one) || !one.trim());

const texts = [
  ...["50", "-1", "+7", " 50 ", "5_0", "_5", "5_", "5__0", "", " ", "-", "+", "--1", "+-1", "- 1", "5 0"],
  ...["0", "-0", "00012", "5.0", "0x10", "1e2", "ten", "½", "²", "Ⅷ", "一", "0_0", "9007199254740993"],
  ...["9".repeat(300), "-".concat("9".repeat(400)), "1".repeat(4300), "1".repeat(4301)],
  ...[
    `-${"0".repeat(4299)}1`,
    `-${"0".repeat(4300)}1`,
    "1_".repeat(4299).concat("1"),
    ` ${"1".repeat(4300)} `,
  ],
  ...digits.flatMap((digit) => [digit, `-1${digit}_0`]),
  ...spaces.flatMap((space) => [`${space}50`, `50${space}`, `${space}٣${space}`, `5${space}0`]),
  ...fc.sample(
    fc.string({ unit: fc.constantFrom(..."0129_-+ .e\u0663\u0085\ufeff\u001c\u2003"), maxLength: 6 }),
    {
      numRuns: 2_000,
      seed: 1,
    },
  ),
];

const ASK = `import json, sys
def read(text):
    try:
        return str(int(text))
    except ValueError:
        return None
print(json.dumps([read(text) for text in json.load(sys.stdin)]))`;

test("a text is the integer that Python reads, or none", async () => {
  const asking = promisify(execFile)(venvPython(), ["-c", ASK], { maxBuffer: 2 ** 24 });
  asking.child.stdin?.end(JSON.stringify(texts));
  const asked = JSON.parse((await asking).stdout) as (string | null)[];
  const wrong = texts.filter((text, index) => {
    const integer = asked[index] ?? null;
    const greatest = Number.MAX_VALUE;
    const expected = integer === null ? undefined : Math.max(-greatest, Math.min(greatest, Number(integer)));
    return !Object.is(pythonInt(text), expected);
  });
  // Python and Node may know different versions of Unicode: a digit that is new to one of them is no digit there.
  const isNew = (text: string) =>
    digits.some((one) => text.includes(one)) && asked[texts.indexOf(text)] === null;
  expect(wrong.filter((text) => !isNew(text))).toEqual([]);
  expect(wrong.length).toBeLessThan(digits.length / 2);
  expect(asked.filter((integer) => integer !== null).length).toBeGreaterThan(digits.length);
});

test.each([" ", "1_", "1", "-", "\u0085", "_"])("a long text of %j takes no long time", (part) => {
  const started = performance.now();
  pythonInt(`${part.repeat(100_000)}x`);
  expect(performance.now() - started).toBeLessThan(500);
});
