/** Measures what some work costs Synapse: the longest pause of its reactor, and its memory. Figures to be told, not judged. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Homeserver } from "../../support/homeserver.js";
import { longestPause } from "../../support/pauses.js";

export interface Cost {
  readonly pauseMs: number;
  /** In MiB: before, at most, after. */
  readonly memory: readonly [number, number, number];
}

export async function measured<T>(
  { pid, baseUrl }: Homeserver,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly cost: Cost }> {
  await longestPause(baseUrl);
  // Lets the peak begin anew.
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const before = mebibytes(pid, "VmRSS");
  const result = await work();
  const pauseMs = (await longestPause(baseUrl)) ?? Number.NaN;
  return { result, cost: { pauseMs, memory: [before, mebibytes(pid, "VmHWM"), mebibytes(pid, "VmRSS")] } };
}

function mebibytes(pid: number, field: "VmRSS" | "VmHWM"): number {
  const found = new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Number(found?.[1]) / 1024;
}
