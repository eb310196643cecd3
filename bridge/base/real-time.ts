// The timers and the clock of the process as they are at start. The fake ones of a test's runner must neither stop the host
// and the kit nor end their deadlines; only what the kit tells a module follows them.
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
  /** Resolves like the work, or after so many milliseconds. */
  atMost: async (ms: number, work: Promise<unknown>): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms).unref();
    });
    await Promise.race([work, late]).finally(() => clearTimeout(timer));
  },
} as const;
