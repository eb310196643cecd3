// Lets a server load its modules again, and tells what became of it.
import type { Records } from "./records.js";
import { waitFor } from "./wait.js";

const LOGGER = "synapse_module_bridge.reload";
// Twice as long as Node may take to load the modules.
const LIMIT_MS = 60_000;
const TAKEN_OVER = /the changed modules have taken over/;
const UNCHANGED = /no file of a module has changed/;
const REFUSED = /cannot take over: (.*)/s;

/** Resolves with whether a new version has taken over: false where no file has changed. Rejects where it was refused. */
export async function reload(
  pid: number,
  records: Records,
  whyNot: () => string | undefined,
): Promise<boolean> {
  // Another process may have its number by now.
  const end = whyNot();
  if (end !== undefined) throw new Error(end);
  const before = records.count();
  process.kill(pid, "SIGHUP");
  return waitFor(
    "the reload",
    () => {
      const why = whyNot();
      if (why !== undefined) throw new Error(why);
      for (const { namespace, log } of records.after(before)) {
        if (namespace !== LOGGER) continue;
        const refused = REFUSED.exec(log);
        if (refused) throw new Error(`the new version was refused, and the old one stays: ${refused[1]}`);
        if (TAKEN_OVER.test(log)) return { changed: true };
        if (UNCHANGED.test(log)) return { changed: false };
      }
      return undefined;
    },
    LIMIT_MS,
  ).then(({ changed }) => changed);
}
