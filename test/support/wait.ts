// Waits for a condition, with a bound and a message for when it does not come.
import { setTimeout as pause } from "node:timers/promises";

/** Asks again and again until the answer is not undefined; throws after `timeoutMs`. */
export async function waitFor<T>(
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 10_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await pause(20);
  }
}
