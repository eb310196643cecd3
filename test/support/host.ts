// The Node that a Synapse has started, by Synapse's process id.
import { writeFileSync } from "node:fs";
import { waitFor } from "../../bridge/testing/synapse/wait.js";
import { childrenOf } from "./processes.js";
import type { Folder } from "./temporary-folder.js";

export function host(synapse: number): number {
  const [pid, ...others] = childrenOf(synapse);
  if (pid === undefined || others.length > 0)
    throw new Error(`not one host but ${childrenOf(synapse).length}`);
  return pid;
}

/** Waits for a host process other than this one, and gives its pid. */
export const nextHost = (synapse: number, before: number, timeoutMs = 10_000) =>
  waitFor("the next host", () => childrenOf(synapse).find((pid) => pid !== before), timeoutMs);

/** A `node` that waits while `down` exists, which keeps an outage as long as a test wants it. */
export function interruptibleNode({ path }: Folder): { readonly node: string; readonly down: string } {
  const [node, down] = [path("node"), path("down")];
  const script = `#!/bin/sh\nwhile [ -e ${down} ]; do /bin/sleep 0.05; done\nexec ${process.execPath} "$@"\n`;
  writeFileSync(node, script, { mode: 0o755 });
  return { node, down };
}
