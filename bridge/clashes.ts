// Finds the callbacks that Synapse would not take from these modules as they are: two modules with one that Synapse takes
// once, half of a pair, and shadow modules with one for which nobody else would answer.
import type { Callback, Catalogue } from "./catalogue.js";
import type { Fault, ListedModule, ModuleSettings } from "./module.js";

export function findCallbackClashes(
  modules: readonly ListedModule[],
  settings: readonly ModuleSettings[],
  catalogue: Catalogue,
): Fault[] {
  const owners = new Map<string, string>();
  return modules.flatMap((module) =>
    [...module.callbacks.keys()].flatMap((name) => {
      const callback = catalogue.callbacks.get(name);
      const shadow = settings[module.index]?.shadow === true;
      const message = callback && problemOf(callback, module, shadow, owners);
      return message ? [{ path: ["modules", module.index, "path"], message }] : [];
    }),
  );
}

function problemOf(
  { name, single, together }: Callback,
  module: ListedModule,
  shadow: boolean,
  owners: Map<string, string>,
): string | undefined {
  if (together !== undefined && !module.callbacks.has(together)) {
    return `${module.name} implements ${name} without ${together}: Synapse takes both or neither`;
  }
  if (!single) return undefined;
  if (shadow) {
    return `${module.name} is a shadow module and implements ${name}: Synapse would ask nobody else, so that nobody would answer`;
  }
  const owner = owners.get(name);
  owners.set(name, owner ?? module.name);
  return owner === undefined
    ? undefined
    : `${module.name} and ${owner} both implement ${name}: Synapse takes one for all modules`;
}
