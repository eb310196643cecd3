// Decides which module runs where: each `isolated` one in its own thread, the other shadow modules together in one thread, and
// all others on the main thread. Also merges what the threads declare.

import type { Catalogue } from "../catalogue/catalogue.js";
import type { StartupProblem } from "../catalogue/protocol.js";
import { findCallbackClashes, findNameClash, findPathClashes } from "../declarations/conflicts.js";
import { type ListedModule, type ModuleSettings, nameOf } from "../declarations/module.js";
import type { ManifestPart, PlacedModule } from "./load-in-thread.js";

export interface Placement {
  /** The modules on the main thread. */
  here: PlacedModule[];
  /** The modules of each thread. */
  apart: PlacedModule[][];
}

export function place(all: readonly ModuleSettings[]): Placement {
  const here: PlacedModule[] = [];
  const apart: PlacedModule[][] = [];
  const shadows: PlacedModule[] = [];
  for (const [index, settings] of all.entries()) {
    const placed = { index, name: nameOf(settings), settings };
    if (settings.isolated) apart.push([placed]);
    else (settings.shadow ? shadows : here).push(placed);
  }
  return { here, apart: shadows.length === 0 ? apart : [...apart, shadows] };
}

/** Merges what all threads declare, in the order of the configuration, and adds the conflicts between threads. */
export function mergeManifests(
  parts: readonly ManifestPart[],
  all: readonly ModuleSettings[],
  catalogue: Catalogue,
): ManifestPart {
  const index = new Map(all.map((settings, at) => [nameOf(settings), at]));
  const declared = parts
    .flatMap(({ modules }) => modules)
    .map((module) => ({ ...module, index: index.get(module.name) ?? 0 }))
    .sort((a, b) => a.index - b.index);
  const listed = declared.map(
    (module): ListedModule => ({
      ...module,
      file: Object.keys(module.files)[0] ?? "",
      files: Object.keys(module.files),
      callbacks: new Map(Object.entries(module.callbacks)),
    }),
  );
  const taken = new Set<string>();
  const found: StartupProblem[] = [
    ...all.flatMap((settings, at) => findNameClash(settings, at, taken)),
    ...parts.flatMap(({ faults }) => faults),
    ...findPathClashes(declared),
    ...findCallbackClashes(listed, all, catalogue),
  ];
  const order = ({ path: [, at] }: StartupProblem) => (typeof at === "number" ? at : -1);
  const unique = new Map(found.map((problem) => [JSON.stringify(problem), problem]));
  return {
    modules: declared.map(({ index: _, ...module }) => module),
    faults: [...unique.values()].sort((a, b) => order(a) - order(b)),
  };
}
