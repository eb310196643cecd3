// What a module adds to the time in which Synapse starts, how much memory Node takes then, and how long a restart of Node takes.
import { memory, restart } from "./measure.js";
import { keyOf, note } from "./rounds.js";
import { MODULES, startWith } from "./variants.js";

export const START = "start of Synapse";
export const RESTART = "restart of Node";

/** pip compiles what it installs. The shim of this tree is compiled at its first start, unless Python is told not to. */
const AS_INSTALLED = { PYTHONDONTWRITEBYTECODE: undefined };

/** By key, microseconds until Synapse is up, Node's megabytes then, and microseconds until a new Node answers. */
export async function measureStarts(rounds: number): Promise<Map<string, number[]>> {
  const figures = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round++) {
    for (const variant of ["none", "bridge"] as const) {
      const server = await startWith(MODULES[variant], { env: AS_INSTALLED });
      try {
        // The first start fills the caches.
        if (round === 0) continue;
        note(figures, new Map([[keyOf(START, variant, "max"), server.startedInMs * 1e3]]));
        const { node } = memory(server);
        if (node === undefined) continue;
        note(figures, new Map([[keyOf(START, variant, "Node MB"), node]]));
        note(figures, new Map([[keyOf(RESTART, variant, "max"), await restart(server)]]));
      } finally {
        await server.stop();
      }
    }
  }
  return figures;
}
