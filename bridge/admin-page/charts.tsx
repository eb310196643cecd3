// The charts: for each module its calls, refusals and latency by hour, with the same figures as a table.
import { useCallback, useState } from "preact/hooks";
import type { Hour } from "../catalogue/admin-api.js";
import { Chart } from "./chart.js";
import { byHour, type HourOfModule } from "./hours.js";
import { useLoaded } from "./loading.js";
import { PeriodSelect, Staleness, Table } from "./parts.js";
import { count, counted, dateTime, milliseconds, share } from "./text.js";
import type { ViewProps } from "./view-props.js";

const HOUR = 3_600_000;
const LENGTHS = { "24h": 24 * HOUR, "7d": 7 * 24 * HOUR, "30d": 30 * 24 * HOUR };

export function Charts({ api, status }: ViewProps) {
  const [period, setPeriod] = useState<keyof typeof LENGTHS>("24h");
  const load = useCallback(async () => {
    const { hours } = await api.counters(period);
    const until = Date.now();
    return { since: until - LENGTHS[period], until, hours };
  }, [api, period]);
  const loaded = useLoaded(load);
  const { value, isLoading, reload } = loaded;
  const names = [
    ...new Set([
      ...status.modules.map(({ name }) => name),
      ...(value?.hours.map(({ module }) => module) ?? []),
    ]),
  ];
  return (
    <>
      <div class="fields">
        <PeriodSelect
          value={period}
          onPick={(picked) => picked in LENGTHS && setPeriod(picked as keyof typeof LENGTHS)}
          without={["1h"]}
        />
        <button type="button" onClick={reload}>
          Refresh
        </button>
      </div>
      <Staleness loaded={loaded} />
      {!value && isLoading && <p>Loading …</p>}
      {value && names.map((name) => <ModuleCharts key={name} name={name} {...value} />)}
    </>
  );
}

interface ModuleChartsProps {
  readonly name: string;
  readonly since: number;
  readonly until: number;
  readonly hours: readonly Hour[];
}

function ModuleCharts({ name, since, until, hours }: ModuleChartsProps) {
  const id = `charts-${name}`;
  const own = byHour(
    hours.filter(({ module }) => module === name),
    since,
    until,
  );
  const sum = (key: "calls" | "refusals" | "errors") => own.reduce((total, hour) => total + hour[key], 0);
  const calls = sum("calls");
  const refusals = sum("refusals");
  const ofCalls = calls > 0 ? ` (${share(refusals, calls)})` : "";
  const figures = `${counted(calls, "call")}, ${counted(refusals, "refusal")}${ofCalls}, ${counted(sum("errors"), "error")}`;
  const xs = own.map(({ hour_ts }) => hour_ts / 1000);
  return (
    <article class="card" aria-labelledby={id}>
      <h2 id={id}>{name}</h2>
      <p class="headline">{figures}</p>
      {calls > 0 && (
        <>
          <div class="charts">
            <Chart
              title="Calls in an hour"
              xs={xs}
              series={[{ label: "calls", colour: "--chart-1", values: own.map((hour) => hour.calls) }]}
            />
            <Chart
              title="Refusals and errors in an hour"
              xs={xs}
              series={[
                { label: "refusals", colour: "--chart-2", values: own.map((hour) => hour.refusals) },
                {
                  label: "errors",
                  colour: "--chart-3",
                  values: own.map((hour) => hour.errors),
                  isDashed: true,
                },
              ]}
            />
            <Chart
              title="Latency in ms, of the slowest callback"
              xs={xs}
              series={[
                {
                  label: "half within",
                  colour: "--chart-1",
                  values: own.map(({ p50_ms }) => p50_ms ?? null),
                },
                {
                  label: "99 % within",
                  colour: "--chart-2",
                  values: own.map(({ p99_ms }) => p99_ms ?? null),
                  isDashed: true,
                },
              ]}
            />
          </div>
          <details>
            <summary>The figures of {name} as a table</summary>
            <Figures hours={own} />
          </details>
        </>
      )}
    </article>
  );
}

function Figures({ hours }: { hours: readonly HourOfModule[] }) {
  return (
    <Table
      caption="By hour, where it was asked"
      columns={["Hour", "Calls", "Refusals", "Errors", "Half within", "99 % within"]}
      rows={hours
        .filter(({ calls }) => calls > 0)
        .reverse()
        .map((hour) => ({
          key: String(hour.hour_ts),
          cells: [
            dateTime(hour.hour_ts).slice(0, -3),
            count(hour.calls),
            count(hour.refusals),
            count(hour.errors),
            milliseconds(hour.p50_ms),
            milliseconds(hour.p99_ms),
          ],
        }))}
    />
  );
}
