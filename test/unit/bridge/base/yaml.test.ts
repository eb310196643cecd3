// YAML that is wrong: the message says where, and nothing of what stands there.
import { describe, expect, test } from "@jest/globals";
import { parseYaml } from "../../../../bridge/base/yaml.js";

const S = "s3cret";

function messageOf(text: string): string {
  try {
    return `no fault: ${JSON.stringify(parseYaml(text))}`;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("what is no YAML is told by its place alone", () => {
  test.each([
    [`a: b\n  token: ${S}: x`, "line 1, column 4: block as implicit key"],
    [`a: [${S}`, "line 1, column 11: bad indent"],
    [`a: '${S}`, "line 1, column 11: missing char"],
    [`- a\nb: ${S}`, "line 2, column 1: unexpected token"],
    [`a: !${S} x`, "line 1, column 4: tag resolve failed"],
    [`a: !!int ${S}`, "line 1, column 4: tag resolve failed"],
    [`a: @${S}`, "line 1, column 4: bad scalar start"],
    [`a: 1\na: ${S}`, "line 2, column 1: duplicate key"],
    [`a: "\\u${S}"`, "line 1, column 5: bad dq escape"],
    [`{a: ${S}}}`, "line 1, column 12: unexpected token"],
    [`a: *${S}`, "an alias is without its anchor, or there are too many"],
  ])("%j", (text, words) => {
    expect(messageOf(text)).toBe(`is no YAML: ${words}`);
  });
});

test("a bomb of aliases is refused", () => {
  const level = (n: number) =>
    `a${n}: &a${n} [${Array(9)
      .fill(n === 0 ? "x" : `*a${n - 1}`)
      .join(", ")}]`;
  expect(messageOf(Array.from({ length: 9 }, (_, n) => level(n)).join("\n"))).toBe(
    "is no YAML: an alias is without its anchor, or there are too many",
  );
});

test("what is YAML means what it does to Synapse", () => {
  expect(parseYaml("%FOO bar\n---\na: yes\nb: 0777\nc: '5'")).toEqual({ a: true, b: 511, c: "5" });
  expect(parseYaml("")).toBeNull();
});
