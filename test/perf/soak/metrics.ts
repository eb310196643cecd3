/** Reads the bridge's metrics from Synapse. */
import { Client } from "../../support/client.js";

export interface Metrics {
  readonly up: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly queued: number;
  readonly breakersOpen: number;
  /** How often the host has ended, by cause. */
  readonly ends: ReadonlyMap<string, number>;
  readonly lateAnswers: number;
  readonly dropped: number;
  readonly logDropped: number;
}

const prefix = "synapse_module_bridge_";

export async function readMetrics(baseUrl: string): Promise<Metrics> {
  const { text } = await new Client(baseUrl).get("/_synapse/metrics");
  const lines = text.split("\n").filter((line) => line.startsWith(prefix));
  const samples = lines.flatMap((line) => {
    const [, name, labels, value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return name ? [{ name: name.slice(prefix.length), labels: labels ?? "", value: Number(value) }] : [];
  });
  const sum = (wanted: string) =>
    samples.filter(({ name }) => name === wanted).reduce((total, { value }) => total + value, 0);
  const ends = samples
    .filter(({ name }) => name === "host_ends_total")
    .map(({ labels, value }) => [/cause="([^"]*)"/.exec(labels)?.[1] ?? "", value] as const);
  return {
    up: sum("up"),
    inFlight: sum("calls_in_flight"),
    waiting: sum("calls_waiting"),
    queued: sum("notifications_queued"),
    breakersOpen: sum("breakers_open"),
    ends: new Map(ends),
    lateAnswers: sum("late_answers_total"),
    dropped: sum("notifications_dropped_total"),
    logDropped: sum("log_lines_dropped_total"),
  };
}
