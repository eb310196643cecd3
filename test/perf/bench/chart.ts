// The figures of a run as an SVG: bars for what the variants cost, lines for how the bridge's cost grows.
import { type Figures, keyOf, median } from "./rounds.js";
import { LABELS } from "./table.js";
import type { VariantName } from "./variants.js";

const WIDTH = 960;
const PANEL = { width: 300, height: 190, gap: 20 };
const TITLE_HEIGHT = 60;
const COLOURS: Readonly<Partial<Record<VariantName, string>>> = {
  python: "#7a7a7a",
  http: "#c4601d",
  bridge: "#1d6fc4",
  filtered: "#7fb3e6",
};
type Point = readonly [measurement: string, variant: VariantName, figure: string];

/** `caption` says when and where the figures were taken. */
export function chart(figures: Figures, caption: string): string {
  const at = ([measurement, variant, figure]: Point) =>
    median(figures.get(keyOf(measurement, variant, figure)));
  const bars = (title: string, unit: string, points: readonly Point[]) => {
    const known = points.filter((point) => !Number.isNaN(at(point)));
    const most = Math.max(...known.map(at));
    const rows = known.map((point, index) => {
      const y = 34 + index * 30;
      const width = Math.max(1, (at(point) / most) * 180);
      const label = point[2] === "p99" ? `${LABELS[point[1]]}, p99` : LABELS[point[1]];
      return [
        text(0, y, label, 11),
        `<rect x="0" y="${y + 4}" width="${width.toFixed(1)}" height="10" fill="${COLOURS[point[1]]}"/>`,
        text(width + 6, y + 13, `${readable(at(point))} ${unit}`, 11),
      ].join("");
    });
    return text(0, 12, title, 13, "bold") + rows.join("");
  };
  const lines = (title: string, steps: readonly (readonly [label: string, point: Point])[]) => {
    const values = steps.map(([, point]) => at(point));
    const most = Math.max(...values) * 1.15;
    const x = (index: number) => 20 + (index * 220) / (steps.length - 1);
    const y = (value: number) => 150 - (value / most) * 110;
    const marks = steps.map(
      ([label], index) =>
        `<circle cx="${x(index)}" cy="${y(values[index] as number).toFixed(1)}" r="3" fill="${COLOURS.bridge}"/>` +
        text(x(index) - 12, y(values[index] as number) - 8, readable(values[index] as number), 11) +
        text(x(index) - 12, 168, label, 11),
    );
    const path = values.map((value, index) => `${x(index)},${y(value).toFixed(1)}`).join(" ");
    const line = `<polyline points="${path}" fill="none" stroke="${COLOURS.bridge}" stroke-width="2"/>`;
    return text(0, 12, title, 13, "bold") + line + marks.join("");
  };
  const variants = (measurement: string, figure: string, names: readonly VariantName[]): Point[] =>
    names.map((variant) => [measurement, variant, figure]);
  const compared: readonly VariantName[] = ["python", "http", "bridge"];
  const panels = [
    bars(
      "Latency of a call alone",
      "us",
      compared.flatMap((variant): Point[] => [
        ["alone", variant, "p50"],
        ["alone", variant, "p99"],
      ]),
    ),
    bars("Calls per second, 32 at once", "/s", variants("32 at once", "calls/s", compared)),
    bars(
      "Synapse's CPU per call, 32 at once",
      "us",
      variants("32 at once", "cpu", [...compared, "filtered"]),
    ),
    lines("Latency (us) by size of the event", [
      ["1 KB", ["alone", "bridge", "p50"]],
      ["10 KB", ["10 KB event", "bridge", "p50"]],
      ["64 KB", ["64 KB event", "bridge", "p50"]],
    ]),
    lines("Latency (us) by modules in a row", [
      ["1", ["modules in a row", "bridge", "p50"]],
      ["5", ["modules in a row", "bridge5", "p50"]],
      ["20", ["modules in a row", "bridge20", "p50"]],
    ]),
    lines("Latency (us) by members of the room", [
      ["10", ["check_event_allowed, 10 members", "bridge", "p50"]],
      ["1,000", ["check_event_allowed, 1000 members", "bridge", "p50"]],
      ["10,000", ["check_event_allowed, 10000 members", "bridge", "p50"]],
    ]),
  ];
  const placed = panels.map((panel, index) => {
    const x = PANEL.gap + (index % 3) * (PANEL.width + PANEL.gap / 2);
    const y = TITLE_HEIGHT + Math.floor(index / 3) * (PANEL.height + PANEL.gap);
    return `<g transform="translate(${x} ${y})">${panel}</g>`;
  });
  const height = TITLE_HEIGHT + 2 * (PANEL.height + PANEL.gap);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif">`,
    "<title>What a callback costs</title>",
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    text(PANEL.gap, 24, "What a callback costs", 16, "bold"),
    text(PANEL.gap, 42, caption, 11),
    ...placed,
    "</svg>\n",
  ].join("\n");
}

function text(x: number, y: number, content: string, size: number, weight = "normal"): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" font-weight="${weight}">${escaped}</text>`;
}

function readable(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
