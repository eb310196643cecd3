// Waits for a condition, with a bound and a message for when it does not come.
import { real } from "../../base/real-time.js";

const LOOK_MS = 20;

/**
 * Asks again and again until the answer is neither undefined nor false, and resolves with it: for what Synapse does in the
 * background. Rejects after `timeoutMs` with an error that names `what`, and where `ask` throws.
 */
export async function waitFor<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 10_000,
): Promise<T> {
  const end = real.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (real.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await real.pause(LOOK_MS);
  }
}
