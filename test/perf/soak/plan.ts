/** When which fault comes: all kinds in a random order, again and again, and only gentle ones in the last part. */
import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../../support/random.js";
import { allFaults, type FaultTools, gentleFaults, inject, type Outcome } from "./faults.js";

// The last part shows whether a Node grows that nobody restarts.
const CALM_SHARE = 0.2;
const LONGEST_CALM_MS = 6 * 60_000;

/** Injects faults until the time is over or somebody stops it. `report` gets each outcome. */
export async function injectFaults(
  tools: FaultTools,
  durationMs: number,
  stopped: AbortSignal,
  report: (outcome: Outcome) => void,
): Promise<void> {
  const { random } = tools;
  const end = Date.now() + durationMs;
  const calmFrom = end - Math.min(durationMs * CALM_SHARE, LONGEST_CALM_MS);
  const [shortest, longest] = durationMs >= 5 * 60_000 ? [5_000, 33_000] : [2_000, 8_000];
  let bag: string[] = [];
  for (;;) {
    const gap = random.between(shortest, longest);
    await pause(Math.max(0, Math.min(gap, end - Date.now())), undefined, { signal: stopped }).catch(
      () => undefined,
    );
    if (stopped.aborted || Date.now() >= end) return;
    let kind: string;
    if (Date.now() > calmFrom) {
      kind = random.pick(gentleFaults);
    } else {
      if (bag.length === 0) bag = shuffled(random, allFaults);
      kind = bag.pop() as string;
    }
    const outcome = await inject(kind, tools);
    if (outcome) report(outcome);
  }
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
