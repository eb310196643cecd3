// Turns what the API answers into text for people: times, numbers, and text that a Matrix user has written.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `2026-11-29 22:05:07`, in the browser's time zone. */
export function dateTime(ts: number): string {
  const date = new Date(ts);
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `3 min`, `2 h 5 min`, `4 d 3 h`: two units at most. */
export function duration(ms: number): string {
  if (ms < MINUTE) return `${Math.max(0, Math.round(ms / 1000))} s`;
  const [big, bigName, small, smallName] =
    ms < HOUR
      ? [MINUTE, "min", 1000, "s"]
      : ms < DAY
        ? [HOUR, "h", MINUTE, "min"]
        : ([DAY, "d", HOUR, "h"] as const);
  const first = Math.floor(ms / big);
  const rest = Math.floor((ms - first * big) / small);
  const isExact = rest === 0 || (big === MINUTE && first >= 10);
  return isExact ? `${first} ${bigName}` : `${first} ${bigName} ${rest} ${smallName}`;
}

/** `12,345`. */
export function count(n: number): string {
  return n.toLocaleString("en");
}

/** `1 process`, `3 processes`. */
export function counted(n: number, one: string, several = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : several}`;
}

/** `0.4 %`; nothing where there is no whole. */
export function share(part: number, whole: number): string {
  if (whole === 0) return "";
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 0.1) return "under 0.1 %";
  return `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

/** `12 ms`, `1.2 s`; a dash for what has not been measured. */
export function milliseconds(ms: number | undefined): string {
  if (ms === undefined) return "–";
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

/** `a, b and c`. */
export function list(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** The begin of a hash: enough to tell two apart. */
export function shortHash(hash: string): string {
  return hash.slice(0, 8);
}

// Whatever reorders or hides text: control characters, marks of direction, and what has no width.
const TRICKS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu;

/** Text of a Matrix user, in which characters that reorder or hide text are spelt out. */
export function visible(text: string): string {
  return text.replace(
    TRICKS,
    (character) => `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`,
  );
}
