// The host's log: pino lines on standard error, which the shim turns into Synapse's log lines. Which of them are kept is
// decided there, so everything from debug on is written.
import pino, { type DestinationStream, type Logger } from "pino";

export type { Logger };

export interface Log {
  logger: Logger;
  /** Writes what is still buffered, synchronously. */
  flush(): void;
}

/** Asynchronous, so that a full pipe never blocks the event loop; what exceeds the buffer is dropped. */
export function openLog(fd = 2): Log {
  const destination = pino.destination({ fd, sync: false, minLength: 0, maxLength: 1 << 20 });
  // Nobody reads: the parent is gone, and its end of the wire tells the host so.
  destination.on("error", () => {});
  return { logger: createLogger(destination), flush: () => flush(() => destination.flushSync()) };
}

export function createLogger(destination: DestinationStream): Logger {
  return pino({ level: "debug", base: null }, destination);
}

function flush(write: () => void): void {
  try {
    write();
  } catch {
    // The pipe is closed or full: there is nowhere left to say so.
  }
}
