// Finds out what modules declare that are off: loads each one in a thread that ends at once, without its `setup`.

import type { StartupProblem } from "../catalogue/protocol.js";
import type { SpawnOptions } from "./compartment.js";
import { loadInThreadInTime, type ManifestPart, type PlacedModule } from "./load-in-thread.js";
import { Thread } from "./thread.js";

// Of the time that the start may take: no module that is off keeps it from going on.
const SHARE = 1 / 3;
const PULSE_MS = 1_000;

/** What one module that is off declares; or why it could not be loaded, in `faults`. */
export interface DeclaredOff extends ManifestPart {
  placed: PlacedModule;
}

export async function declareOff(
  modules: readonly PlacedModule[],
  spawnOptions: SpawnOptions,
): Promise<DeclaredOff[]> {
  const until = performance.now() + spawnOptions.initialize.start_timeout_ms * SHARE;
  const declared: DeclaredOff[] = [];
  for (const placed of modules)
    declared.push(await declareOne(placed, spawnOptions, Math.max(1, until - performance.now())));
  return declared;
}

async function declareOne(
  placed: PlacedModule,
  { options, relay, initialize }: SpawnOptions,
  limit_ms: number,
): Promise<DeclaredOff> {
  let thread: Thread;
  try {
    thread = new Thread(
      [placed.name],
      options,
      {
        request: relay.request,
        // So that the shim can name the module if its native code ends the process.
        notify: (method, params) => {
          if (method !== "loading") relay.notify(method, params);
          else relay.notify("loading", { name: placed.name, index: placed.index });
        },
      },
      PULSE_MS,
    );
  } catch (error) {
    return broken(placed, `its thread cannot be made: ${(error as Error).message}`);
  }
  const loaded = await loadInThreadInTime(thread, { ...initialize, start_timeout_ms: limit_ms }, [placed]);
  if ("cause" in loaded)
    return broken(placed, `its thread ended while it loaded this module (${loaded.cause})`);
  thread.close();
  return { placed, ...loaded };
}

function broken(placed: PlacedModule, why: string): DeclaredOff {
  const message = `${placed.settings.path}: ${why}`;
  const fault: StartupProblem = { path: ["modules", placed.index, "path"], message };
  return { placed, modules: [], faults: [fault] };
}
