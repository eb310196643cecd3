// The counters of a module's callbacks, added up by hour for the charts.
import { expect, test } from "@jest/globals";
import { byHour } from "../../../../bridge/admin-page/hours.js";

const HOUR = 3_600_000;
const asked = { module: "m", callback: "a", calls: 3, refusals: 1, errors: 0 };

test("callbacks are added up, with the slowest latency, and hours without a call are there", () => {
  const hours = [
    { ...asked, hour_ts: 2 * HOUR, p50_ms: 1, p99_ms: 9 },
    { ...asked, hour_ts: 2 * HOUR, callback: "b", errors: 2, p50_ms: 4 },
    { ...asked, hour_ts: 7 * HOUR },
  ];
  expect(byHour(hours, HOUR + 5, 3 * HOUR + 5)).toEqual([
    { hour_ts: HOUR, calls: 0, refusals: 0, errors: 0 },
    { hour_ts: 2 * HOUR, calls: 6, refusals: 2, errors: 2, p50_ms: 4, p99_ms: 9 },
    { hour_ts: 3 * HOUR, calls: 0, refusals: 0, errors: 0 },
  ]);
});
