// Waits for something to become true.
import { setTimeout } from "node:timers/promises";

/** Looks every few milliseconds; fails after five seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`this did not become true in time: ${condition}`);
    await setTimeout(5);
  }
}
