// Makes texts of others fit to be printed: a terminal must not take them for commands.

// An id of Matrix has at most 255 bytes.
const MOST_TEXT = 255 * 4;

/** The text in one line, cut off if it is long. */
export function printable(text: string): string {
  const short = text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text;
  return short.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`,
  );
}
