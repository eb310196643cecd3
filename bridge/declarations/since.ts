// Finds conditions of `match` on parameters that the running Synapse does not pass yet: they would never hold, so the module
// would silently never be asked.
import { isOlder } from "../base/releases.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import type { Match, StartupProblem } from "../catalogue/protocol.js";
import { DEPENDS_ON_CONFIG, type ListedModule } from "./module.js";

/** Returns a startup problem for each condition on a parameter that a later Synapse than `version` introduced. */
export function conditionsTooNew(
  modules: readonly Pick<ListedModule, "name" | "index" | "callbacks">[],
  version: string,
  catalogue: Catalogue,
): StartupProblem[] {
  return modules.flatMap(({ name: module, index, callbacks }) =>
    [...callbacks].flatMap(([name, { match }]) => {
      const callback = catalogue.callbacks.get(name);
      if (!match || match === DEPENDS_ON_CONFIG || !callback) return [];
      return pathsOf(match).flatMap((path) => {
        const param = path.split(".", 1)[0] ?? "";
        const since = sinceOf(callback, param);
        if (since === undefined || !isOlder(version, since)) return [];
        const message =
          `${module}: callbacks.${name}.match[${JSON.stringify(path)}] can never hold: this Synapse (${version}) ` +
          `calls ${name} without ${param}, which came with ${since}. Upgrade Synapse, or leave the condition out`;
        return [{ path: ["modules", index, "path"], message }];
      });
    }),
  );
}

function pathsOf({ not = {}, local: _, ...conditions }: Match): string[] {
  return [...Object.keys(conditions), ...Object.keys(not)];
}

function sinceOf({ params_since = {} }: Callback, param: string): string | undefined {
  return Object.hasOwn(params_since, param) ? params_since[param] : undefined;
}
