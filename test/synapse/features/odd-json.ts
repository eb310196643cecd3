// Bodies of requests as no careful client would write them, and that Synapse reads as JSON all the same. They are text,
// since JSON.stringify cannot write most of what is odd about them.
import { Random } from "../../support/random.js";

const NUMBERS = [
  "1e400",
  "-1e400",
  "-0.0",
  "1.5",
  "0",
  "-1",
  "9007199254740993",
  `1${"0".repeat(400)}`,
  "1E5",
];
const TEXTS = [
  '""',
  '"hello"',
  '"\\ud800"',
  '"\\u0000\\u2028"',
  '"é😀"',
  '"@a:b"',
  '"Infinity"',
  '"__proto__"',
];
const WORDS = ["null", "true", "false", "{}", "[]"];
const KEYS = ["__proto__", "constructor", "toJSON", "then", "length", "", "a.b", "\\ud800", "\\u0000"];
// Synapse takes an object with this key, in an event, for the number that it names.
export const HIDDEN_INFINITY = '{"$serde_json::private::Number":"1e400"}';

export class OddJson extends Random {
  /** An object with these fields, some of `optional` with what does not belong there, and some that nobody knows. */
  body(fields: Readonly<Record<string, unknown>>, optional: readonly string[] = []): string {
    const parts = Object.entries(fields).map(
      ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
    );
    for (const key of optional) if (this.next() < 0.3) parts.push(`${JSON.stringify(key)}:${this.value()}`);
    for (const key of KEYS) if (this.next() < 0.15) parts.push(`"${key}":${this.value()}`);
    if (this.next() < 0.5) parts.push(`"x":${this.value()}`);
    return `{${parts.join(",")}}`;
  }

  value(depth = 3): string {
    const kind = this.next();
    if (kind < 0.1 && depth > 0) return `[${this.value(depth - 1)},${this.value(depth - 1)}]`;
    if (kind < 0.2 && depth > 0)
      return `{"${this.pick(KEYS)}":${this.value(depth - 1)},"k":${this.value(depth - 1)}}`;
    if (kind < 0.25) return this.nested(Math.floor(this.next() * 850));
    if (kind < 0.3) return HIDDEN_INFINITY;
    return this.pick(kind < 0.55 ? NUMBERS : kind < 0.8 ? TEXTS : WORDS);
  }

  nested(depth: number): string {
    return `${"[".repeat(depth)}${this.pick(WORDS)}${"]".repeat(depth)}`;
  }
}
