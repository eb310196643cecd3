/** Notes what a test has seen of a row of faults.json, for the fault matrix (`npm run faults`). */
import { appendFileSync } from "node:fs";
import { expect } from "@jest/globals";

export interface Observation {
  /** What the callers got. */
  readonly outcome: string;
  readonly policy?: string;
  /** Default: a real Synapse. */
  readonly on?: "real host" | "real Synapse" | "federating Synapses";
  /** Default: the test's name. */
  readonly tried?: string;
  /** The longest pause of Synapse's reactor, in milliseconds. */
  readonly pauseMs?: number;
  /** Synapse's resident memory in MiB: before, at most, after. */
  readonly memory?: readonly number[];
}

/** To be called once all else has held. */
export function observed(row: number, observation: Observation): void {
  const file = process.env.FAULT_MATRIX;
  if (!file) return;
  const { currentConcurrentTestName, currentTestName } = expect.getState();
  const tried = currentConcurrentTestName?.() ?? currentTestName ?? "";
  appendFileSync(file, `${JSON.stringify({ row, on: "real Synapse", tried, ...observation })}\n`);
}
