// Waits for a condition, with a bound and a message for when it does not come.
import { setTimeout as pause } from "node:timers/promises";

const LOOK_MS = 20;

/** Asks again and again until the answer is neither undefined nor false; throws after `timeoutMs`. */
export async function waitFor<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 10_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await pause(LOOK_MS);
  }
}
