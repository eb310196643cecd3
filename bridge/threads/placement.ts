// Decides which module runs where: each `isolated` one in its own thread, the other shadow modules together in one thread, and
// all others on the main thread. Those that are off run nowhere. Also merges what the threads declare.

import type { Catalogue } from "../catalogue/catalogue.js";
import type { DeclaredModule, Manifest, StartupProblem } from "../catalogue/protocol.js";
import { findCallbackClashes, findNameClash, findPathClashes } from "../declarations/conflicts.js";
import { type ListedModule, type ModuleSettings, nameOf } from "../declarations/module.js";
import type { DeclaredOff } from "./declare-off.js";
import type { ManifestPart, PlacedModule } from "./load-in-thread.js";

export interface Placement {
  /** The modules on the main thread. */
  here: PlacedModule[];
  /** The modules of each thread. */
  apart: PlacedModule[][];
  off: PlacedModule[];
}

export function place(all: readonly ModuleSettings[]): Placement {
  const here: PlacedModule[] = [];
  const apart: PlacedModule[][] = [];
  const shadows: PlacedModule[] = [];
  const off: PlacedModule[] = [];
  for (const [index, settings] of all.entries()) {
    const placed = { index, name: nameOf(settings), settings };
    if (settings.mode === "off") off.push(placed);
    else if (settings.isolated) apart.push([placed]);
    else (settings.mode === "shadow" ? shadows : here).push(placed);
  }
  return { here, apart: shadows.length === 0 ? apart : [...apart, shadows], off };
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
  const listed = declared.map(listedOf);
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

function listedOf(module: DeclaredModule & { index: number }): ListedModule {
  const files = Object.keys(module.files);
  return { ...module, file: files[0] ?? "", files, callbacks: new Map(Object.entries(module.callbacks)) };
}

/** What the manifest says of all modules. */
export type WholeManifest = ManifestPart & Pick<Manifest, "broken">;

/**
 * Adds the modules that are off to what the running ones declare, in the order of the configuration. One that cannot be loaded,
 * or that could not run beside the others, declares nothing, and its problems are in `broken`.
 */
export function withOff(
  running: ManifestPart,
  off: readonly DeclaredOff[],
  all: readonly ModuleSettings[],
  catalogue: Catalogue,
): WholeManifest {
  const index = new Map(all.map((settings, at) => [nameOf(settings), at]));
  const indexed = (module: DeclaredModule) => ({ ...module, index: index.get(module.name) ?? 0 });
  let sound = running.modules.map(indexed);
  const broken: StartupProblem[] = [];
  for (const { placed, modules, faults } of off) {
    const together = [...sound, ...modules.map(indexed)];
    const problems = [
      ...faults,
      ...findPathClashes(together).filter(({ path: [, at] }) => at === placed.index),
      ...findCallbackClashes(together.map(listedOf), all, catalogue).filter(
        ({ path: [, at] }) => at === placed.index,
      ),
    ];
    broken.push(...problems);
    sound = problems.length === 0 ? together : [...sound, { ...NOTHING, ...placed }];
  }
  sound.sort((a, b) => a.index - b.index);
  return { ...running, modules: sound.map((module) => declaredOf(module)), broken };
}

const NOTHING = { callbacks: {}, web_resources: [], broadcasts: [], files: {}, packages: {}, not_kept: [] };

function declaredOf(module: DeclaredModule): DeclaredModule {
  const { name, callbacks, web_resources, broadcasts, files, packages, not_kept } = module;
  return { name, callbacks, web_resources, broadcasts, files, packages, not_kept };
}
