// Loggers in pino's shape. Which of the lines are kept is decided where they go: everything from debug on is written,
// until they are told that nobody wants it.
import pino, { type DestinationStream, type Logger } from "pino";

export type { Logger };

export function createLogger(destination: DestinationStream): Logger {
  return pino({ level: "debug", base: null }, destination);
}

export function setLevel(logger: Logger, level: number | undefined): void {
  logger.level = (level !== undefined && pino.levels.labels[level]) || "debug";
}

/** On standard error, for a person. */
export function logToStandardError(): Logger {
  return createLogger(pino.destination({ fd: 2, sync: true }));
}
