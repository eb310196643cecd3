// Runs a Prometheus of a test's own, from Debian's package: it scrapes processes of Synapse, and evaluates alert rules.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { unpackDebian } from "./debian.js";
import { freePort } from "./ports.js";
import { type Program, startProgram, untilReady } from "./program.js";

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly metric: Labels;
  readonly value: number;
}

export interface Alert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: "pending" | "firing";
}

export interface Prometheus extends Program {
  /** What an instant query gives. Throws with Prometheus's own words where it is wrong. */
  query(expression: string): Promise<Sample[]>;
  /** The label sets of the series that a selector selects now. */
  series(selector: string): Promise<Labels[]>;
  alerts(): Promise<Alert[]>;
}

export interface PrometheusOptions {
  /** Base URLs of processes of Synapse, by the name that `instance` becomes. */
  readonly targets: Readonly<Record<string, string>>;
  /** The text of a file of rules. */
  readonly rules: string;
}

const run = promisify(execFile);

/** Runs promtool. Throws with what it has printed where it fails. */
export async function promtool(...args: readonly string[]): Promise<string> {
  const folder = await unpackDebian("prometheus");
  const { stdout } = await run(join(folder, "usr/bin/promtool"), args);
  return stdout;
}

/** It scrapes, and evaluates the rules, each second. */
export async function startPrometheus({ targets, rules }: PrometheusOptions): Promise<Prometheus> {
  const folder = await unpackDebian("prometheus");
  const dir = mkdtempSync(join(tmpdir(), "bridge-prometheus-"));
  const address = `127.0.0.1:${await freePort()}`;
  writeFileSync(join(dir, "rules.yml"), rules);
  writeFileSync(join(dir, "prometheus.yml"), JSON.stringify(configuration(targets)));
  const program = startProgram({
    command: join(folder, "usr/bin/prometheus"),
    args: [
      `--config.file=${join(dir, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(dir, "data")}`,
      `--web.listen-address=${address}`,
    ],
    cwd: dir,
    cleanUp: () => rmSync(dir, { recursive: true, force: true }),
  });
  const get = async (path: string, query: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(query)}`);
    const { status, data, error } = (await response.json()) as {
      status: string;
      data: never;
      error?: string;
    };
    if (status !== "success") throw new Error(`${path} ${JSON.stringify(query)}: ${error}`);
    return data;
  };
  const prometheus: Prometheus = {
    ...program,
    query: async (expression) => {
      const { result } = (await get("query", { query: expression })) as {
        result: readonly { metric: Labels; value: [number, string] }[];
      };
      return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
    },
    series: async (selector) => (await prometheus.query(selector)).map(({ metric }) => metric),
    alerts: async () => ((await get("alerts")) as { alerts: Alert[] }).alerts,
  };
  await untilReady("Prometheus", program, () =>
    prometheus.query("up").then(
      (samples) => samples.length === Object.keys(targets).length,
      () => false,
    ),
  );
  return prometheus;
}

const configuration = (targets: PrometheusOptions["targets"]) => ({
  global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
  rule_files: ["rules.yml"],
  scrape_configs: [
    {
      job_name: "synapse",
      metrics_path: "/_synapse/metrics",
      static_configs: Object.entries(targets).map(([instance, url]) => ({
        targets: [new URL(url).host],
        labels: { instance },
      })),
    },
  ],
});
