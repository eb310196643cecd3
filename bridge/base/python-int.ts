// Reads a text as Python's int() does, by which Synapse reads ports and the power levels of old rooms. In linear time.

// The spaces of int(): not quite those of String.trim.
const SPACE = "[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const INTEGER = new RegExp(`^${SPACE}*([+-]?)(\\p{Nd}+(?:_\\p{Nd}+)*)${SPACE}*$`, "u");
// The most that int() takes.
const MOST_DIGITS = 4300;

/**
 * The integer, with digits of any script; undefined where int() raises ValueError. One beyond the numbers of JavaScript is the
 * greatest or the least of them.
 */
export function pythonInt(text: string): number | undefined {
  const [, sign, number = ""] = INTEGER.exec(text) ?? [];
  const digits = number.replaceAll("_", "").replace(/\p{Nd}/gu, (digit) => String(digitOf(digit)));
  if (sign === undefined || digits.length > MOST_DIGITS) return undefined;
  const absolute = Math.min(Number(digits), Number.MAX_VALUE);
  // Adding 0 makes zero of a negative zero, which Python's integers lack.
  return (sign === "-" ? -absolute : absolute) + 0;
}

const MATHEMATICAL = { first: 0x1d7ce, last: 0x1d7ff };

/** Decimal digits stand in blocks of ten, from zero to nine. Only the mathematical ones have several blocks in a row. */
function digitOf(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  if (code >= MATHEMATICAL.first && code <= MATHEMATICAL.last) return (code - MATHEMATICAL.first) % 10;
  let zero = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero--;
  return code - zero;
}
