// The timers and the clock of the process as they are at start. A runner's fake ones must neither stop the kit nor end its
// deadlines; only what the kit tells a module follows them.
import timers from "node:timers";

const { setTimeout, clearTimeout, setImmediate } = timers;
const { now } = Date;

export const real = {
  now,
  setTimeout,
  clearTimeout,
  /** Waits for the next turn of the event loop. */
  turn: (): Promise<void> => new Promise((resolve) => void setImmediate(resolve)),
  pause: (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms)),
} as const;
