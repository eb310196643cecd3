// Finds conflicts that Synapse would not accept: two modules with the same name or web resource, two modules with a
// callback that Synapse takes once, one callback of a pair without the other, a shadow module with a callback that only one
// module answers, two controllers of background updates, and a login type with two sets of fields.
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import type { StartupProblem } from "../catalogue/protocol.js";
import { DEPENDS_ON_CONFIG, type ListedModule, type ModuleSettings, nameOf } from "./module.js";

/** Returns a problem if the name is taken, and else adds it to the taken names. */
export function findNameClash(settings: ModuleSettings, index: number, taken: Set<string>): StartupProblem[] {
  const name = nameOf(settings);
  if (!taken.has(name)) {
    taken.add(name);
    return [];
  }
  const message = `another module is called ${name} already: give each a \`name\` of its own`;
  return [{ path: ["modules", index, settings.name === undefined ? "path" : "name"], message }];
}

interface Serving {
  name: string;
  index: number;
  /** The paths, as keys or as a list. */
  web_resources: { keys(): Iterable<unknown> } | readonly string[];
}

export function findPathClashes(modules: readonly Serving[]): StartupProblem[] {
  const owners = new Map<unknown, string>();
  return modules.flatMap(({ name, index, web_resources }) =>
    (Array.isArray(web_resources) ? web_resources : [...web_resources.keys()]).flatMap((resource) => {
      const owner = owners.get(resource);
      if (owner === undefined) {
        owners.set(resource, name);
        return [];
      }
      const message = `${name} and ${owner} both have the web resource ${resource}: Synapse would serve one`;
      return [{ path: ["modules", index, "path"], message }];
    }),
  );
}

export function findCallbackClashes(
  modules: readonly ListedModule[],
  settings: readonly ModuleSettings[],
  catalogue: Catalogue,
): StartupProblem[] {
  const owners = new Map<string, string>();
  const logins: Logins = new Map();
  return modules.flatMap((module) => {
    const shadow = settings[module.index]?.mode === "shadow";
    const problems = [...module.callbacks.keys()].flatMap((name) => {
      const callback = catalogue.callbacks.get(name);
      return (callback && problemOf(callback, module, shadow, owners)) ?? [];
    });
    problems.push(...controlProblems(module, shadow, owners));
    // Synapse offers clients no login types of shadow modules.
    if (!shadow) problems.push(...loginProblems(module, logins));
    return problems.map((message) => ({ path: ["modules", module.index, "path"], message }));
  });
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
    return `${module.name} is a shadow module and implements ${name}: Synapse would ask no other module, so nobody would answer`;
  }
  const owner = owners.get(name);
  owners.set(name, owner ?? module.name);
  return owner === undefined
    ? undefined
    : `${module.name} and ${owner} both implement ${name}: Synapse takes one for all modules`;
}

const CONTROL = ["on_update", "default_batch_size", "min_batch_size"];
const CONTROLLED = "background updates";

function controlProblems(
  { name, callbacks }: ListedModule,
  shadow: boolean,
  owners: Map<string, string>,
): string[] {
  const [control] = CONTROL.filter((callback) => callbacks.has(callback));
  if (!control) return [];
  const problems = callbacks.has("on_update")
    ? []
    : [`${name} has ${control} without on_update, which Synapse needs beside it`];
  // A shadow module controls nothing, so it does not compete with another.
  if (shadow) return problems;
  const owner = owners.get(CONTROLLED);
  owners.set(CONTROLLED, owner ?? name);
  return owner === undefined
    ? problems
    : [
        ...problems,
        `${name} has ${control}, but ${owner} controls ${CONTROLLED}: Synapse takes one controller`,
      ];
}

/** By login type: the module that checks it first, and the fields that Synapse asks clients for. */
type Logins = Map<string, { owner: string; fields: string }>;

function loginProblems({ name, callbacks }: ListedModule, logins: Logins): string[] {
  const { checkers = [] } = callbacks.get("auth_checkers") ?? {};
  return (checkers === DEPENDS_ON_CONFIG ? [] : checkers).flatMap(({ login_type, fields }) => {
    const wanted = fields.join(", ");
    const known = logins.get(login_type) ?? { owner: name, fields: wanted };
    logins.set(login_type, known);
    return known.fields === wanted
      ? []
      : `${name} checks ${login_type} by [${wanted}], but ${known.owner} by [${known.fields}]: Synapse asks for one set of fields`;
  });
}
