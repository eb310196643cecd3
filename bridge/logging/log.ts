// Creates pino loggers. They write everything from debug on, until the shim says which levels it wants: Synapse's logging
// configuration decides which lines are kept.
import pino, { type DestinationStream, type Logger } from "pino";

export type { Logger };

export function createLogger(destination: DestinationStream): Logger {
  return pino({ level: "debug", base: null }, destination);
}

export function setLevel(logger: Logger, level: number | undefined): void {
  logger.level = (level !== undefined && pino.levels.labels[level]) || "debug";
}

/** A logger for the commands, which writes to standard error. */
export function logToStandardError(): Logger {
  return createLogger(pino.destination({ fd: 2, sync: true }));
}
