// Formats durations as Synapse writes them.

const UNITS = [
  ["w", 7 * 24 * 60 * 60 * 1_000],
  ["d", 24 * 60 * 60 * 1_000],
  ["h", 60 * 60 * 1_000],
  ["m", 60 * 1_000],
  ["s", 1_000],
] as const;

/** Formats with the largest unit that gives a whole number: 90,000 becomes `90s`, and 60,000 becomes `1m`. */
export function formatDuration(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => milliseconds > 0 && milliseconds % size === 0) ?? ["ms", 1];
  return `${milliseconds / size}${unit}`;
}
