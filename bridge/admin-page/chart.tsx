// One small chart over time, drawn by uPlot in the page's colours.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Series {
  readonly label: string;
  /** The name of a colour of the style sheet. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly isDashed?: boolean;
}

interface ChartProps {
  readonly title: string;
  /** Seconds since the epoch. */
  readonly xs: readonly number[];
  readonly series: readonly Series[];
}

const HEIGHT = 130;

export function Chart({ title, xs, series }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    let plot = draw(element, xs, series);
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => {
      plot.destroy();
      plot = draw(element, xs, series);
    };
    dark.addEventListener("change", redraw);
    return () => {
      dark.removeEventListener("change", redraw);
      resized.disconnect();
      plot.destroy();
    };
  }, [xs, series]);
  const most = (values: Series["values"]) => Math.max(0, ...values.map((value) => value ?? 0));
  const summary = series
    .map(({ label, values }) => `${label} at most ${Math.round(most(values))}`)
    .join(", ");
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <div ref={place} role="img" aria-label={`${title}: ${summary}`} />
    </figure>
  );
}

function draw(element: HTMLElement, xs: readonly number[], series: readonly Series[]): uPlot {
  const styles = getComputedStyle(element);
  const colour = (name: string) => styles.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--soft"),
    font: `11px ${styles.fontFamily}`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const options: uPlot.Options = {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [
      { ...axis, size: 24, space: 60, values: (_, seconds) => seconds.map(dayOrTime) },
      { ...axis, size: 46 },
    ],
    series: [
      { label: "hour", value: (_, second) => (second === null ? "–" : `${dayOf(second)} ${timeOf(second)}`) },
      ...series.map(({ label, colour: name, isDashed }) => ({
        label,
        stroke: colour(name),
        width: 1.5,
        ...(isDashed && { dash: [4, 3] }),
        points: { size: 4, show: xs.length < 50 },
        value: (_: uPlot, value: number | null) =>
          value === null ? "–" : String(Math.round(value * 10) / 10),
      })),
    ],
    cursor: { y: false, drag: { x: false, y: false } },
    legend: { live: true },
  };
  return new uPlot(options, [[...xs], ...series.map(({ values }) => [...values])], element);
}

function dayOrTime(second: number): string {
  return timeOf(second) === "00:00" ? dayOf(second) : timeOf(second);
}

function timeOf(second: number): string {
  const date = new Date(second * 1000);
  return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}

function dayOf(second: number): string {
  const date = new Date(second * 1000);
  return `${date.getDate()}.${date.getMonth() + 1}.`;
}
