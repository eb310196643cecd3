// What Synapse's log holds.
import type { Homeserver } from "./homeserver.js";

/** The lines of the log that hold this. */
export const logged = ({ log }: Pick<Homeserver, "log">, text: string) =>
  log()
    .split("\n")
    .filter((line) => line.includes(text));

/** What Synapse says of log contexts that were not handled as it wants. */
export const contextWarnings = ({ log }: Pick<Homeserver, "log">) =>
  log().match(/^.*(?:logging context|log ?context|Looping call died).*$/gim) ?? [];

/** Of those warnings each once, without what differs between two: what they are about. */
export const contextWarningKinds = (of: Pick<Homeserver, "log">) =>
  new Set(contextWarnings(of).map((line) => line.replace(/^.*? (\w+ [\w.]+) \[.*?\] (\D*).*$/, "$1 $2")));
