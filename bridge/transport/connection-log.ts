// Passes the messages of vscode-jsonrpc about a connection to the log.
import type { Logger } from "../logging/log.js";

export function connectionLog(log: Logger) {
  return {
    error: (message: string) => log.error(message),
    warn: (message: string) => log.warn(message),
    info: (message: string) => log.debug(message),
    log: (message: string) => log.debug(message),
  };
}
