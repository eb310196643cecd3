// Durations as Synapse writes them.

const UNITS = [
  ["w", 7 * 24 * 60 * 60 * 1_000],
  ["d", 24 * 60 * 60 * 1_000],
  ["h", 60 * 60 * 1_000],
  ["m", 60 * 1_000],
  ["s", 1_000],
] as const;

/** With the largest unit of which it is a whole number, such as `90s`. */
export function formatDuration(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => milliseconds > 0 && milliseconds % size === 0) ?? ["ms", 1];
  return `${milliseconds / size}${unit}`;
}
