// The figures of a run as text: one line for each measurement and variant.
import type { Goal } from "./goals.js";
import { JOIN } from "./join.js";
import { type Figures, keyOf, measurementNames, median } from "./rounds.js";
import { RESTART, START } from "./start.js";
import type { VariantName } from "./variants.js";

export const LABELS: Readonly<Record<VariantName, string>> = {
  none: "no module",
  python: "Python, in process",
  http: "synapse-http-antispam",
  bare: "bare bridge",
  bridge: "bridge",
  filtered: "bridge, match says no",
  bridge5: "bridge, 5 modules",
  bridge20: "bridge, 20 modules",
};
// Their headings, by the name of the figure.
const COLUMNS = {
  ...{ p50: "p50 us", p99: "p99 us", max: "max us", cpu: "cpu us", "unasked cpu": "unasked cpu us" },
  ...{
    begun: "begun us",
    send: "send us",
    "calls/s": "calls/s",
    "by policy": "by policy",
    "Node MB": "Node MB",
  },
};

export function table(figures: Figures): string {
  const lines = [["measurement", "variant", ...Object.values(COLUMNS)]];
  for (const measurement of [...measurementNames(), JOIN, START, RESTART]) {
    for (const variant of Object.keys(LABELS) as VariantName[]) {
      const values = Object.keys(COLUMNS).map((column) => figures.get(keyOf(measurement, variant, column)));
      if (values.every((value) => value === undefined)) continue;
      lines.push([
        measurement,
        LABELS[variant],
        ...values.map((value) => (value ? median(value).toFixed(0) : "")),
      ]);
    }
  }
  return aligned(lines);
}

export function goalsTable(goals: readonly Goal[]): string {
  const lines = goals.map(({ what, wanted, value, met }) => [
    what,
    Number.isNaN(value) ? "not measured" : value.toFixed(3),
    wanted,
    Number.isNaN(value) ? "" : met ? "met" : "MISSED",
  ]);
  return aligned([["goal", "measured", "wanted", ""], ...lines]);
}

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
