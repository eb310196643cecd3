// Lets a new thread load its modules: the handshake of the shim and the host, once more inside.

import type { End, Initialize, Manifest } from "../catalogue/protocol.js";
import type { ModuleSettings } from "../declarations/module.js";
import { partsOf } from "../loading/snapshot-parts.js";
import type { Thread } from "./thread.js";
import { watchLoading } from "./watchdog.js";

/** One module, with its place in the configuration. */
export interface PlacedModule {
  index: number;
  name: string;
  settings: ModuleSettings;
}

/** All of `initialize` but the modules. */
export type ThreadInitialize = Omit<Initialize, "modules">;
export type ManifestPart = Pick<Manifest, "modules" | "faults" | "snapshot">;

// What a timer can wait for.
const MOST_MS = 2 ** 31 - 1;

/** What the thread declares, with problems at their place in the configuration; or why it has ended meanwhile. */
export async function loadInThread(
  thread: Thread,
  initialize: ThreadInitialize,
  modules: readonly PlacedModule[],
): Promise<ManifestPart | End> {
  const { snapshot, ...rest } = initialize;
  // What others were loaded from would fill its memory.
  const own = snapshot && { snapshot: partsOf(snapshot, namesOf(modules)) };
  const params: Initialize = { ...rest, ...own, modules: modules.map(({ settings }) => settings) };
  const stop = watchLoading(thread);
  try {
    const manifest = await thread.peer.sendRequest("initialize", params);
    thread.loaded(manifest.modules);
    return { ...manifest, faults: relocated(manifest.faults, modules) };
  } catch (error) {
    if (!thread.isClosed) thread.stop({ cause: `it cannot load: ${(error as Error).message}`, module: null });
    return thread.ended;
  } finally {
    stop();
  }
}

/** As `introduce`, but a thread that takes long is ended. */
export async function loadInThreadInTime(
  thread: Thread,
  initialize: ThreadInitialize,
  modules: readonly PlacedModule[],
): Promise<ManifestPart | End> {
  const { start_timeout_ms: limit } = initialize;
  const late = () => thread.stop({ cause: `it was not loaded within ${limit / 1000} s`, module: null });
  const timer = setTimeout(late, Math.min(limit, MOST_MS)).unref();
  try {
    return await loadInThread(thread, initialize, modules);
  } finally {
    clearTimeout(timer);
  }
}

export function namesOf(modules: readonly PlacedModule[]): string[] {
  return modules.map(({ name }) => name);
}

/** StartupProblems of some of the modules, at their place among all of them. */
export function relocated(
  problems: Manifest["faults"],
  modules: readonly PlacedModule[],
): Manifest["faults"] {
  return problems.map(({ path: [first, index, ...inside], message }) => {
    const own = typeof index === "number" ? modules[index]?.index : undefined;
    if (first === undefined) return { path: [], message };
    return { path: [first, ...(own === undefined ? [] : [own]), ...inside], message };
  });
}
