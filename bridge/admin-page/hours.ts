// Adds up the counters of a module's callbacks hour by hour, with the hours in which nothing was asked.
import type { Hour } from "../catalogue/admin-api.js";

const HOUR = 3_600_000;

export type HourOfModule = Omit<Hour, "module" | "callback">;

/** Every hour from `since` to `until`. Of the latencies, the slowest callback's. */
export function byHour(hours: readonly Hour[], since: number, until: number): HourOfModule[] {
  const sums = new Map<number, HourOfModule>();
  for (let ts = Math.floor(since / HOUR) * HOUR; ts <= until; ts += HOUR)
    sums.set(ts, { hour_ts: ts, calls: 0, refusals: 0, errors: 0 });
  for (const { hour_ts, calls, refusals, errors, p50_ms, p99_ms } of hours) {
    const sum = sums.get(hour_ts);
    if (!sum) continue;
    const half = slower(sum.p50_ms, p50_ms);
    const most = slower(sum.p99_ms, p99_ms);
    sums.set(hour_ts, {
      hour_ts,
      calls: sum.calls + calls,
      refusals: sum.refusals + refusals,
      errors: sum.errors + errors,
      ...(half !== undefined && { p50_ms: half }),
      ...(most !== undefined && { p99_ms: most }),
    });
  }
  return [...sums.values()];
}

/** The larger of what was measured. */
export function slower(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}
