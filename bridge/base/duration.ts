// Reads and formats durations as Synapse writes them.

/** The longest time of a timer: one that is longer would end at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

const UNITS = [
  ["y", 365 * 24 * 60 * 60 * 1_000],
  ["w", 7 * 24 * 60 * 60 * 1_000],
  ["d", 24 * 60 * 60 * 1_000],
  ["h", 60 * 60 * 1_000],
  ["m", 60 * 1_000],
  ["s", 1_000],
] as const;

/** Formats with the largest unit that gives a whole number: 90,000 becomes `90s`, and 60,000 becomes `1m`. */
export function formatDuration(milliseconds: number): string {
  const [unit, size] = UNITS.find(
    ([unit, size]) => unit !== "y" && milliseconds > 0 && milliseconds % size === 0,
  ) ?? ["ms", 1];
  return `${milliseconds / size}${unit}`;
}

/** Milliseconds, or a number with a unit: `"10m"` is 600,000. Throws a TypeError for anything else. */
export function parseDuration(value: unknown): number {
  const [, digits, letter] = /^(\d+)([smhdwy]?)$/.exec(String(value)) ?? [];
  if (digits === undefined || (typeof value !== "string" && typeof value !== "number"))
    throw new TypeError(
      `${String(value)} is no duration: write milliseconds, or a number with s, m, h, d, w or y, such as "10m"`,
    );
  const [, size] = UNITS.find(([unit]) => unit === letter) ?? ["ms", 1];
  return Number(digits) * size;
}
