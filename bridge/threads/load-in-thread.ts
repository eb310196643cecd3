// Lets a new thread load its modules, with the same `initialize` as between shim and host.

import { LONGEST_TIMER_MS } from "../base/duration.js";
import type { End, Initialize, Manifest } from "../catalogue/protocol.js";
import type { ModuleSettings } from "../declarations/module.js";
import { partsOf } from "../loading/snapshot-parts.js";
import type { Thread } from "./thread.js";
import { watchLoading } from "./watchdog.js";

/** One module, with its index in the configuration's `modules`. */
export interface PlacedModule {
  index: number;
  name: string;
  settings: ModuleSettings;
}

/** The parameters of `initialize`, without the modules. */
export type ThreadInitialize = Omit<Initialize, "modules">;
/** A thread's part of the manifest. */
export type ManifestPart = Pick<Manifest, "modules" | "faults" | "snapshot">;

/** Returns what the thread's modules declare, with the places of problems in the whole configuration; or how it has ended. */
export async function loadInThread(
  thread: Thread,
  initialize: ThreadInitialize,
  modules: readonly PlacedModule[],
): Promise<ManifestPart | End> {
  const { snapshot, ...rest } = initialize;
  // Without the parts of other threads, which would only take memory.
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

/** Like loadInThread, but ends a thread that takes longer than `start_timeout_ms`. */
export async function loadInThreadInTime(
  thread: Thread,
  initialize: ThreadInitialize,
  modules: readonly PlacedModule[],
): Promise<ManifestPart | End> {
  const { start_timeout_ms: limit } = initialize;
  const late = () =>
    thread.stop({ cause: `it was not loaded within ${Number((limit / 1000).toFixed(1))} s`, module: null });
  const timer = setTimeout(late, Math.min(limit, LONGEST_TIMER_MS)).unref();
  try {
    return await loadInThread(thread, initialize, modules);
  } finally {
    clearTimeout(timer);
  }
}

export function namesOf(modules: readonly PlacedModule[]): string[] {
  return modules.map(({ name }) => name);
}

/** Converts the places of problems: from the modules of one thread to all modules of the configuration. */
export function relocated(
  problems: Manifest["faults"],
  modules: readonly PlacedModule[],
): Manifest["faults"] {
  return problems.map(({ path: [first, index, ...inside], message }) => {
    const own = typeof index === "number" ? modules[index]?.index : index;
    if (first === undefined) return { path: [], message };
    return { path: [first, ...(own === undefined ? [] : [own]), ...inside], message };
  });
}
