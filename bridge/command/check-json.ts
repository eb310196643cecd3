// Describes what modules declare as data, for `check --json`. check-tables.ts does so for people.
import type { Catalogue } from "../catalogue/catalogue.js";
import {
  DEPENDS_ON_CONFIG,
  type DependsOnConfig,
  type ListedChecker,
  type ListedEntry,
} from "../declarations/module.js";
import type { CheckedCallback, CheckedModule, CheckReport } from "./check-report.js";
import type { CallbackTerms, ShownModule } from "./check-tables.js";

/** What belongs to a module beside its declarations. */
export interface ModuleFacts {
  file: string;
  /** Which compiler has checked its types, or why none has. */
  types: string;
}

/** `terms` are by callback, as for the tables. */
export function describeModule(
  module: ShownModule,
  { file, types }: ModuleFacts,
  catalogue: Catalogue,
  terms?: Readonly<Record<string, CallbackTerms>>,
): CheckedModule {
  const { name, mode = "enforce", isolated, web_resources, broadcasts } = module;
  const asked = [...catalogue.callbacks.keys()].flatMap((callback) => {
    const entry = module.callbacks.get(callback);
    if (!entry) return [];
    const { checkers = [entry] } = entry;
    return (checkers === DEPENDS_ON_CONFIG ? [entry] : checkers).map((one) => ({
      ...describeEntry(callback, one),
      ...terms?.[callback],
    }));
  });
  return {
    name,
    file,
    types,
    mode,
    thread: isolated ? "own" : mode === "shadow" ? "shadow" : "main",
    callbacks: asked,
    web_resources: known(web_resources),
    broadcasts,
  };
}

/** What `check --json` prints where there is nothing to describe: the check could not be made, or ended too early. */
export function reportWithoutModules(result: "faults" | "not_looked", message: string): CheckReport {
  const nothing = { faults: [], warnings: [], modules: [] };
  // The message names the module.
  if (result === "faults") return { ...nothing, result, faults: [{ at: "", message }] };
  return { result, why: message, ...nothing };
}

function describeEntry(name: string, entry: ListedEntry | ListedChecker): CheckedCallback {
  const { match, ttl } = entry;
  const login = "login_type" in entry ? { login_type: entry.login_type, fields: entry.fields } : {};
  const { room_state = undefined, fields = undefined } = "login_type" in entry ? {} : entry;
  return {
    name,
    ...login,
    ...(match !== undefined && { match: known(match) }),
    ...(room_state !== undefined && { room_state }),
    ...(ttl !== undefined && { ttl: known(ttl) }),
    ...(fields !== undefined && { template: true }),
  };
}

function known<Value>(value: Value | DependsOnConfig): Value | null {
  return value === DEPENDS_ON_CONFIG ? null : (value as Value);
}
