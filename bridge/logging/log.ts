// Creates pino loggers. They write everything from debug on, until the shim says which levels it wants: Synapse's logging
// configuration decides which lines are kept.
import pino, { type DestinationStream, type Logger } from "pino";

export type { Logger };

// Of the npm package (dist/logging/log.js, so dist/), or of the bundle (_host/cli.mjs, so _host/).
const OWN_FOLDER = new URL(/\/logging\/[^/]*$/.test(import.meta.url) ? ".." : ".", import.meta.url).href;

export function createLogger(destination: DestinationStream): Logger {
  return pino({ level: "debug", base: null }, destination);
}

export function setLevel(logger: Logger, level: number | undefined): void {
  logger.level = (level !== undefined && pino.levels.labels[level]) || "debug";
}

/** A logger for the commands: writes lines for people to standard error. */
export function logToStandardError(): Logger {
  const output = pino.destination({ fd: 2, sync: true });
  return createLogger({ write: (line) => void output.write(plainText(JSON.parse(line))) });
}

/**
 * The text of a record: its message and its fields, and where in the module's code its error was thrown. Messages of the
 * host about an error are left out, since the command's last line repeats them.
 */
function plainText(record: Record<string, unknown>): string {
  const { level, time, module, request, err, msg = "", ...fields } = record;
  const isRepeated = level === pino.levels.values.error && String(msg).startsWith(`${module}: `);
  const more = Object.keys(fields).length > 0 ? [JSON.stringify(fields)] : [];
  const message = isRepeated ? [] : [[`${module}:`, msg, ...more].join(" ")];
  return [...message, ...placesOf(err), ""].join("\n");
}

/** The frames of an error's stack that are not the host's, down to the host's call of the module. */
function placesOf(error: unknown): string[] {
  const stack = (error as { stack?: unknown } | undefined)?.stack;
  const frames = typeof stack === "string" ? stack.split("\n").filter((line) => /^ +at /.test(line)) : [];
  const isOwn = (frame: string) => frame.includes(OWN_FOLDER) || frame.includes("node:internal/");
  const first = frames.findIndex((frame) => !isOwn(frame));
  if (first === -1) return [];
  const called = frames.findIndex((frame, index) => index > first && isOwn(frame));
  return frames.slice(first, called === -1 ? undefined : called);
}
