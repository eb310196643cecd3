/** Measures what some work costs Synapse: the longest pause of its reactor, and its memory. Figures to be told, not judged. */
import { writeFileSync } from "node:fs";
import type { Homeserver } from "../../support/homeserver.js";
import { longestPause } from "../../support/pauses.js";
import { memoryOf } from "../../support/processes.js";

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

const mebibytes = (pid: number, field: "VmRSS" | "VmHWM") => (memoryOf(pid, field) ?? Number.NaN) / 2 ** 20;
