// What the database of a test's Synapse says, on SQLite.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Homeserver } from "./homeserver.js";
import { venvPython } from "./paths.js";

const program =
  "import json, sqlite3, sys; print(json.dumps(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall()))";

/** The rows of a query. */
export function queryDatabase({ dir }: Pick<Homeserver, "dir">, sql: string): unknown[][] {
  return JSON.parse(execFileSync(venvPython(), ["-c", program, join(dir, "hs.db"), sql]).toString());
}
